"""Writes rope.json: inverse frequencies and attention factors as Hugging Face transformers computes them.

    pip install transformers==5.23.0 torch==2.13.0 numpy
    python test/golden/make-rope.py && npx biome check --write test/golden

Each case is a config.json (the keys that rope.ts and rope-config.ts read) with the result of the
transformers class for it. transformers computes in float32, rope.ts in float64.
"""

import json
import pathlib

import torch
from transformers import LlamaConfig, Qwen2Config, Qwen3Config
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.qwen2.modeling_qwen2 import Qwen2RotaryEmbedding
from transformers.models.qwen3.modeling_qwen3 import Qwen3RotaryEmbedding

FAMILIES = {
    "llama": (LlamaConfig, LlamaRotaryEmbedding),
    "qwen2": (Qwen2Config, Qwen2RotaryEmbedding),
    "qwen3": (Qwen3Config, Qwen3RotaryEmbedding),
}
SMALL = {"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16}
LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
CASES = {
    "llama plain": {"model_type": "llama", **SMALL},
    "llama theta": {"model_type": "llama", **SMALL, "rope_theta": 500000.0},
    "llama linear, old keys": {
        "model_type": "llama", **SMALL, "rope_theta": 10000.0,
        "rope_scaling": {"type": "linear", "factor": 4.0},
    },
    "llama 3.1": {
        "model_type": "llama", **SMALL, "head_dim": 128, "hidden_size": 512,
        "max_position_embeddings": 131072, "rope_theta": 500000.0,
        "rope_scaling": {"rope_type": "llama3", "original_max_position_embeddings": 8192, **LLAMA3},
    },
    "llama3, new keys": {
        "model_type": "llama", **SMALL, "max_position_embeddings": 4096,
        "rope_parameters": {
            "rope_type": "llama3", "rope_theta": 10000.0, "original_max_position_embeddings": 256, **LLAMA3,
        },
    },
    "qwen2 theta": {"model_type": "qwen2", **SMALL, "rope_theta": 1000000.0},
    "qwen2.5 yarn, old keys": {
        "model_type": "qwen2", **SMALL, "head_dim": 128, "hidden_size": 512,
        "max_position_embeddings": 32768, "rope_theta": 1000000.0,
        "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768},
    },
    "qwen3 yarn, new keys": {
        "model_type": "qwen3", **SMALL, "head_dim": 128, "max_position_embeddings": 131072,
        "rope_parameters": {
            "rope_type": "yarn", "rope_theta": 1000000.0, "factor": 4.0,
            "original_max_position_embeddings": 32768,
        },
    },
    "yarn, attention factor, betas, no truncation": {
        "model_type": "qwen3", **SMALL, "head_dim": 32, "max_position_embeddings": 16384,
        "rope_parameters": {
            "rope_type": "yarn", "rope_theta": 10000.0, "factor": 8.0, "attention_factor": 0.75,
            "original_max_position_embeddings": 2048, "beta_fast": 16.0, "beta_slow": 2.0, "truncate": False,
        },
    },
    "yarn, mscale": {
        "model_type": "llama", **SMALL, "head_dim": 64, "max_position_embeddings": 163840,
        "rope_parameters": {
            "rope_type": "yarn", "rope_theta": 10000.0, "factor": 40.0, "mscale": 1.0,
            "mscale_all_dim": 0.707, "original_max_position_embeddings": 4096,
        },
    },
    "yarn, factor from the context": {
        "model_type": "llama", **SMALL, "max_position_embeddings": 8192,
        "rope_parameters": {
            "rope_type": "yarn", "rope_theta": 10000.0, "factor": None,
            "original_max_position_embeddings": 2048,
        },
    },
    "dynamic, within the context": {
        "model_type": "qwen2", **SMALL, "max_position_embeddings": 2048, "rope_theta": 10000.0,
        "rope_scaling": {"type": "dynamic", "factor": 2.0},
    },
    "longrope, within the context of pretraining": {
        "model_type": "llama", **SMALL, "max_position_embeddings": 8192,
        "rope_parameters": {
            "rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 1024,
            "short_factor": [1.0, 1.05, 1.1, 1.2, 1.4, 1.7, 2.0, 2.5],
            "long_factor": [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0],
        },
    },
    "longrope, attention factor": {
        "model_type": "qwen3", **SMALL, "max_position_embeddings": 8192,
        "rope_parameters": {
            "rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 1024,
            "short_factor": [1.0] * 8, "long_factor": [4.0] * 8, "attention_factor": 1.3,
        },
    },
    "proportional": {
        "model_type": "qwen3", **SMALL, "max_position_embeddings": 8192,
        "rope_parameters": {
            "rope_type": "proportional", "rope_theta": 10000.0, "factor": 2.0, "partial_rotary_factor": 0.6,
        },
    },
}


def compute(case):
    keys = {key: value for key, value in case.items() if key != "model_type"}
    config_class, rotary_class = FAMILIES[case["model_type"]]
    rotary = rotary_class(config_class(**json.loads(json.dumps(keys))))
    positions = torch.tensor([[0, 7, 31]])
    cos, sin = rotary(torch.zeros(1), positions)
    half = cos.shape[-1] // 2
    return {
        "config": case,
        "inv_freq": rotary.inv_freq.double().tolist(),
        "attention_scaling": float(rotary.attention_scaling),
        "positions": positions[0].tolist(),
        "cos": cos[0, :, :half].double().tolist(),
        "sin": sin[0, :, :half].double().tolist(),
    }


def compact(value):
    return float(f"{value:.9g}") if isinstance(value, float) else value


def rounded(tree):
    if isinstance(tree, dict):
        return {key: rounded(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [rounded(value) for value in tree]
    return compact(tree)


if __name__ == "__main__":
    out = {name: rounded(compute(case)) for name, case in CASES.items()}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in out.items())
    pathlib.Path(__file__).with_name("rope.json").write_text("{\n" + lines + "\n}\n")
