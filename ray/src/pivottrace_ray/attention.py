"""Sees the queries and keys of every attention layer of a transformers model, after the rotation.

Models call attention through a registry; what is registered here computes signals where someone asked for them, and
then attends as transformers' own SDPA does. No attention matrix is asked of the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from pivottrace_ray.signals import attention_signals
from pivottrace_ray.spec import Head, SignalSettings

NAME = "pivottrace"
"""What a model is told to attend with: ``attn_implementation=NAME``, after ``register``."""


class Recorder:
    """Signals of the heads that are traced, layer by layer, as one text goes through the model."""

    def __init__(
        self, heads: Sequence[Head], prompt_length: int, settings: SignalSettings, fused: bool | None = None
    ) -> None:
        self.heads = tuple(sorted(heads))
        self.prompt_length = prompt_length
        self.settings = settings
        self._fused = fused
        self._by_layer: dict[int, list[int]] = {}
        for layer, head in self.heads:
            self._by_layer.setdefault(layer, []).append(head)
        self._found: dict[int, dict[str, Tensor]] = {}

    def take(self, layer: int, query: Tensor, key: Tensor, scale: float) -> None:
        """Take one layer's queries [H, N, D] and keys [K, N, D] of one text."""
        own = self._by_layer.get(layer)
        if own is None:
            return
        group = query.shape[0] // key.shape[0]
        if len(own) < query.shape[0]:
            picked = torch.tensor(own, device=query.device)
            query, key = query[picked], key[picked // group]
        self._found[layer] = attention_signals(query, key, self.prompt_length, scale, self.settings, self._fused)

    def signals(self) -> dict[str, Tensor]:
        """Per signal float32 [response tokens, heads], in the order of ``heads``; RuntimeError for a missing layer."""
        missing = sorted(set(self._by_layer) - set(self._found))
        if missing:
            raise RuntimeError(f"layers {missing} did not attend: the model has fewer, or does not use the registry")
        layers = sorted(self._found)
        return {
            name: torch.cat([self._found[layer][name] for layer in layers]).T.contiguous()
            for name in self.settings.signals
        }


_recorder: Recorder | None = None


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Let ``recorder`` see the attention of what runs inside; one at a time in a process."""
    global _recorder
    if _recorder is not None:
        raise RuntimeError("a text is being traced in this process already")
    _recorder = recorder
    try:
        yield
    finally:
        _recorder = None


def register() -> str:
    """Make the implementation known to transformers; returns its name."""
    AttentionInterface.register(NAME, _attend)
    # Without a mask of its own, a custom implementation would let padding be seen.
    AttentionMaskInterface.register(NAME, sdpa_mask)
    return NAME


def _attend(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **how: Any
) -> tuple[Tensor, None]:
    if _recorder is not None:
        _refuse(query, key, attention_mask, how)
        scale = how.get("scaling")
        _recorder.take(module.layer_idx, query[0], key[0], float(query.shape[-1] ** -0.5 if scale is None else scale))
    attended: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **how)
    return attended


def _refuse(query: Tensor, key: Tensor, mask: Tensor | None, how: dict[str, Any]) -> None:
    """Name what the signals do not know, rather than compute others than the model's."""
    if query.shape[0] != 1 or query.shape[2] != key.shape[2]:
        raise ValueError("one whole text at a time is traced")
    window = how.get("sliding_window")
    if window is not None and window < key.shape[2]:
        raise ValueError(f"a sliding window of {window} tokens in a text of {key.shape[2]} cannot be traced")
    unknown = [name for name in ("softcap", "s_aux", "position_bias") if how.get(name) is not None]
    if unknown:
        raise ValueError(f"attention with {', '.join(unknown)} cannot be traced")
    if mask is not None and window is None:
        raise ValueError("attention with a mask beside the causal one cannot be traced")
