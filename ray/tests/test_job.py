"""A job's files: what is refused, shards that are whole, and a worker from request to shard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from models import save_model
from pivottrace_ray.heads import select_heads
from pivottrace_ray.shards import good_shard, mean_distances
from pivottrace_ray.spec import SpecError, load_requests, load_spec
from pivottrace_ray.worker import Worker


def job(folder: Path, **changes: Any) -> Path:
    """Write a job of two chunks of given responses and a profile; returns the path of its spec."""
    model = save_model(folder / "model")
    spec = {
        "version": 1,
        "model": model,
        "dtype": "float32",
        "trace": {"signals": ["distance", "received"], "delta": 4, "window": 16, "sinks": 1},
        "heads": None,
        "profile": {"chunks": ["profile-0"], "signals": ["distance"], "psi": 0.25, "min_heads": 2},
        "sampling": {
            **{"temperature": 1, "top_k": 0, "top_p": 1, "min_p": 0, "max_tokens": 8, "stop": []},
            **{"seed": 0, "eos": [1], "batch_size": 4},
        },
        "workers": {"count": 2, "cpus": 1, "gpus": 0},
        "chunks": ["chunk-0", "chunk-1"],
        **changes,
    }
    (folder / "requests").mkdir()
    for chunk in ("profile-0", "chunk-0", "chunk-1"):
        lines = [
            {
                **{"id": f"{chunk} {i}", "sample": 0, "prompt": [2, 3, 4 + i], "response": list(range(5, 25 + i))},
                **{"text": "naïve\u2028", "finish": "stop"},
            }
            for i in range(3)
        ]
        text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
        (folder / "requests" / f"{chunk}.jsonl").write_text(f"{text}\n", encoding="utf-8")
    path = folder / "spec.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "version 2, not 1"),
        ({"model": 3}, '"model": a text was wanted'),
        ({"chunks": ["../../etc/passwd"]}, '"chunks": a name of letters'),
        ({"chunks": ["a\nb"]}, '"chunks": a name of letters'),
        ({"heads": [[0, 1]]}, 'either "heads" or "profile"'),
        ({"heads": [[0]], "profile": None}, r"\[layer, head\] was wanted"),
        ({"trace": {"signals": ["depth"], "delta": 4, "window": 16, "sinks": 1}}, "one of far_mass"),
        ({"workers": {"count": -1, "cpus": 1, "gpus": 0}}, '"count": a whole number from 0'),
    ],
)
def test_a_job_that_is_wrong_is_refused_by_its_key(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=message):
        load_spec(job(tmp_path, **changes))


def test_a_spec_that_is_not_there_says_what_the_folder_must_be(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="all nodes see"):
        load_spec(tmp_path / "spec.json")


def test_requests_are_refused_with_file_and_line(tmp_path: Path) -> None:
    good = '{"id": "a", "sample": 0, "prompt": [1], "response": null, "text": "", "finish": "stop"}'
    file = tmp_path / "requests.jsonl"
    file.write_text(f"{good}\n{good.replace('[1]', '[]')}\n", encoding="utf-8")
    with pytest.raises(SpecError, match=r"requests\.jsonl:2: a prompt and a response"):
        load_requests(file)
    file.write_text("{", encoding="utf-8")
    with pytest.raises(SpecError, match=r"requests\.jsonl:1: no JSON"):
        load_requests(file)


def test_a_chunk_that_is_made_twice_is_the_same(tmp_path: Path) -> None:
    spec = load_spec(job(tmp_path))
    worker = Worker(spec)
    assert worker.ready() == (2, 4)
    assert worker.run("chunk-0", [(1, 1), (0, 2)]) == (3, 63)
    first = good_shard(spec.shards, "chunk-0")
    assert first is not None
    assert (first["rows"], first["heads"]) == (3, [[0, 2], [1, 1]])
    assert Worker(spec).run("chunk-0", [(0, 2), (1, 1)]) == (3, 63)
    assert good_shard(spec.shards, "chunk-0") == first
    assert sorted(path.name for path in spec.shards.iterdir()) == ["chunk-0.json", "chunk-0.parquet"]
    table = pq.read_table(spec.shards / "chunk-0.parquet")
    row = table.to_pylist()[0]
    assert (row["prompt_id"], row["text"], row["prompt_length"]) == ("chunk-0 0", "naïve\u2028", 3)
    assert np.frombuffer(row["tokens"], "<i4").tolist() == list(range(5, 25))
    assert np.frombuffer(row["distance"], "<f4").shape == (40,)
    assert np.isnan(np.frombuffer(row["received"], "<f4")[-2:]).all()


def test_a_shard_that_was_harmed_or_has_no_manifest_is_no_shard(tmp_path: Path) -> None:
    spec = load_spec(job(tmp_path))
    Worker(spec).run("chunk-1", [(0, 0)])
    file = spec.shards / "chunk-1.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert good_shard(spec.shards, "chunk-1") is None
    assert good_shard(spec.shards, "chunk-0") is None
    (spec.shards / "chunk-1.json").write_text("{", encoding="utf-8")
    assert good_shard(spec.shards, "chunk-1") is None


def test_heads_are_chosen_by_the_mean_distance_over_the_profile(tmp_path: Path) -> None:
    spec = load_spec(job(tmp_path))
    Worker(spec).run("profile-0", None)
    found = mean_distances(spec.shards, ["profile-0"])
    assert found.shape == (8,)
    table = pq.read_table(spec.shards / "profile-0.parquet").to_pylist()
    assert set(table[0]) & {"distance", "received"} == {"distance"}
    every = np.concatenate([np.frombuffer(row["distance"], "<f4").reshape(-1, 8) for row in table])
    np.testing.assert_allclose(found, every.mean(axis=0), rtol=1e-5)
    chosen = select_heads(found.tolist(), 2, 4, 0.25, 2)
    farthest = sorted(np.argsort(-found)[:2].tolist())
    assert chosen == tuple((head // 4, head % 4) for head in farthest)


def test_of_equal_heads_the_lower_is_kept_and_halves_round_up() -> None:
    assert select_heads([1, 1, 1, 1], 2, 2, 0.1, 2) == ((0, 0), (0, 1))
    assert select_heads([0, 1, 2, 3], 2, 2, 0.625, 1) == ((0, 1), (1, 0), (1, 1))
    with pytest.raises(ValueError, match="3 mean distances"):
        select_heads([1, 2, 3], 2, 2, 0.5, 1)


def test_missing_responses_are_made_and_given_ones_are_kept(tmp_path: Path) -> None:
    spec = load_spec(job(tmp_path))
    file = spec.requests_file("chunk-0")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
    lines[1] |= {"response": None, "text": ""}
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    worker = Worker(spec)

    class Letters:
        def decode(self, tokens: list[int], skip_special_tokens: bool) -> str:
            return "".join(chr(95 + token) for token in tokens if token > 1)

    worker._tokenizer = Letters()
    worker.run("chunk-0", [(0, 0)])
    rows = pq.read_table(spec.shards / "chunk-0.parquet").to_pylist()
    assert [row["text"] for row in rows][::2] == ["naïve\u2028", "naïve\u2028"]
    made = np.frombuffer(rows[1]["tokens"], "<i4")
    assert 1 <= len(made) <= 8
    assert len(np.frombuffer(rows[1]["logprobs"], "<f4")) == len(made)
