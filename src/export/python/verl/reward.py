"""verl's reward function for what pivottrace exported: the label, or the majority frozen at export, against the response.

Named by reward.custom_reward_function.path (custom_reward_function.path up to verl 0.7.0). One response at a time: the
majority of its own group is group_majority.py's affair.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from pivottrace_answers import Settings, judge

DATA_SOURCE = "pivottrace"
SETTINGS = Settings.load()


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: dict[str, Any] | None = None, **_: Any
) -> dict[str, float]:
    """The weighted score and whether the response is right (1.0 or 0.0). ValueError for a row that is not ours."""
    if data_source != DATA_SOURCE or extra_info is None:
        raise ValueError(f"a row of {DATA_SOURCE!r} with extra_info is wanted, found {data_source!r}")
    if extra_info["label"] == "group" and ground_truth == "":
        raise ValueError(f"row {extra_info['id']!r} has no frozen majority: start with VOTES=live, or export with --votes frozen")
    acc = float(judge(solution_str, ground_truth, SETTINGS.of(extra_info["source"])) is True)
    return {"score": acc * float(extra_info["weight"]), "acc": acc}
