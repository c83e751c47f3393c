"""Responses by transformers: batches decoded with a cache, each response from a random stream of its own.

A response depends on (seed, prompt id, sample), the settings and the weights, not on the batch that it is in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pivottrace_ray.spec import Request, Sampling
from pivottrace_ray.tracer import Tracer


def stream_seed(seed: int, prompt_id: str, sample: int) -> int:
    """Return the seed of one response's random numbers, below 2^63."""
    digest = hashlib.sha256(f"{seed}\n{sample}\n{prompt_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def kept(logits: Tensor, sampling: Sampling) -> Tensor:
    """Probabilities [rows, vocabulary] of temperature-scaled ``logits``, 0 for what top-k, top-p or min-p cut.

    Each rule is read off the whole distribution; a token stays where all three keep it. Not renormalised.
    """
    p = torch.softmax(logits, dim=-1)
    ordered, places = p.sort(dim=-1, descending=True, stable=True)
    keep = torch.ones_like(ordered, dtype=torch.bool)
    if sampling.top_k > 0:
        keep[:, sampling.top_k :] = False
    if sampling.top_p < 1:
        # The smallest set that reaches top_p: a token stays while those before it do not.
        keep &= ordered.cumsum(dim=-1) - ordered < sampling.top_p
    keep &= ordered >= sampling.min_p * ordered[:, :1]
    keep[:, 0] = True
    return torch.zeros_like(p).scatter_(1, places, ordered * keep)


def generate(tracer: Tracer, tokenizer: Any, requests: Sequence[Request], sampling: Sampling) -> list[Request]:
    """Return the requests with responses, texts and how they ended."""
    done: list[Request] = []
    for at in range(0, len(requests), sampling.batch_size):
        done += _batch(tracer, tokenizer, requests[at : at + sampling.batch_size], sampling)
    return done


@torch.inference_mode()
def _batch(tracer: Tracer, tokenizer: Any, requests: Sequence[Request], sampling: Sampling) -> list[Request]:
    model, device = tracer.model, tracer.device
    longest = max(len(request.prompt) for request in requests)
    if longest + sampling.max_tokens > tracer.max_positions:
        raise ValueError(
            f"a prompt of {longest} tokens leaves no room for {sampling.max_tokens} in {tracer.max_positions}"
        )
    ids = torch.zeros(len(requests), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, request in enumerate(requests):
        ids[row, longest - len(request.prompt) :] = torch.tensor(request.prompt)
        mask[row, longest - len(request.prompt) :] = 1
    streams = [
        np.random.Generator(np.random.Philox(stream_seed(sampling.seed, one.prompt_id, one.sample))) for one in requests
    ]
    made: list[list[int]] = [[] for _ in requests]
    ends: list[tuple[str, str] | None] = [None] * len(requests)
    feed, mask, cache = ids.to(device), mask.to(device), None
    for _ in range(sampling.max_tokens):
        positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -feed.shape[1] :]
        out = model(
            input_ids=feed,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache = out.past_key_values
        chosen = _choose(out.logits[:, -1].float(), sampling, streams)
        for row, token in enumerate(chosen):
            if ends[row] is None:
                made[row].append(token)
                ends[row] = _end(tokenizer, made[row], sampling)
        if all(end is not None for end in ends):
            break
        feed = torch.tensor(chosen, device=device)[:, None]
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
    return [
        _answered(tokenizer, request, tokens, end) for request, tokens, end in zip(requests, made, ends, strict=True)
    ]


def _choose(logits: Tensor, sampling: Sampling, streams: Sequence[np.random.Generator]) -> list[int]:
    if sampling.temperature == 0:
        return [int(token) for token in logits.argmax(dim=-1)]
    sums = kept(logits / sampling.temperature, sampling).double().cumsum(dim=-1)
    draws = torch.tensor([stream.random() for stream in streams], dtype=torch.double, device=logits.device)
    places = torch.searchsorted(sums, (draws * sums[:, -1])[:, None], right=True)[:, 0]
    return [int(token) for token in places.clamp(max=logits.shape[-1] - 1)]


def _end(tokenizer: Any, tokens: list[int], sampling: Sampling) -> tuple[str, str] | None:
    """How a response ends here (finish, text), or None where it goes on."""
    if tokens[-1] in sampling.eos:
        return "stop", tokenizer.decode(tokens, skip_special_tokens=True)
    if sampling.stop:
        text: str = tokenizer.decode(tokens, skip_special_tokens=True)
        found = [at for at in (text.find(stop) for stop in sampling.stop) if at >= 0]
        if found:
            return "stop", text[: min(found)]
    return None


def _answered(tokenizer: Any, request: Request, tokens: list[int], end: tuple[str, str] | None) -> Request:
    finish, text = end or ("length", tokenizer.decode(tokens, skip_special_tokens=True))
    return replace(request, response=tuple(tokens), text=text, finish=finish)
