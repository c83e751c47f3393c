"""Has OpenRLHF read our rows with its own dataset class and call our reward function. Called by check.ts."""

import ast
import asyncio
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

from points import checked, require, tell

try:
    import torch
    from openrlhf.datasets.prompts_dataset import PromptDataset
    from openrlhf.datasets.utils import blending_datasets
    from openrlhf.utils.agent import SingleTurnAgentExecutor
    from transformers import AutoTokenizer
except ImportError as error:
    print(f"openrlhf 0.11 with what its datasets and agents import: {error}", file=sys.stderr)
    sys.exit(3)


def dataset_of(folder, model):
    """train.parquet as OpenRLHF's dataset."""
    data = SimpleNamespace(input_key="input", label_key="label", apply_chat_template=True, image_key="images")
    strategy = SimpleNamespace(args=SimpleNamespace(data=data, use_ms=False), is_rank_0=lambda: True, print=print)
    rows = blending_datasets(str(folder / "train.parquet"), None, strategy, dataset_split="train")
    return PromptDataset(rows, AutoTokenizer.from_pretrained(model), strategy)


def check_rewards(folder, dataset):
    """The reward path of its executor, with right and wrong responses."""
    executor = SingleTurnAgentExecutor([str(folder / "reward.py")])
    require(executor.reward_func is not None, "the reward function was not imported")
    seen = {"verified": 0, "majority": 0}
    for at in range(len(dataset)):
        _, prompt, label, _ = dataset[at]
        row = json.loads(label)
        seen[row["label"]] += 1
        for text, right in ((f"so the answer is {row['answer']}", True), ("the answer is 123456789", False)):
            if row["source"] == "hostile":
                text = row["answer"] if right else "something else"
            replies = asyncio.run(executor._fetch_rewards_via_func([f"{prompt}{text}<eos>"], [prompt], [label]))
            reward = torch.as_tensor(replies[0]["rewards"]).item()
            require(reward == (row["weight"] if right else 0), f"reward {reward} of {text!r} for {label}")
    require(seen == {"verified": 11, "majority": 8}, f"rows {seen}")
    checked.append(f"PromptDataset gives {len(dataset)} rows, its executor calls reward_func on each")


def check_flags(folder):
    """Every flag of launch.sh is one that train_ppo_ray knows."""
    environment = {**os.environ, "DRY_RUN": "1"}
    script = subprocess.run(["bash", folder / "launch.sh"], env=environment, capture_output=True, text=True, check=True)
    flags = {line for line in script.stdout.splitlines() if line.startswith("--")}
    source = Path(find_spec("openrlhf").origin).parent / "cli" / "train_ppo_ray.py"
    known = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument"):
            continue
        first = node.args[0]
        if isinstance(first, ast.Constant):
            known.add(first.value)
        else:
            suffix = first.values[-1].value
            known |= {f"--{prefix}{suffix}" for prefix in ("actor", "critic")}
    require(flags <= known, f"unknown flags {sorted(flags - known)}")
    checked.append(f"{len(flags)} flags of launch.sh are train_ppo_ray's")


def main():
    """Check the folder that was named."""
    model, folder = sys.argv[1], Path(sys.argv[2])
    dataset = dataset_of(folder, model)
    check_rewards(folder, dataset)
    check_flags(folder)
    tell("openrlhf")


main()
