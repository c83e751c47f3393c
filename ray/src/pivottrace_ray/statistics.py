"""Log-probability, entropy and self-certainty of response tokens, a block of positions at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

ROWS = 128
"""Positions whose logits are in memory at a time."""


@dataclass(frozen=True)
class TokenStatistics:
    """Per response token, float32: ln p, entropy in nats, and KL(U || p) in nats (higher is more certain)."""

    logprobs: Tensor
    entropies: Tensor
    self_certainty: Tensor


def token_statistics(
    hidden: Tensor, head: Callable[[Tensor], Tensor], targets: Tensor, temperature: float
) -> TokenStatistics:
    """Statistics of ``targets`` [T] from the final hidden states [T, width] of the positions before them.

    The distribution is that of ``head``'s logits over ``temperature``; 0 (greedy) counts as 1.
    """
    scale = temperature if temperature > 0 else 1.0
    parts = []
    for at in range(0, len(targets), ROWS):
        logits = head(hidden[at : at + ROWS]).float() / scale
        logs = torch.log_softmax(logits, dim=-1)
        parts.append(
            torch.stack(
                [
                    logs.gather(1, targets[at : at + ROWS, None])[:, 0],
                    -(logs.exp() * logs).sum(-1),
                    -logs.mean(-1) - math.log(logs.shape[-1]),
                ]
            )
        )
    logprobs, entropies, self_certainty = torch.cat(parts, dim=1)
    return TokenStatistics(logprobs, entropies, self_certainty)
