"""OpenRLHF's reward function for what pivottrace exported: the label, or the majority frozen at export.

Named by --reward.remote_url. OpenRLHF passes one response at a time and nothing of its row but the label, which is JSON
with all that is needed; the majority of a group cannot be counted here.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))

from pivottrace_answers import Settings, judge

SETTINGS = Settings.load()

_SPECIAL = re.compile(r"(?:<\|?[A-Za-z0-9_/|]{1,40}\|?>\s*)+\Z")


def reward_func(queries: list[str], prompts: list[str], labels: list[str], **_: Any) -> dict[str, Any]:
    """Rewards of queries (prompt and response in one text), and whether each is right."""
    rows = [json.loads(label) for label in labels]
    texts = [response_of(query, prompt) for query, prompt in zip(queries, prompts, strict=True)]
    acc = [float(judge(text, row["answer"], SETTINGS.of(row["source"])) is True) for text, row in zip(texts, rows, strict=True)]
    weights = torch.tensor([float(row["weight"]) for row in rows])
    scores = torch.tensor(acc)
    return {"rewards": scores * weights, "scores": scores, "extra_logs": {"acc": scores}}


def response_of(query: str, prompt: str) -> str:
    """What stands behind the prompt; a tokenizer may not give back the blanks of the prompt, its end is found then."""
    if query.startswith(prompt):
        rest = query[len(prompt) :]
    else:
        end = prompt[-64:]
        at = query.find(end, max(0, len(prompt) - len(end) - 256))
        rest = query[at + len(end) :] if end and at >= 0 else query[len(prompt) :]
    return _SPECIAL.sub("", rest)
