"""What one worker does with a chunk: generate what is missing, trace, write the shard. Knows nothing of Ray."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoTokenizer

from pivottrace_ray import generate_vllm
from pivottrace_ray.generate import generate
from pivottrace_ray.shards import Row, write_shard
from pivottrace_ray.spec import Head, Request, SignalSettings, Spec, load_requests
from pivottrace_ray.tracer import Tracer


class Worker:
    """A checkpoint in memory; lives as long as the job."""

    def __init__(self, spec: Spec) -> None:
        if spec.workers.gpus == 0:
            # As many threads as the worker was promised: more of them only get in each other's way.
            torch.set_num_threads(max(1, int(spec.workers.cpus)))
        self._spec = spec
        # vLLM first: it takes its share of an empty GPU.
        self._fast = self._vllm() if self._generates() else None
        self._tracer = Tracer(spec.model, spec.dtype)
        self._tokenizer: Any = None

    def ready(self) -> tuple[int, int]:
        """Layers and heads of the model, once it is loaded."""
        return self._tracer.layers, self._tracer.heads

    def run(self, chunk: str, heads: Sequence[Head] | None) -> tuple[int, int]:
        """Make the shard of a chunk; ``heads`` None: it is of the profile. Returns responses and response tokens."""
        spec = self._spec
        settings = spec.trace
        if heads is None:
            profile = spec.profile
            if profile is None:
                raise ValueError("the job has no profile")
            settings = SignalSettings(profile.signals, settings.delta, settings.window, settings.sinks)
            heads = self._tracer.all_heads
        heads = tuple(sorted(heads))
        rows = []
        for request in self._answered(load_requests(spec.requests_file(chunk))):
            response = request.response or ()
            trace = self._tracer.trace(request.prompt, response, heads, settings, spec.sampling.temperature)
            rows.append(Row(request, response, trace))
        write_shard(spec.shards, chunk, heads, rows)
        return len(rows), sum(len(row.response) for row in rows)

    def _answered(self, requests: Sequence[Request]) -> list[Request]:
        """Return the requests in order, each with a response."""
        open_ = [request for request in requests if request.response is None]
        if not open_:
            return list(requests)
        made = iter(self._fast.generate(open_, self._spec.sampling) if self._fast else self._slow(open_))
        return [next(made) if request.response is None else request for request in requests]

    def _slow(self, requests: Sequence[Request]) -> list[Request]:
        if self._tokenizer is None:
            self._tokenizer = AutoTokenizer.from_pretrained(self._spec.model, local_files_only=True)
        return generate(self._tracer, self._tokenizer, requests, self._spec.sampling)

    def _generates(self) -> bool:
        chunks = (*self._spec.chunks, *(self._spec.profile.chunks if self._spec.profile else ()))
        return any(one.response is None for one in load_requests(self._spec.requests_file(chunks[0])))

    def _vllm(self) -> generate_vllm.VllmGenerator | None:
        if not (torch.cuda.is_available() and generate_vllm.available()):
            return None
        return generate_vllm.VllmGenerator(self._spec.model, self._spec.dtype, self._spec.sampling.seed)
