"""A checkpoint's traces against ``output_attentions=True``, and its statistics against its logits."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from dense import dense_signals
from models import FAMILIES, VOCABULARY, save_model
from pivottrace_ray.spec import SIGNALS, SignalSettings
from pivottrace_ray.tracer import Tracer

SETTINGS = SignalSettings(SIGNALS, delta=4, window=16, sinks=1)


def tokens(count: int) -> list[int]:
    return torch.randint(2, VOCABULARY, (count,), generator=torch.Generator().manual_seed(3)).tolist()


@pytest.mark.parametrize("family", FAMILIES)
def test_signals_are_those_of_the_attentions_that_the_model_gives_out(family: str, tmp_path: Path) -> None:
    model = save_model(tmp_path, family)
    tracer = Tracer(model, device="cpu")
    text = tokens(90)
    heads = [(1, 3), (0, 2), (1, 0)]
    found = tracer.trace(text[:30], text[30:], heads, SETTINGS, 1.0)
    eager = AutoModelForCausalLM.from_pretrained(model, attn_implementation="eager")
    attentions = eager(torch.tensor([text]), output_attentions=True).attentions
    for column, (layer, head) in enumerate(sorted(heads)):
        a = attentions[layer][0, head].double()
        far = np.array([a[t, 1 : max(1, t - 4)].sum().item() for t in range(30, 90)])
        np.testing.assert_allclose(found.signals["far_mass"][:, column], far, atol=2e-5)
        change = np.array([(a[t] - a[t - 1]).abs().sum().item() / 2 for t in range(30, 90)])
        np.testing.assert_allclose(found.signals["change"][:, column], change, atol=2e-5)
        received = np.array([a[j + 5 :, j].mean().item() for j in range(30, 85)])
        np.testing.assert_allclose(found.signals["received"][:55, column], received, atol=2e-5)


def test_all_heads_and_some_heads_agree(tmp_path: Path) -> None:
    tracer = Tracer(save_model(tmp_path), device="cpu")
    text = tokens(60)
    every = tracer.trace(text[:20], text[20:], tracer.all_heads, SETTINGS, 1.0)
    some = tracer.trace(text[:20], text[20:], [(0, 1), (1, 2)], SETTINGS, 1.0)
    assert every.signals["distance"].shape == (40, 8)
    for name in SIGNALS:
        np.testing.assert_allclose(some.signals[name], every.signals[name][:, [1, 6]], atol=1e-6)


@pytest.mark.parametrize("temperature", [1.0, 0.6, 0.0])
def test_statistics_are_those_of_the_scaled_logits(temperature: float, tmp_path: Path) -> None:
    tracer = Tracer(save_model(tmp_path), device="cpu")
    text = tokens(200)
    found = tracer.trace(text[:20], text[20:], [(0, 0)], SETTINGS, temperature)
    logits = tracer.model(torch.tensor([text])).logits[0, 19:-1].double() / (temperature or 1.0)
    logs = torch.log_softmax(logits, dim=-1).detach()
    wanted = logs[torch.arange(180), torch.tensor(text[20:])]
    np.testing.assert_allclose(found.logprobs, wanted, atol=1e-4)
    np.testing.assert_allclose(found.entropies, -(logs.exp() * logs).sum(-1), atol=1e-4)
    np.testing.assert_allclose(found.self_certainty, -logs.mean(-1) - math.log(VOCABULARY), atol=1e-4)


def test_what_cannot_be_traced_is_refused(tmp_path: Path) -> None:
    tracer = Tracer(save_model(tmp_path), device="cpu")
    with pytest.raises(ValueError, match="257 tokens, the model takes 256"):
        tracer.trace([2] * 57, [3] * 200, [(0, 0)], SETTINGS, 1.0)
    with pytest.raises(RuntimeError, match="did not attend"):
        tracer.trace([2, 3], [4, 5], [(9, 0)], SETTINGS, 1.0)
    # A trace that failed leaves the process fit for the next.
    assert tracer.trace([2, 3], [4, 5], [(0, 0)], SETTINGS, 1.0).logprobs.shape == (2,)


def test_the_dense_reference_is_causal() -> None:
    query, key = torch.randn(1, 20, 8), torch.randn(1, 20, 8)
    before = dense_signals(query, key, 5, 1.0, SignalSettings(("distance",), 4, 16, 1))["distance"][:, :10]
    after = dense_signals(query[:, :15], key[:, :15], 5, 1.0, SignalSettings(("distance",), 4, 16, 1))["distance"]
    torch.testing.assert_close(before, after)
