"""The rival of bench:trace: the same signals from `output_attentions=True` of transformers.

Eager attention in float32 on the CPU, no gradients, the model without its output embedding (no logits are computed),
no key/value cache. From the attentions of all layers the signals of the kept heads are computed, for the response
alone. Speaks the lines of job.ts.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel

WARM_UP = 32
MIN_MASS = 1e-6


def resident(key: str) -> float:
    """Resident memory of this process, MiB: VmRSS now, VmHWM its peak."""
    found = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise RuntimeError(f"no {key} in /proc/self/status")
    return int(found[1]) / 1024


class Rival:
    """A model and the heads that are traced."""

    def __init__(self, setup: dict[str, Any]) -> None:
        """Loads the model of `setup` (job.ts)."""
        torch.set_num_threads(setup["threads"])
        self.setup = setup
        self.model = AutoModel.from_pretrained(
            setup["directory"], dtype=torch.float32, attn_implementation="eager"
        ).eval()
        self.heads: dict[int, list[int]] = {}
        for one in setup["heads"]:
            self.heads.setdefault(one["layer"], []).append(one["head"])

    @torch.inference_mode()
    def trace(self, tokens: list[int], prompt: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Distance and far mass, [response tokens, heads] each, heads by layer."""
        out = self.model(torch.tensor([tokens]), output_attentions=True, use_cache=False)
        positions = torch.arange(len(tokens))
        back = positions[prompt:, None] - positions[None, :]
        counted = positions[None, :] >= self.setup["sinks"]
        far = ((back > self.setup["delta"]) & counted).float()
        steps = back.clamp(max=self.setup["window"]).float() * counted
        distances, masses = [], []
        for layer, heads in self.heads.items():
            rows = out.attentions[layer][0, heads, prompt:]
            mass = (rows * counted).sum(-1)
            mean = (rows * steps).sum(-1) / mass.clamp(min=MIN_MASS)
            distances.append(torch.where(mass < MIN_MASS, 0.0, mean))
            masses.append((rows * far).sum(-1))
        return torch.cat(distances).T, torch.cat(masses).T


def main() -> None:
    """Loads, warms up, says so; then answers one text per line."""
    rival = Rival(json.loads(sys.argv[1]))
    rival.trace([1] * WARM_UP, 1)
    loaded = resident("VmRSS")
    print(json.dumps({"loaded": loaded}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        started = time.perf_counter()
        distance, far_mass = rival.trace(job["tokens"], job["prompt"])
        seconds = time.perf_counter() - started
        peak = resident("VmHWM")
        answer = {
            "seconds": seconds,
            "peak": peak,
            "above": peak - loaded,
            "distance": distance.flatten().tolist(),
            "far_mass": far_mass.flatten().tolist(),
        }
        print(json.dumps(answer), flush=True)


main()
