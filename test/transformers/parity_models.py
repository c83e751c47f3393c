"""Random small models of the supported families with every supported rope scaling, as transformers saves them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

FAMILIES: dict[str, tuple[Any, Any]] = {
    "llama": (LlamaConfig, LlamaForCausalLM),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM),
}
SMALL: dict[str, Any] = {
    "vocab_size": 97, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "max_position_embeddings": 512,
    "bos_token_id": None, "eos_token_id": None, "pad_token_id": None,
}
HALF = 8  # dimension pairs of a head
ROPES: dict[str, dict[str, Any]] = {
    "default": {"rope_type": "default"},
    "linear": {"rope_type": "linear", "factor": 4.0},
    "dynamic": {"rope_type": "dynamic", "factor": 2.0},
    "yarn": {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 64},
    "yarn-settings": {
        "rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 64, "attention_factor": 1.2,
        "beta_fast": 16.0, "beta_slow": 2.0, "truncate": False,
    },
    "llama3": {
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    },
    "longrope": {
        "rope_type": "longrope", "original_max_position_embeddings": 320, "factor": 1.6,
        "short_factor": [1.0 + 0.2 * i for i in range(HALF)], "long_factor": [2.0 + i for i in range(HALF)],
    },
    "proportional": {"rope_type": "proportional", "factor": 2.0, "partial_rotary_factor": 0.75},
}
# Beyond the 64 tokens of pretraining of yarn and llama3; within the context of dynamic and longrope.
LENGTHS = [5, 63, 150, 320]


def fill(model: PreTrainedModel, seed: int) -> None:
    """Random weights with which attention is neither flat nor one-hot and logits are a few units large."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in model.named_parameters():
            noise = torch.randn(value.shape, generator=generator)
            if name.endswith("norm.weight"):
                value.copy_(1 + 0.2 * noise)
            elif value.dim() == 2:
                value.copy_(1.2 / value.shape[1] ** 0.5 * noise)
            else:
                value.copy_(0.2 * noise)


def make(folder: Path) -> None:
    """Writes models, token ids and logits: folder/NAME/ and folder/NAME.expected.safetensors, and cases.json."""
    cases = []
    for index, (family, rope) in enumerate((f, r) for f in FAMILIES for r in ROPES):
        config_class, model_class = FAMILIES[family]
        changes: dict[str, Any] = {"tie_word_embeddings": index % 2 == 0}
        if family == "llama":
            changes |= {"attention_bias": index % 3 == 0, "mlp_bias": index % 3 == 1, "head_dim": 2 * HALF}
        if family == "qwen3":
            changes |= {"head_dim": 2 * HALF, "attention_bias": index % 3 == 0}
        parameters = {"rope_theta": 10000.0, **ROPES[rope]}
        config = config_class(**{**SMALL, **changes, "rope_parameters": parameters})
        model = model_class(config).eval()
        fill(model, index)
        name = f"{family}-{rope}"
        model.save_pretrained(folder / name)
        generator = torch.Generator().manual_seed(1000 + index)
        ids = torch.randint(SMALL["vocab_size"], (max(LENGTHS),), generator=generator)
        expected = {}
        with torch.no_grad():
            for length in LENGTHS:
                # Anew each time: with dynamic scaling a long text would leave its mark on the module.
                expected[f"logits.{length}"] = model(ids[None, :length]).logits[0].contiguous()
        save_file(expected, folder / f"{name}.expected.safetensors")
        cases.append({"name": name, "ids": ids.tolist(), "lengths": LENGTHS})
    (folder / "cases.json").write_text(json.dumps(cases))
