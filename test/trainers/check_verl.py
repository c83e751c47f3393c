"""Has verl compose our settings, read our Parquet with its own dataset class and call our rewards. Called by check.ts.

verl 0.7.1 to 0.9.1 and 0.7.0: what differs between them is told apart by the version. Nothing of verl is replaced; its
trainer itself needs GPUs and is not started.
"""

import asyncio
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from points import checked, require, tell

try:
    import numpy as np
    import torch
    import yaml
    from hydra import compose, initialize_config_dir, initialize_config_module
    from hydra.errors import ConfigCompositionException
    from omegaconf import OmegaConf
    from tensordict import TensorDict
    from transformers import AutoTokenizer
    from verl import DataProto
    from verl.trainer.ppo.reward import get_custom_reward_fn, load_reward_manager
    from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn
except ImportError as error:
    print(f"verl with what its dataset and rewards import: {error}", file=sys.stderr)
    sys.exit(3)

OLD = version("verl").startswith(("0.5.", "0.6.", "0.7.0"))


def arguments_of(folder, **environment):
    """What launch.sh would give to verl."""
    found = {**os.environ, "DRY_RUN": "1", **environment}
    run = subprocess.run(["bash", folder / "launch.sh"], env=found, capture_output=True, text=True, check=False)
    require(run.returncode == 0, f"launch.sh: {run.stderr}")
    return run.stdout.splitlines()


def config_of(folder, arguments):
    """Our settings on top of verl's, as its entry point composes them."""
    with initialize_config_dir(str(folder), version_base=None):
        return compose("config", overrides=arguments)


def check_keys(folder):
    """Hydra takes keys that nobody reads without a word: every one of ours must be verl's."""
    with initialize_config_module("verl.trainer.config", version_base=None):
        known = OmegaConf.to_container(compose("ppo_trainer"), resolve=False)
    ours = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    count = 0

    def walk(value, parent, path):
        nonlocal count
        for key, inner in value.items():
            name = f"{path}.{key}" if path else key
            require(key in parent, f"verl {version('verl')} has no key {name}")
            if isinstance(inner, dict):
                walk(inner, parent[key], name)
                continue
            if isinstance(parent[key], float | int) and not isinstance(parent[key], bool):
                require(isinstance(inner, float | int), f"{name} is {inner!r}, no number")
            count += 1

    walk({key: value for key, value in ours.items() if key not in ("hydra", "defaults")}, known, "")
    checked.append(f"{count} keys of config.yaml are verl's")


def check_dataset(folder, config, tokenizer):
    """RLHFDataset, with real nested types."""
    data = RLHFDataset(str(folder / "train.parquet"), tokenizer, config.data)
    features = data.dataframe.features
    require(features["extra_info"]["index"].dtype == "int64", f"{features}")
    require(features["extra_info"]["labeled"].dtype == "bool", f"{features}")
    for at in range(len(data)):
        row = data[at]
        require(isinstance(row["reward_model"]["ground_truth"], str), f"{row}")
        require(row["raw_prompt"][0]["role"] == "user" if "raw_prompt" in row else True, f"{row}")
    checked.append(f"RLHFDataset gives {len(data)} rows")
    return data


def check_function(config, data):
    """The reward loader calls our function."""
    function = get_custom_reward_fn(config)
    require(function is not None, "verl did not find the reward function")
    for row in data.dataframe:
        extra, gold = row["extra_info"], row["reward_model"]["ground_truth"]
        hostile = extra["source"] == "hostile"
        for text, right in ((gold if hostile else f"the answer is {gold}", True), ("the answer is 123456789", False)):
            got = function(row["data_source"], text, gold, extra_info=extra)
            wanted = {"score": extra["weight"] if right else 0.0, "acc": float(right)}
            require(got == wanted, f"{got} for {text!r} in {row}")
    checked.append("get_custom_reward_fn calls compute_score on every row")


