"""Rewards prompts without a label by the majority of their own group while verl trains; labels go to reward.py as ever.

Two managers, for what verl's versions allow:

- GroupMajorityBatch: verl 0.7.0 with reward_model.use_reward_loop=false, where a reward manager sees the whole batch;
- GroupMajority: verl 0.7.1 to 0.9.1, where a reward worker is given one response at a time. It holds the responses of a
  group back until all rollout.n are there, which takes a single worker (reward.num_workers=1) and a batch that it can hold.

Both refuse to start where they cannot work. A group without a usable majority scores 0 throughout: no gradient.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

from verl import DataProto

sys.path.insert(0, str(Path(__file__).resolve().parent))

from pivottrace_answers import Settings, majority

try:
    from verl.workers.reward_manager.abstract import AbstractRewardManager
except ImportError:  # verl after 0.9
    AbstractRewardManager = object

logger = logging.getLogger(__name__)

SETTINGS = Settings.load()

WAIT_SECONDS = float(os.environ.get("PIVOTTRACE_GROUP_SECONDS", "1800"))
"""A group that is not whole by then (a response failed) scores 0."""

MOST_HELD = 1000
"""Calls that Ray lets run at once in one asynchronous actor."""


def group_rewards(responses: list[str], source: str, weight: float) -> list[dict[str, float]]:
    """Score and agreement per response: 1 times the weight in the majority class, 0 elsewhere and without a majority."""
    vote = majority(responses, SETTINGS.of(source), SETTINGS)
    hits = [float(vote.winner is not None and index == vote.winner) for index in vote.classes]
    return [{"score": weight * hit, "acc": hit} for hit in hits]


def _response(tokenizer: Any, item: Any) -> tuple[str, int]:
    """The text of a response and how many tokens it has."""
    ids = item.batch["responses"]
    length = int(item.batch["attention_mask"][-ids.shape[-1] :].sum())
    return tokenizer.decode(ids[:length], skip_special_tokens=True), length


class GroupMajority(RewardManagerBase):
    """For reward workers that see one response at a time (verl 0.7.1 to 0.9.1)."""

    def __init__(self, config: Any, tokenizer: Any, compute_score: Any, *_: Any, **__: Any) -> None:
        """RuntimeError where groups would be spread over workers or not fit into one."""
        super().__init__(config, tokenizer, compute_score)
        self.compute_score = compute_score
        self.size = int(config.actor_rollout_ref.rollout.n)
        self.groups: dict[str, list[tuple[str, asyncio.Future[dict[str, float]]]]] = defaultdict(list)
        held = int(config.data.get("gen_batch_size") or config.data.train_batch_size) * self.size
        if int(config.reward.num_workers) != 1:
            raise RuntimeError("group majorities need all responses in one worker: set reward.num_workers=1")
        if held > MOST_HELD:
            raise RuntimeError(f"{held} responses in a batch, at most {MOST_HELD} can wait for their groups: lower data.train_batch_size")

    async def run_single(self, data: DataProto) -> dict[str, Any]:
        """The reward of one response, once its group is whole."""
        item = data[-1:][0]
        loop = asyncio.get_running_loop()
        text, _ = await loop.run_in_executor(None, _response, self.tokenizer, item)
        fields = item.non_tensor_batch
        extra = fields["extra_info"]
        if extra["labeled"]:
            result = await loop.run_in_executor(None, lambda: self._labelled(fields, text))
        else:
            result = await self._voted(str(fields["uid"]), text, extra)
        return {"reward_score": result["score"], "reward_extra_info": result}

    def _labelled(self, fields: Any, text: str) -> dict[str, float]:
        truth = fields["reward_model"]["ground_truth"]
        return self.compute_score(data_source=fields["data_source"], solution_str=text, ground_truth=truth, extra_info=fields["extra_info"])

    async def _voted(self, uid: str, text: str, extra: Any) -> dict[str, float]:
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[dict[str, float]] = loop.create_future()
        group = self.groups[uid]
        group.append((text, mine))
        if len(group) == self.size:
            del self.groups[uid]
            source, weight = extra["source"], float(extra["weight"])
            rewards = await loop.run_in_executor(None, group_rewards, [one for one, _ in group], source, weight)
            for (_, future), reward in zip(group, rewards, strict=True):
                if not future.done():
                    future.set_result(reward)
        try:
            return await asyncio.wait_for(mine, WAIT_SECONDS)
        except asyncio.TimeoutError:
            self.groups.pop(uid, None)
            logger.warning("group %s was not whole after %s seconds: it scores 0", uid, WAIT_SECONDS)
            return {"score": 0.0, "acc": 0.0}


class GroupMajorityBatch(AbstractRewardManager):
    """For the reward manager that sees the whole batch (verl 0.7.0 without its reward loop)."""

    def __init__(self, tokenizer: Any, num_examine: int, compute_score: Any, reward_fn_key: str = "data_source", **_: Any) -> None:
        """`num_examine` responses are not printed here: they are hostile text."""
        self.tokenizer = tokenizer
        self.compute_score = compute_score
        self.reward_fn_key = reward_fn_key

    def __call__(self, data: DataProto, return_dict: bool = False) -> Any:
        """The reward at the last token of every response. [B, T]"""
        rewards = torch.zeros_like(data.batch["responses"], dtype=torch.float32)
        results: list[dict[str, float]] = [{"score": 0.0, "acc": 0.0}] * len(data)
        groups: dict[str, list[int]] = defaultdict(list)
        read = [_response(self.tokenizer, data[at]) for at in range(len(data))]
        for at in range(len(data)):
            fields = data[at].non_tensor_batch
            if fields["extra_info"]["labeled"]:
                results[at] = self.compute_score(
                    data_source=fields[self.reward_fn_key],
                    solution_str=read[at][0],
                    ground_truth=fields["reward_model"]["ground_truth"],
                    extra_info=fields["extra_info"],
                )
            else:
                groups[str(fields["uid"])].append(at)
        for members in groups.values():
            extra = data[members[0]].non_tensor_batch["extra_info"]
            scored = group_rewards([read[at][0] for at in members], extra["source"], float(extra["weight"]))
            for at, result in zip(members, scored, strict=True):
                results[at] = result
        for at, result in enumerate(results):
            rewards[at, max(0, read[at][1] - 1)] = result["score"]
        if not return_dict:
            return rewards
        extra_info = {key: [result[key] for result in results] for key in ("score", "acc")}
        return {"reward_tensor": rewards, "reward_extra_info": extra_info}
