"""Sampling: kept sets, greedy decoding, and responses that do not depend on their batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models import save_model
from pivottrace_ray.generate import generate, kept, stream_seed
from pivottrace_ray.spec import Request, Sampling
from pivottrace_ray.tracer import Tracer

SAMPLING = Sampling(
    temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, max_tokens=12, stop=(), seed=7, eos=(1,), batch_size=3
)


class Letters:
    """A tokenizer that spells every token with a letter."""

    def decode(self, tokens: list[int], skip_special_tokens: bool) -> str:
        """Token 2 is `a`."""
        return "".join(chr(95 + token) for token in tokens if token > 1)


def requests(count: int) -> list[Request]:
    return [Request(f"p{i}", 0, tuple(range(2, 4 + i)), None, "", "length") for i in range(count)]


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, [0.4, 0.3, 0.2, 0.1]),
        ({"top_k": 2}, [0.4, 0.3, 0, 0]),
        ({"top_p": 0.6}, [0.4, 0.3, 0, 0]),
        ({"min_p": 0.49}, [0.4, 0.3, 0.2, 0]),
        ({"top_k": 3, "min_p": 0.7}, [0.4, 0.3, 0, 0]),
        ({"top_p": 0.0}, [0.4, 0, 0, 0]),
    ],
)
def test_each_rule_is_read_off_the_whole_distribution(change: dict[str, float], wanted: list[float]) -> None:
    logits = torch.tensor([[0.4, 0.3, 0.2, 0.1]]).log()
    found = kept(logits, replace(SAMPLING, **change))
    torch.testing.assert_close(found, torch.tensor([wanted], dtype=torch.float32))


def test_responses_do_not_depend_on_their_batch(tmp_path: Path) -> None:
    tracer = Tracer(save_model(tmp_path), device="cpu")
    together = generate(tracer, Letters(), requests(5), SAMPLING)
    alone = generate(tracer, Letters(), requests(5), replace(SAMPLING, batch_size=1))
    assert together == alone
    assert len({one.response for one in together}) > 1
    other = generate(tracer, Letters(), requests(5), replace(SAMPLING, seed=8))
    assert [one.response for one in other] != [one.response for one in together]


def test_greedy_decoding_is_that_of_transformers(tmp_path: Path) -> None:
    tracer = Tracer(save_model(tmp_path), device="cpu")
    for request in generate(tracer, Letters(), requests(3), replace(SAMPLING, temperature=0.0)):
        wanted = tracer.model.generate(
            torch.tensor([request.prompt]), do_sample=False, max_new_tokens=12, eos_token_id=1, pad_token_id=0
        )[0, len(request.prompt) :]
        assert list(request.response or ()) == wanted.tolist()
        assert request.finish == ("stop" if request.response and request.response[-1] == 1 else "length")


def test_a_stop_string_ends_a_response_and_is_cut_off(tmp_path: Path) -> None:
    tracer = Tracer(save_model(tmp_path), device="cpu")
    [whole] = generate(tracer, Letters(), requests(1), SAMPLING)
    stop = whole.text[3:5]
    [cut] = generate(tracer, Letters(), requests(1), replace(SAMPLING, stop=(stop,)))
    assert cut.finish == "stop"
    assert cut.text == whole.text[: whole.text.find(stop)]
    assert len(cut.response or ()) < len(whole.response or ())


def test_a_prompt_that_leaves_no_room_is_refused(tmp_path: Path) -> None:
    tracer = Tracer(save_model(tmp_path), device="cpu")
    with pytest.raises(ValueError, match="leaves no room"):
        generate(tracer, Letters(), requests(1), replace(SAMPLING, max_tokens=255))


def test_streams_are_told_apart() -> None:
    seeds = {stream_seed(seed, name, sample) for seed in (0, 1) for name in ("a", "1\na") for sample in (0, 1)}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)