def check_key_trap(folder, arguments, tokenizer, row):
    """With the reward function under the key of another version nothing may be rewarded."""
    ours, other = ("custom_reward_function", "reward.custom_reward_function") if OLD else ("reward.custom_reward_function", "custom_reward_function")
    require(any(one.startswith(f"{ours}.path=") for one in arguments), f"launch.sh gives {arguments}")
    wrong = [one.replace(f"{ours}.", f"{other}.", 1) if one.startswith(f"{ours}.") else one for one in arguments]
    try:
        config = config_of(folder, wrong)
    except ConfigCompositionException:
        checked.append(f"{other} is refused")
        return
    require(get_custom_reward_fn(config) is None, f"{other} is read: launch.sh need not tell versions apart")
    manager = load_reward_manager(config, tokenizer, **({"num_examine": 0} if OLD else {}))
    try:
        manager.compute_score(row["data_source"], "the answer is 1", "1", extra_info=row["extra_info"])
    except NotImplementedError:
        checked.append(f"a function under {other} is ignored by verl, and our data source stops the run")
        return
    raise SystemExit("wrong: verl rewards our rows by rules of its own")


def batch_of(tokenizer, rows, texts):
    """Rows and responses as verl holds them: left-padded prompts, right-padded responses."""
    pad = tokenizer.pad_token_id
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    length = max(map(len, ids))
    responses = torch.tensor([one + [pad] * (length - len(one)) for one in ids])
    prompts = torch.full((len(ids), 4), 5)
    mask = torch.tensor([[1] * (4 + len(one)) + [0] * (length - len(one)) for one in ids])
    batch = TensorDict({"prompts": prompts, "responses": responses, "attention_mask": mask}, batch_size=len(ids))
    fields = collate_fn([{key: row[key] for key in ("data_source", "reward_model", "extra_info")} for row in rows])
    fields["uid"] = np.array([row["extra_info"]["id"] for row in rows], dtype=object)
    return DataProto(batch=batch, non_tensor_batch=fields)


def check_managers(folder, live, tokenizer, data):
    """verl's own manager with our function, and our hook for the votes of groups."""
    rows = {row["extra_info"]["label"]: row for row in data.dataframe if row["extra_info"]["source"] != "hostile"}
    # The words are those that the bundled tokenizer knows.
    texts = ["answer is 17", "17", "is 17.", "answer is 18"]
    gold = rows["verified"]["reward_model"]["ground_truth"]
    labelled = batch_of(tokenizer, [rows["verified"]] * 2, [f"the answer is {gold}", "the answer is 123456789"])
    voting = batch_of(tokenizer, [rows["majority"]] * 4, texts)
    weight = rows["majority"]["extra_info"]["weight"]
    usual = rewards_by(config_of(folder, arguments_of(folder)), tokenizer, labelled)
    require(usual == [1.0, 0.0], f"verl's manager gives {usual}")
    config = config_of(live, arguments_of(live, VOTES="live"))
    for name, batch, wanted in (("labels", labelled, [1.0, 0.0]), ("votes", voting, [weight] * 3 + [0.0])):
        got = rewards_by(config, tokenizer, batch)
        require(got == wanted, f"{name} by group_majority.py: {got}")
    checked.append("reward managers: verl's own with reward.py, ours with the votes of a group")
    if not OLD:
        config.reward.num_workers = 8
        try:
            load_reward_manager(config, tokenizer)
        except RuntimeError:
            checked.append("group_majority.py refuses several workers")
            return
        raise SystemExit("wrong: group_majority.py starts with several workers")


def rewards_by(config, tokenizer, batch):
    """The rewards of a batch, by the manager that the settings name."""
    if OLD:
        manager = load_reward_manager(config, tokenizer, num_examine=0)
        result = manager(batch, return_dict=True)
        require(len(result["reward_extra_info"]["acc"]) == len(batch), f"{result}")
        return result["reward_tensor"].sum(dim=-1).tolist()
    manager = load_reward_manager(config, tokenizer)

    async def all_at_once():
        manager.loop = asyncio.get_running_loop()
        return await asyncio.gather(*(manager.run_single(batch[at : at + 1]) for at in range(len(batch))))

    results = asyncio.run(all_at_once())
    require(all("acc" in one["reward_extra_info"] for one in results), f"{results}")
    return [one["reward_score"] for one in results]


def main():
    """Check the folders that were named: frozen votes, live votes."""
    model, frozen, live = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    tokenizer = AutoTokenizer.from_pretrained(model)
    arguments = arguments_of(frozen)
    config = config_of(frozen, arguments)
    check_keys(frozen)
    data = check_dataset(frozen, config, tokenizer)
    check_function(config, data)
    check_key_trap(frozen, arguments, tokenizer, data.dataframe[0])
    check_managers(frozen, live, tokenizer, data)
    tell("verl", "transformers")


main()
