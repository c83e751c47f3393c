"""Has TRL's GRPOTrainer train two steps on our export with our rewards, on the CPU. Called by check.ts."""

import json
import math
import subprocess
import sys
from pathlib import Path

from points import checked, require, tell

try:
    import torch
    import trl  # noqa: F401
    from datasets import load_dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
except ImportError as error:
    print(f"trl with torch: {error}", file=sys.stderr)
    sys.exit(3)


def check_rewards(folder, live):
    """Rewards of responses whose verdict is known, as TRL passes them: a batch of groups with the columns repeated."""
    rows = list(load_dataset("parquet", data_files=str(folder / "train.parquet"))["train"])
    require(len(rows) == (22 if live else 20), f"{len(rows)} rows in {folder.name}")
    sys.path.insert(0, str(folder))
    import reward

    texts = ["the answer is {}", "so it is {}.", "{}", "the answer is 123456789"]
    batch = [(row, text) for row in rows for text in texts]
    gold = [row["answer"] if row["answer"] is not None else "17" for row, _ in batch]
    said = [text.format(answer) for (_, text), answer in zip(batch, gold, strict=True)]
    hostile = [row["source"] == "hostile" for row, _ in batch]
    said = [answer if odd and "123456789" not in text else text for odd, answer, text in zip(hostile, gold, said, strict=True)]
    completions = [[{"role": "assistant", "content": text}] for text in said]
    columns = {key: [row[key] for row, _ in batch] for key in rows[0] if key != "prompt"}
    function = reward.group_reward if live else reward.frozen_reward
    got = function([row["prompt"] for row, _ in batch], completions, [[1]] * len(batch), trainer_state=None, **columns)
    for (row, text), value, answer in zip(batch, got, said, strict=True):
        wanted = 0 if "123456789" in text else row["weight"]
        require(value == wanted, f"{value} for {answer!r} in {row}")
    del sys.modules["reward"]
    sys.path.remove(str(folder))
    checked.append(f"{len(got)} rewards of {function.__name__}")


def check_training(folder, model):
    """launch.sh for two steps; what it saved loads again and is another model."""
    output = folder / "out"
    arguments = ["--output", str(output), "max_steps=2", "use_cpu=true", "eval_strategy=no", "learning_rate=1e-4"]
    run = subprocess.run(["bash", folder / "launch.sh", *arguments], capture_output=True, text=True, check=False)
    require(run.returncode == 0, f"launch.sh ended with {run.returncode}:\n{run.stderr[-3000:]}")
    state = json.loads((output / "checkpoint-2" / "trainer_state.json").read_text(encoding="utf-8"))
    steps = [entry for entry in state["log_history"] if "reward" in entry]
    require(len(steps) == 2, f"steps {state['log_history']}")
    require(all(math.isfinite(step["reward"]) and math.isfinite(step["grad_norm"]) for step in steps), f"{steps}")
    require(any(step["reward"] > 0 for step in steps), f"no response was rewarded: {steps}")
    AutoTokenizer.from_pretrained(output / "final")
    before, after = (AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32) for path in (model, output / "final"))
    moved = max((a - b).abs().max().item() for a, b in zip(before.parameters(), after.parameters(), strict=True))
    require(moved > 0, "the model did not move")
    checked.append(f"GRPOTrainer made 2 steps (rewards {', '.join(str(step['reward']) for step in steps)})")


def main():
    """Check the folders that were named: frozen votes, live votes."""
    model, frozen, live = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    check_rewards(frozen, False)
    check_rewards(live, True)
    check_training(live, model)
    tell("trl", "transformers")


main()
