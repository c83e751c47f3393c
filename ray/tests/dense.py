"""The signals by definition, from whole attention matrices in float64: what the faster ways must equal."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pivottrace_ray.spec import SignalSettings


def dense_signals(
    query: Tensor, key: Tensor, prompt_length: int, scale: float, settings: SignalSettings
) -> dict[str, Tensor]:
    """As ``attention_signals``; loops over rows, as src/trace/reference.ts does."""
    heads, total, _ = query.shape
    key = key.repeat_interleave(heads // key.shape[0], dim=0).double()
    scores = query.double() @ key.transpose(1, 2) * scale
    mask = torch.ones(total, total).triu(1).bool()
    attention = torch.softmax(scores.masked_fill(mask, float("-inf")), dim=-1)
    rows: dict[str, list[Tensor]] = {name: [] for name in settings.signals}
    for t in range(prompt_length, total):
        row = attention[:, t]
        values = {
            "far_mass": row[:, settings.sinks : max(settings.sinks, t - settings.delta)].sum(-1),
            "distance": _distance(row, t, settings),
            "entropy": -(row[:, : t + 1] * row[:, : t + 1].log()).nan_to_num(0).sum(-1) / math.log(t + 1),
            "change": (row - attention[:, t - 1]).abs().sum(-1) / 2,
            "received": attention[:, t + settings.delta + 1 :, t].mean(-1),
        }
        for name in rows:
            rows[name].append(values[name])
    return {name: torch.stack(values, dim=1) for name, values in rows.items()}


def _distance(row: Tensor, t: int, settings: SignalSettings) -> Tensor:
    seen = row[:, settings.sinks : t + 1]
    back = (t - torch.arange(settings.sinks, t + 1)).clamp(max=settings.window)
    mass = seen.sum(-1)
    return torch.where(mass < 1e-6, torch.zeros_like(mass), (seen * back).sum(-1) / mass)
