"""Writes models/<name>/: tiny models of all families saved by Hugging Face transformers, with their logits.

    pip install transformers==5.23.0 torch==2.13.0 safetensors==0.8.0
    python test/golden/make-models.py && npx biome check --write test/golden

`expected.json` holds input ids [2, T] and float32 logits [2, T, V] of the weights as stored (bfloat16,
computed in float32), eager attention. Norm weights and biases are random, not ones and zeros.
"""

import json
import pathlib
import shutil

import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

HERE = pathlib.Path(__file__).parent / "models"
SMALL = {
    "vocab_size": 24, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64, "bos_token_id": 1,
    "eos_token_id": 2, "attn_implementation": "eager",
}
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
YARN = {"rope_type": "yarn", "rope_theta": 1000.0, "factor": 4.0, "original_max_position_embeddings": 16}
MODELS = {
    "llama": (LlamaConfig(**SMALL, rope_parameters=LLAMA3, attention_bias=True, mlp_bias=True), LlamaForCausalLM),
    "qwen2": (
        Qwen2Config(**SMALL, rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}), Qwen2ForCausalLM,
    ),
    "qwen3": (
        Qwen3Config(**SMALL, head_dim=8, rope_parameters=YARN, tie_word_embeddings=True), Qwen3ForCausalLM,
    ),
}


def write(name, config, model_class):
    torch.manual_seed(11)
    model = model_class(config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4 + (1.0 if "norm" in key else 0.0))
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    shard = "2KB" if name == "qwen2" else "1GB"
    model.bfloat16().save_pretrained(folder, max_shard_size=shard)
    model = model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    ids = torch.randint(0, config.vocab_size, (2, 20))
    with torch.no_grad():
        logits = model(ids).logits
    rounded = [[[float(f"{x:.8g}") for x in row] for row in sample] for sample in logits.tolist()]
    (folder / "expected.json").write_text(json.dumps({"input_ids": ids.tolist(), "logits": rounded}))


if __name__ == "__main__":
    for name, (config, model_class) in MODELS.items():
        write(name, config, model_class)
