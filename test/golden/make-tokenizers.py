"""Writes tokenizers/<name>/: two small tokenizers with texts encoded, decoded and chats rendered in Python.

    pip install transformers==5.23.0 tokenizers==0.23.3 jinja2
    python test/golden/make-tokenizers.py && npx biome check --write test/golden

`bytes` is byte-level BPE with the pre-tokenizer of Qwen2; `metaspace` is BPE with byte fallback as in
Llama 2, with a bos token.
"""

import json
import pathlib

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

HERE = pathlib.Path(__file__).parent / "tokenizers"
CORPUS = [
    "17 + 28: 7 + 8 = 15, write 5 carry 1. 1 + 2 + 1 = 4. answer: 45",
    "There are 12 apples and 3 boxes. How many apples go into each box? 12 / 3 = 4. answer: 4",
    "Wait, check: 6 * 7 = 42, not 48. Go back. The carry was wrong. answer: 42",
] * 4
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEXTS = [
    "17 + 28: 7 + 8 = 15", "answer: 45", " two  spaces ", "line\nbreak\n\n", "", "na\u00efve \u20ac5 \U0001f600",
    "<|im_start|>user\nHi<|im_end|>", "It's 3 o'clock, isn't it?", "\u4f60\u597d", "tab\tand\u00a0nbsp", "end .",
]
CHATML = (
    "{%- for message in messages %}\n"
    "    {{- '<|im_start|>' + message.role + '\\n' + message.content | trim + '<|im_end|>' + '\\n' }}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n{%- endif %}\n"
)
LLAMA2 = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate user/assistant') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'].strip() + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + ' ' + eos_token }}{% endif %}{% endfor %}"
)
CHATS = [
    [{"role": "user", "content": "What is 6 * 7? "}],
    [
        {"role": "user", "content": "6 * 7"}, {"role": "assistant", "content": "answer: 42"},
        {"role": "user", "content": "sure?"},
    ],
]


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(QWEN2), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=320, special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    ))
    settings = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "chat_template": CHATML}
    return tokenizer, settings


def metaspace():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0),
    ])
    special = ["<unk>", "<s>", "</s>"]
    tokenizer.train_from_iterator([line.replace(" ", " \u2581") for line in CORPUS], trainers.BpeTrainer(
        vocab_size=380, special_tokens=special + [f"<0x{byte:02X}>" for byte in range(256)], show_progress=False,
        max_token_length=6,
    ))
    trained = json.loads(tokenizer.to_str())
    trained["added_tokens"] = [token for token in trained["added_tokens"] if token["content"] in special]
    tokenizer = Tokenizer.from_str(json.dumps(trained))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)],
    )
    settings = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "chat_template": LLAMA2}
    return tokenizer, settings


def write(name, tokenizer, settings):
    folder = HERE / name
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    cases = []
    for text in TEXTS:
        ids = tokenizer.encode(text, add_special_tokens=True).ids
        cases.append({
            "text": text, "ids": ids, "plain_ids": tokenizer.encode(text, add_special_tokens=False).ids,
            "decoded": tokenizer.decode(ids), "decoded_all": tokenizer.decode(ids, skip_special_tokens=False),
        })
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **settings)
    chats = [
        {
            "messages": chat,
            "text": fast.apply_chat_template(chat, tokenize=False, add_generation_prompt=True),
        }
        for chat in CHATS
    ]
    golden = {"vocab_size": tokenizer.get_vocab_size(), "texts": cases, "chats": chats}
    (folder / "golden.json").write_text(json.dumps(golden))


if __name__ == "__main__":
    write("bytes", *byte_level())
    write("metaspace", *metaspace())
