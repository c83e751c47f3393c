"""Rewards for TRL's GRPOTrainer: the label where there is one, else the majority, frozen at export or of the group itself.

Both functions take what TRL passes, the whole batch with the columns of train.parquet, and give one reward per completion:
the weight of the prompt where it is right, 0 where it is wrong, None where nothing can be said (TRL leaves it out).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from pivottrace_answers import Settings, judge, majority

SETTINGS = Settings.load()


def frozen_reward(
    prompts: Sequence[Any],
    completions: Sequence[Any],
    completion_ids: Sequence[Any],
    *,
    answer: Sequence[str | None],
    source: Sequence[str],
    weight: Sequence[float],
    **_: Any,
) -> list[float | None]:
    """Every completion against the label or the majority frozen at export."""
    rows = zip(completions, answer, source, weight, strict=True)
    return [_judged(text_of(completion), gold, origin, share) for completion, gold, origin, share in rows]


def group_reward(
    prompts: Sequence[Any],
    completions: Sequence[Any],
    completion_ids: Sequence[Any],
    *,
    id: Sequence[str],
    answer: Sequence[str | None],
    source: Sequence[str],
    labeled: Sequence[bool],
    weight: Sequence[float],
    **_: Any,
) -> list[float | None]:
    """Labels as in frozen_reward; prompts without one by the majority of their group, whose completions are neighbours."""
    rewards: list[float | None] = []
    for _, members in groupby(range(len(completions)), key=lambda at: id[at]):
        group = list(members)
        first = group[0]
        texts = [text_of(completions[at]) for at in group]
        if labeled[first]:
            rewards += [_judged(text, answer[first], source[first], weight[first]) for text in texts]
        else:
            rewards += _agreement(texts, source[first], weight[first])
    return rewards


def _agreement(texts: list[str], source: str, weight: float) -> list[float | None]:
    vote = majority(texts, SETTINGS.of(source), SETTINGS)
    if vote.winner is None:
        return [None] * len(texts)
    return [weight * float(index == vote.winner) for index in vote.classes]


def _judged(text: str, gold: str | None, source: str, weight: float) -> float | None:
    if gold is None:
        return None
    verdict = judge(text, gold, SETTINGS.of(source))
    if verdict is None and SETTINGS.undecided == "drop":
        return None
    return weight * float(verdict is True)


def text_of(completion: Any) -> str:
    """The text of a completion: itself, or what the assistant says in it."""
    if isinstance(completion, str):
        return completion
    return "\n".join(str(message.get("content") or "") for message in completion if message.get("role") == "assistant")
