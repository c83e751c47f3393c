"""Trains with TRL's GRPOTrainer on the data, the rewards and the settings beside this file.

    python train_grpo.py [--model DIRECTORY] [--output DIRECTORY] [key=value ...]

A key is one of "grpo" in config.json or any other of GRPOConfig; the value is read as JSON where it is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def main() -> None:
    """Reads the arguments, trains, saves the model under OUTPUT/final."""
    parser = argparse.ArgumentParser(description="GRPO on an export of pivottrace.")
    parser.add_argument("--model", required=True)
    parser.add_argument("--output", type=Path, default=HERE / "checkpoints")
    parser.add_argument("settings", nargs="*", metavar="key=value")
    arguments = parser.parse_args()
    config = json.loads((HERE / "config.json").read_text(encoding="utf-8"))
    train(config, arguments.model, arguments.output, dict(map(setting, arguments.settings)))


def setting(text: str) -> tuple[str, Any]:
    """`max_steps=2` as a name and a value."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise SystemExit(f"wanted key=value, found {text!r}")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def train(config: dict[str, Any], model: str, output: Path, overrides: dict[str, Any]) -> None:
    """One training run; the group of a prompt stays on one process, so that its majority can be counted."""
    import reward
    import torch
    from datasets import load_dataset
    from transformers import AutoTokenizer

    from trl import GRPOConfig, GRPOTrainer

    files = {name: str(HERE / f"{name}.parquet") for name in ("train", "val") if (HERE / f"{name}.parquet").exists()}
    data = load_dataset("parquet", data_files=files)
    grpo = {
        **config["grpo"],
        **batches(config),
        "bf16": torch.cuda.is_available(),
        "output_dir": str(output),
        **overrides,
    }
    if "val" in data:
        grpo.setdefault("eval_strategy", "steps")
        grpo.setdefault("eval_steps", 10)
        grpo.setdefault("per_device_eval_batch_size", grpo["num_generations"])
    tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left")
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=reward.group_reward if config["votes"] == "live" else reward.frozen_reward,
        args=GRPOConfig(**grpo),
        train_dataset=data["train"],
        eval_dataset=data.get("val"),
        processing_class=tokenizer,
    )
    trainer.train()
    trainer.save_model(str(output / "final"))


def batches(config: dict[str, Any]) -> dict[str, int]:
    """One group at a time per process, as many as a step wants prompts."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    updates = int(config["updates_per_generation"])
    steps = max(updates, int(config["prompts_per_step"]) // world)
    return {
        "per_device_train_batch_size": int(config["grpo"]["num_generations"]),
        "gradient_accumulation_steps": max(1, steps // updates),
        "steps_per_generation": steps,
    }


if __name__ == "__main__":
    main()
