"""The fused way to the attention signals: Triton kernels that keep rows in registers. Needs a GPU (or the interpreter).

Three passes, each O(N) in memory per head: the log of each row's normaliser; the sums of each row; what each key
received. The last goes key block by key block, so that no two programs add to one number: the result does not depend on
the order in which they run.
"""

from __future__ import annotations

import importlib.util
import os

import torch
from torch import Tensor

from pivottrace_ray.signals import mean_distance, mean_received
from pivottrace_ray.spec import SignalSettings

BLOCK_Q = 64
BLOCK_K = 64
FAR, DISTANCE, MASS, ENTROPY, CHANGE = range(5)
"""Rows of the sums that a pass over the keys makes."""


def available() -> bool:
    """Whether Triton is installed."""
    return importlib.util.find_spec("triton") is not None


_given_up = False


def usable() -> bool:
    """Whether the kernels can be tried: Triton is installed, and they have not failed in this process."""
    return available() and not _given_up


def give_up(error: Exception) -> None:
    """Do without the kernels for the rest of the process, and say so once."""
    global _given_up
    _given_up = True
    print(f"The fused kernel is not used: {type(error).__name__}: {str(error)[:300]}", flush=True)


def interpreted() -> bool:
    """Whether kernels run in Triton's interpreter, on the CPU."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def fused_signals(
    query: Tensor, key: Tensor, prompt_length: int, scale: float, settings: SignalSettings
) -> dict[str, Tensor]:
    """As ``attention_signals``, with the same arguments and result."""
    from pivottrace_ray import kernel_source as source

    heads, total, width = query.shape
    tokens = total - prompt_length
    query, key = query.contiguous(), key.contiguous()
    shape = {
        "group": heads // key.shape[0],
        "total": total,
        "scale": scale,
        "WIDTH": width,
        # The tensor cores and the interpreter want powers of two of at least 16.
        "PADDED": max(16, 1 << (width - 1).bit_length()),
        "BLOCK_Q": BLOCK_Q,
        "BLOCK_K": BLOCK_K,
        # TF32 would round scores by 1e-3; the signals are compared across engines.
        "PRECISION": "ieee",
    }
    # One row before the response too: the first response token changes from it.
    first = prompt_length - 1
    lse = torch.empty(heads, total - first, dtype=torch.float32, device=query.device)
    source.normalisers[(_blocks(total - first, BLOCK_Q), heads)](query, key, lse, first=first, **shape)
    sums = torch.empty(5, heads, tokens, dtype=torch.float32, device=query.device)
    source.row_sums[(_blocks(tokens, BLOCK_Q), heads)](
        query,
        key,
        lse,
        sums,
        start=prompt_length,
        delta=settings.delta,
        window=settings.window,
        sinks=settings.sinks,
        heads=heads,
        WITH_CHANGE="change" in settings.signals,
        **shape,
    )
    values = {
        "far_mass": sums[FAR],
        "distance": mean_distance(sums[DISTANCE], sums[MASS]),
        "entropy": sums[ENTROPY] / torch.log(torch.arange(prompt_length, total, device=query.device) + 1.0),
        "change": sums[CHANGE],
    }
    if "received" in settings.signals:
        got = torch.empty(heads, tokens, dtype=torch.float32, device=query.device)
        source.key_sums[(_blocks(tokens, BLOCK_K), heads)](
            query, key, lse, got, start=prompt_length, delta=settings.delta, **shape
        )
        values["received"] = mean_received(got, settings.delta)
    return {name: values[name] for name in settings.signals}


def _blocks(count: int, size: int) -> int:
    return -(-count // size)
