"""A checkpoint that traces texts: one pass of transformers' model, signals from its queries and keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils.logging import disable_progress_bar

from pivottrace_ray.attention import Recorder, recording, register
from pivottrace_ray.spec import Head, SignalSettings
from pivottrace_ray.statistics import token_statistics

Floats = NDArray[np.float32]

CHANGED_LOGITS = ("final_logit_softcapping", "logit_scale", "logits_scaling")
"""Settings of models whose logits are not those of the output embedding alone."""


@dataclass(frozen=True)
class Trace:
    """What is known of one response of T tokens."""

    signals: dict[str, Floats]
    """Per signal [T, heads]; ``received`` may hold NaN."""
    logprobs: Floats
    entropies: Floats
    self_certainty: Floats


class Tracer:
    """A causal language model from a local directory, never from the network."""

    def __init__(self, model: str, dtype: str = "auto", device: str | None = None, fused: bool | None = None) -> None:
        """Load it; ``fused`` as in ``attention_signals``."""
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        # Redrawn lines are noise in the log of a job.
        disable_progress_bar()
        config = AutoConfig.from_pretrained(model, local_files_only=True)
        changed = [name for name in CHANGED_LOGITS if getattr(config, name, None) is not None]
        if changed:
            raise ValueError(f"{model}: {', '.join(changed)} is not supported")
        # On a CPU half precision is slow, and the in-process engine computes in float32.
        wanted = "float32" if dtype == "auto" and self.device.type == "cpu" else dtype
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            model,
            dtype=wanted if wanted == "auto" else getattr(torch, wanted),
            attn_implementation=register(),
            local_files_only=True,
        )
        self.model: Any = loaded.to(self.device).eval()
        self._fused = fused
        self.layers: int = config.num_hidden_layers
        self.heads: int = config.num_attention_heads
        self.max_positions: int = config.max_position_embeddings

    @property
    def all_heads(self) -> tuple[Head, ...]:
        """Every head, layer by layer."""
        return tuple((layer, head) for layer in range(self.layers) for head in range(self.heads))

    @torch.inference_mode()
    def trace(
        self,
        prompt: Sequence[int],
        response: Sequence[int],
        heads: Sequence[Head],
        settings: SignalSettings,
        temperature: float,
    ) -> Trace:
        """Trace one response; ValueError where it does not fit into the model's context."""
        total = len(prompt) + len(response)
        if total > self.max_positions:
            raise ValueError(f"a text of {total} tokens, the model takes {self.max_positions}")
        tokens = torch.tensor([[*prompt, *response]], device=self.device)
        recorder = Recorder(heads, len(prompt), settings, self._fused)
        with recording(recorder):
            hidden = self.model.base_model(input_ids=tokens, use_cache=False).last_hidden_state[0]
        found = token_statistics(
            hidden[len(prompt) - 1 : -1],
            self.model.get_output_embeddings(),
            tokens[0, len(prompt) :],
            temperature,
        )
        return Trace(
            signals={name: _array(values) for name, values in recorder.signals().items()},
            logprobs=_array(found.logprobs),
            entropies=_array(found.entropies),
            self_certainty=_array(found.self_certainty),
        )


def _array(values: torch.Tensor) -> Floats:
    return values.float().cpu().numpy()
