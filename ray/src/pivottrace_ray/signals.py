"""Attention signals from queries and keys, in blocks of queries: no N x N matrix is ever made.

Definitions as in src/trace/reference.ts. Per head and response token a few numbers are kept, so that memory is O(N) per
head beside one block of rows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pivottrace_ray.spec import SignalSettings

BLOCK_NUMBERS = 1 << 23
"""Attention probabilities that are in memory at a time (32 MB in float32), over all heads of one layer."""

MOST_QUERIES = 256
"""Queries in a block at most."""

MIN_MASS = 1e-6
"""Below this share of attention outside the sinks the mean distance is 0: there is nothing to average."""


def attention_signals(
    query: Tensor,
    key: Tensor,
    prompt_length: int,
    scale: float,
    settings: SignalSettings,
    fused: bool | None = None,
) -> dict[str, Tensor]:
    """Signals of the response queries of one layer.

    ``query`` [H, N, D] and ``key`` [H or a divisor of it, N, D] are those after the rotation, of any float dtype; each
    key head serves as many successive query heads as there are to one. ``prompt_length`` is 1..N-1. The result has
    per signal float32 [H, N - prompt_length]; ``received`` is NaN where no query is more than delta behind the key.
    ``fused`` forces or forbids the Triton kernel; None takes it on a GPU where it can be built.
    """
    heads, total, _ = query.shape
    if not 1 <= prompt_length < total:
        raise ValueError(f"a text of {prompt_length} + {total - prompt_length} tokens")
    if heads % key.shape[0] != 0:
        raise ValueError(f"{heads} query heads for {key.shape[0]} key heads")
    from pivottrace_ray import kernel

    if fused is None and query.is_cuda and kernel.usable():
        try:
            return kernel.fused_signals(query, key, prompt_length, scale, settings)
        except Exception as error:
            # A GPU or a Triton that cannot build it: the blocked code gives the same numbers, later.
            kernel.give_up(error)
    elif fused:
        return kernel.fused_signals(query, key, prompt_length, scale, settings)
    key = key.repeat_interleave(heads // key.shape[0], dim=0)
    return _blocked(query.float() * scale, key.float(), prompt_length, settings)


def _blocked(query: Tensor, key: Tensor, start: int, settings: SignalSettings) -> dict[str, Tensor]:
    """Go through the queries in blocks; ``query`` is scaled, both are float32 [H, N, D]."""
    heads, total, _ = query.shape
    wanted = set(settings.signals)
    out = {name: query.new_empty(heads, total - start) for name in settings.signals if name != "received"}
    received = query.new_zeros(heads, total) if "received" in wanted else None
    lead = 1 if "change" in wanted else 0
    size = max(8, min(MOST_QUERIES, BLOCK_NUMBERS // (heads * total)))
    for begin in range(start, total, size):
        end = min(begin + size, total)
        # One row before the block, for its change to the block's first.
        rows = torch.arange(begin - lead, end, device=query.device)
        p = _probabilities(query, key, rows)
        if lead == 1:
            out["change"][:, begin - start : end - start] = (p[:, 1:] - p[:, :-1]).abs_().sum(-1).mul_(0.5)
            p, rows = p[:, 1:], rows[1:]
        for name, values in _weighted(p, rows, settings).items():
            out[name][:, begin - start : end - start] = values
        if "entropy" in wanted:
            nats = torch.special.entr(p).sum(-1)
            out["entropy"][:, begin - start : end - start] = nats / torch.log(rows + 1.0)
        if received is not None:
            back = rows[:, None] - torch.arange(end, device=p.device)
            received[:, :end] += torch.einsum("hqk,qk->hk", p, (back > settings.delta).to(p.dtype))
    if received is not None:
        out["received"] = mean_received(received[:, start:], settings.delta)
    return out


def _probabilities(query: Tensor, key: Tensor, rows: Tensor) -> Tensor:
    """Attention of the queries ``rows``, [H, rows, keys up to the last row], 0 behind each query."""
    end = int(rows[-1]) + 1
    scores = query[:, rows] @ key[:, :end].transpose(1, 2)
    future = torch.arange(end, device=rows.device) > rows[:, None]
    return torch.softmax(scores.masked_fill_(future, float("-inf")), dim=-1)


def _weighted(p: Tensor, rows: Tensor, settings: SignalSettings) -> dict[str, Tensor]:
    """Far mass and mean distance, [H, rows]: sums of the rows with weights that depend on (query, key) alone."""
    wanted = [name for name in ("far_mass", "distance") if name in settings.signals]
    if not wanted:
        return {}
    keys = torch.arange(p.shape[-1], device=p.device)
    back = rows[:, None] - keys
    counted = (keys >= settings.sinks).to(p.dtype).expand_as(back)
    far = (back > settings.delta) * counted
    distance = back.clamp(max=settings.window) * counted
    # [rows, H, keys] x [rows, keys, 3]: one product for all three.
    sums = torch.bmm(p.transpose(0, 1), torch.stack([far, distance, counted], dim=-1))
    far_mass, total, mass = sums.permute(2, 1, 0)
    values = {"far_mass": far_mass, "distance": mean_distance(total, mass)}
    return {name: values[name] for name in wanted}


def mean_distance(total: Tensor, mass: Tensor) -> Tensor:
    """Weighted distances over the mass outside the sinks; 0 where there is next to none."""
    return torch.where(mass < MIN_MASS, torch.zeros_like(total), total / mass.clamp(min=MIN_MASS))


def mean_received(sums: Tensor, delta: int) -> Tensor:
    """Mean attention that each response key got from the queries more than ``delta`` behind it; NaN without one.

    ``sums`` and the result are [H, response tokens].
    """
    tokens = sums.shape[-1]
    queries = tokens - 1 - delta - torch.arange(tokens, device=sums.device)
    return torch.where(queries > 0, sums / queries.clamp(min=1), torch.full_like(sums, float("nan")))
