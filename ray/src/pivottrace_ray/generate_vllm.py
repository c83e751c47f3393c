"""Responses by vLLM, where it is installed and there is a GPU: faster, with vLLM's own random numbers."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pivottrace_ray.generate import stream_seed
from pivottrace_ray.spec import Request, Sampling

MEMORY_SHARE = 0.5
"""Of the GPU's memory; the rest is for the model that traces."""


def available() -> bool:
    """Whether vLLM is installed."""
    return importlib.util.find_spec("vllm") is not None


class VllmGenerator:
    """A vLLM engine on the worker's GPU."""

    def __init__(self, model: str, dtype: str, seed: int) -> None:
        from vllm import LLM

        self._engine: Any = LLM(model=model, dtype=dtype, seed=seed, gpu_memory_utilization=MEMORY_SHARE)

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Request]:
        """Return the requests with responses, texts and how they ended."""
        from vllm import SamplingParams

        settings = [
            SamplingParams(
                temperature=sampling.temperature,
                top_k=sampling.top_k,
                top_p=sampling.top_p,
                min_p=sampling.min_p,
                max_tokens=sampling.max_tokens,
                stop=list(sampling.stop),
                stop_token_ids=list(sampling.eos),
                # vLLM takes signed 64-bit seeds.
                seed=stream_seed(sampling.seed, one.prompt_id, one.sample),
            )
            for one in requests
        ]
        prompts = [{"prompt_token_ids": list(one.prompt)} for one in requests]
        answers = self._engine.generate(prompts, settings, use_tqdm=False)
        return [
            replace(
                one,
                response=tuple(answer.outputs[0].token_ids),
                text=answer.outputs[0].text,
                finish="stop" if answer.outputs[0].finish_reason == "stop" else "length",
            )
            for one, answer in zip(requests, answers, strict=True)
        ]
