"""Tracing against ``output_attentions=True``: ``python -m pivottrace_ray.bench``.

Per length, both in a process of their own: seconds of a trace of all heads (the median of a few) and peak memory above
the loaded model. On a GPU 2k to 16k tokens in bfloat16; on a CPU short texts, for that it runs at all. The last line is
``{"2048": {"time_ratio": theirs over ours, "memory_ratio": ours over theirs, ...}, ...}``; ``null`` where one of the
two did not have the memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from pivottrace_ray import kernel
from pivottrace_ray.signals import mean_distance
from pivottrace_ray.spec import SignalSettings
from pivottrace_ray.tracer import Tracer

SETTINGS = SignalSettings(("far_mass", "distance", "entropy", "change"), delta=10, window=128, sinks=1)
WAYS = ("fused", "blocked", "eager")
OUT_OF_MEMORY = 3
"""How a measuring process ends where there was not enough."""

SIZES = {"cuda": (2048, 4096, 8192, 16384), "cpu": (256, 512, 1024)}
RUNS = {"cuda": 5, "cpu": 3}


def random_model(folder: str, gpu: bool) -> None:
    """Save a model with random weights: on a GPU, of the shape of Qwen3-0.6B."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    shape = (1024, 3072, 28, 16, 8, 128, 151936) if gpu else (256, 768, 4, 8, 4, 32, 1024)
    hidden, intermediate, layers, heads, key_heads, width, vocabulary = shape
    config = Qwen3Config(
        hidden_size=hidden,
        intermediate_size=intermediate,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=key_heads,
        head_dim=width,
        vocab_size=vocabulary,
        max_position_embeddings=32768,
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    Qwen3ForCausalLM(config).to(torch.bfloat16 if gpu else torch.float32).save_pretrained(folder)


@torch.inference_mode()
def eager_trace(model: Any, tokens: torch.Tensor, prompt: int) -> list[torch.Tensor]:
    """Compute the same signals from the attentions that the model gives out."""
    found = []
    for attention in model(tokens, output_attentions=True, use_cache=False).attentions:
        a = attention[0].float()
        total = a.shape[-1]
        rows = torch.arange(prompt, total, device=a.device)
        keys = torch.arange(total, device=a.device)
        back = rows[:, None] - keys
        counted = (keys >= SETTINGS.sinks) & (back >= 0)
        far = counted & (back > SETTINGS.delta)
        p = a[:, prompt:]
        distances = back.clamp(max=SETTINGS.window) * counted
        found += [
            (p * far).sum(-1),
            mean_distance((p * distances).sum(-1), (p * counted).sum(-1)),
            torch.special.entr(p).sum(-1) / torch.log(rows + 1.0),
            (p - a[:, prompt - 1 : -1]).abs().sum(-1) / 2,
        ]
    return [values.cpu() for values in found]


def measure(way: str, folder: str, length: int, device: str) -> dict[str, float]:
    """Seconds of one trace (median) and bytes above the loaded model."""
    dtype = "bfloat16" if device == "cuda" else "float32"
    tokens = torch.randint(2, 1000, (length,), generator=torch.Generator().manual_seed(1)).tolist()
    prompt = length // 8
    run: Callable[[], object]
    if way == "eager":
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, dtype), attn_implementation="eager", local_files_only=True
        ).to(device)
        ids = torch.tensor([tokens], device=device)
        run = lambda: eager_trace(model, ids, prompt)  # noqa: E731
    else:
        tracer = Tracer(folder, dtype, device, fused=way == "fused")
        run = lambda: tracer.trace(tokens[:prompt], tokens[prompt:], tracer.all_heads, SETTINGS, 1.0)  # noqa: E731
    before = _memory(device)
    seconds = [_timed(run, device) for _ in range(1 + RUNS[device])]
    # The first run compiles kernels and fills caches.
    return {"seconds": statistics.median(seconds[1:]), "bytes": _memory(device) - before}


def _timed(run: Callable[[], object], device: str) -> float:
    begun = time.perf_counter()
    run()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def _memory(device: str) -> float:
    """Return the most bytes so far."""
    if device == "cuda":
        return float(torch.cuda.max_memory_allocated())
    return 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def compare(folder: str, lengths: Sequence[int], device: str) -> dict[str, object]:
    """Measure every way at every length, each in a process of its own; prints a line each."""
    ratios: dict[str, object] = {}
    for length in lengths:
        found: dict[str, dict[str, float] | None] = {}
        for way in WAYS:
            if way == "fused" and not (device == "cuda" and kernel.available()):
                continue
            words = ["--measure", way, "--folder", folder, "--length", str(length), "--device", device]
            done = subprocess.run(
                [sys.executable, "-m", "pivottrace_ray.bench", *words], capture_output=True, text=True, check=False
            )
            if done.returncode not in (0, OUT_OF_MEMORY):
                raise RuntimeError(done.stderr[-2000:])
            found[way] = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
            print(f"{length:>6} tokens  {way:<8} {_shown(found[way])}", flush=True)
        ratios[str(length)] = _ratios(found)
    return ratios


def _ratios(found: dict[str, dict[str, float] | None]) -> dict[str, float] | None:
    ours, theirs = found.get("fused") or found["blocked"], found["eager"]
    if ours is None or theirs is None:
        return None
    return {
        "time_ratio": round(theirs["seconds"] / ours["seconds"], 3),
        "memory_ratio": round(ours["bytes"] / max(1.0, theirs["bytes"]), 4),
    }


def _shown(found: dict[str, float] | None) -> str:
    if found is None:
        return "not enough memory"
    return f"{found['seconds']:8.3f} s  {found['bytes'] / 2**20:9.1f} MiB above the model"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, or measure one way at one length."""
    parser = argparse.ArgumentParser(prog="pivottrace_ray.bench")
    parser.add_argument("--lengths", type=int, nargs="*")
    parser.add_argument("--model", help="a model directory; without it, one with random weights")
    parser.add_argument("--device", choices=("cpu", "cuda"))
    parser.add_argument("--measure", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--length", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    device = asked.device or ("cuda" if torch.cuda.is_available() else "cpu")
    if asked.measure is not None:
        try:
            print(json.dumps(measure(asked.measure, asked.folder, asked.length, device)))
        except (torch.cuda.OutOfMemoryError, MemoryError):
            return OUT_OF_MEMORY
        return 0
    with tempfile.TemporaryDirectory() as folder:
        if asked.model is None:
            random_model(folder, device == "cuda")
        print(json.dumps(compare(asked.model or folder, asked.lengths or SIZES[device], device)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
