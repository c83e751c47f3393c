"""The blocked code and the kernel against the definition."""

from __future__ import annotations

import pytest
import torch

from dense import dense_signals
from pivottrace_ray import kernel, signals
from pivottrace_ray.signals import attention_signals
from pivottrace_ray.spec import SIGNALS, SignalSettings

ALL = SignalSettings(SIGNALS, delta=10, window=16, sinks=1)

needs_kernel = pytest.mark.skipif(
    not kernel.available() or not (kernel.interpreted() or torch.cuda.is_available()),
    reason="needs Triton and a GPU, or TRITON_INTERPRET=1",
)
WAYS = [False, pytest.param(True, marks=needs_kernel)]


def case(heads: int, key_heads: int, total: int, width: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    # Large scores make peaked rows, in which a signal moves.
    query = 2 * torch.randn(heads, total, width, generator=generator)
    key = 2 * torch.randn(key_heads, total, width, generator=generator)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return query.to(device), key.to(device)


def compare(query: torch.Tensor, key: torch.Tensor, prompt: int, settings: SignalSettings, fused: bool) -> None:
    scale = query.shape[-1] ** -0.5
    found = attention_signals(query, key, prompt, scale, settings, fused=fused)
    wanted = dense_signals(query.cpu(), key.cpu(), prompt, scale, settings)
    assert list(found) == list(settings.signals)
    for name, values in wanted.items():
        assert found[name].dtype == torch.float32
        torch.testing.assert_close(found[name].cpu().double(), values, atol=2e-5, rtol=1e-5, equal_nan=True)


@pytest.mark.parametrize("fused", WAYS)
@pytest.mark.parametrize(
    ("heads", "key_heads", "total", "width", "prompt"),
    [(4, 2, 150, 16, 40), (3, 3, 65, 24, 64), (2, 1, 130, 16, 1), (1, 1, 12, 64, 3)],
)
def test_all_signals_equal_their_definition(
    heads: int, key_heads: int, total: int, width: int, prompt: int, fused: bool
) -> None:
    query, key = case(heads, key_heads, total, width)
    compare(query, key, prompt, ALL, fused)


@pytest.mark.parametrize("fused", WAYS)
@pytest.mark.parametrize("sinks", [0, 4])
def test_sinks_are_left_out_of_far_mass_and_distance(sinks: int, fused: bool) -> None:
    query, key = case(2, 1, 80, 16)
    compare(query, key, 20, SignalSettings(("far_mass", "distance"), delta=5, window=128, sinks=sinks), fused)


@pytest.mark.parametrize("fused", WAYS)
def test_a_row_that_sees_sinks_alone_has_no_distance(fused: bool) -> None:
    query, key = torch.ones(1, 40, 16), torch.zeros(1, 40, 16)
    key[:, 0] = 100
    found = attention_signals(query, key, 10, 1.0, ALL, fused=fused)
    assert found["distance"].abs().max() == 0
    assert found["entropy"].abs().max() < 1e-6


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    query, key = case(4, 2, 300, 16)
    whole = attention_signals(query, key, 100, 0.25, ALL, fused=False)
    monkeypatch.setattr(signals, "BLOCK_NUMBERS", 1)
    small = attention_signals(query, key, 100, 0.25, ALL, fused=False)
    for name in SIGNALS:
        torch.testing.assert_close(small[name], whole[name], atol=1e-6, rtol=1e-5, equal_nan=True)


def test_a_key_without_far_queries_has_received_nothing_that_is_known() -> None:
    query, key = case(1, 1, 40, 16)
    received = attention_signals(query, key, 10, 0.25, ALL, fused=False)["received"]
    assert torch.isnan(received[0, -11:]).all()
    assert not torch.isnan(received[0, :-11]).any()


def test_a_kernel_that_cannot_be_built_is_done_without(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = []

    def broken(*_: object) -> None:
        calls.append(1)
        raise RuntimeError("out of shared memory")

    monkeypatch.setattr(kernel, "fused_signals", broken)
    monkeypatch.setattr(kernel, "available", lambda: True)
    monkeypatch.setattr(kernel, "_given_up", False)
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    query, key = torch.randn(1, 30, 16), torch.randn(1, 30, 16)
    for _ in range(2):
        found = attention_signals(query, key, 10, 0.25, ALL)
    wanted = dense_signals(query, key, 10, 0.25, ALL)["distance"]
    torch.testing.assert_close(found["distance"].double(), wanted, atol=2e-5, rtol=1e-5)
    assert len(calls) == 1
    assert "out of shared memory" in capsys.readouterr().out


def test_a_text_without_prompt_or_response_is_refused() -> None:
    query, key = case(2, 2, 10, 16)
    for prompt in (0, 10):
        with pytest.raises(ValueError, match="a text of"):
            attention_signals(query, key, prompt, 1.0, ALL, fused=False)
    with pytest.raises(ValueError, match="2 query heads for 3"):
        attention_signals(query, torch.zeros(3, 10, 16), 5, 1.0, ALL, fused=False)
