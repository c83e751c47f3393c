"""Shards: a chunk's responses as one Parquet file, whole or not there, and a manifest that says it is good.

The Parquet file is written under a temporary name and renamed; the manifest, with the file's SHA-256, comes last. What
a chunk holds depends on the job alone, so that a chunk that is made twice is the same.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pivottrace_ray.spec import SIGNALS, Head, Request
from pivottrace_ray.tracer import Trace

FORMAT = 1
KEY = b"pivottrace"


@dataclass(frozen=True)
class Row:
    """One traced response."""

    request: Request
    response: tuple[int, ...]
    trace: Trace


def write_shard(folder: Path, chunk: str, heads: Sequence[Head], rows: Sequence[Row]) -> None:
    """Write ``<chunk>.parquet`` and then ``<chunk>.json``; readers see both whole."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"format": FORMAT, "chunk": chunk, "heads": [list(head) for head in heads]}
    table = _table(rows).replace_schema_metadata({KEY: json.dumps(about).encode()})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    data = sink.getvalue().to_pybytes()
    _write_whole(folder / f"{chunk}.parquet", data)
    manifest = {
        **about,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "rows": len(rows),
        "tokens": sum(len(row.response) for row in rows),
    }
    _write_whole(folder / f"{chunk}.json", json.dumps(manifest).encode())


def good_shard(folder: Path, chunk: str) -> dict[str, object] | None:
    """Return the manifest of a shard that is there with the content that it says, else None."""
    try:
        manifest = json.loads((folder / f"{chunk}.json").read_text(encoding="utf-8"))
        data = (folder / f"{chunk}.parquet").read_bytes()
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        return None
    good = manifest.get("sha256") == hashlib.sha256(data).hexdigest()
    return manifest if good else None


def mean_distances(folder: Path, chunks: Sequence[str]) -> NDArray[np.float64]:
    """Mean attention distance per head over the tokens of shards that traced all heads, in tokens.

    Added up in float64, token by token, as src/trace/request.ts does: both choose the same heads.
    """
    parts = []
    for chunk in chunks:
        file = folder / f"{chunk}.parquet"
        heads = len(json.loads(pq.read_schema(file).metadata[KEY])["heads"])
        for blob in pq.read_table(file, columns=["distance"])["distance"].to_pylist():
            parts.append(np.frombuffer(blob, dtype="<f4").reshape(-1, heads))
    if not parts:
        raise ValueError("no response was traced to choose heads by")
    values = np.concatenate(parts).astype(np.float64)
    # A running sum, for `sum` adds in pairs.
    total: NDArray[np.float64] = values.cumsum(axis=0)[-1]
    return total / len(values)


def _table(rows: Sequence[Row]) -> pa.Table:
    floats = {
        "logprobs": [row.trace.logprobs for row in rows],
        "entropies": [row.trace.entropies for row in rows],
        "self_certainty": [row.trace.self_certainty for row in rows],
    }
    for name in SIGNALS:
        if rows and name in rows[0].trace.signals:
            floats[name] = [row.trace.signals[name] for row in rows]
    columns = {
        "prompt_id": pa.array([row.request.prompt_id for row in rows], pa.string()),
        "sample": pa.array([row.request.sample for row in rows], pa.int32()),
        "prompt_length": pa.array([len(row.request.prompt) for row in rows], pa.int32()),
        "finish": pa.array([row.request.finish for row in rows], pa.string()),
        "text": pa.array([row.request.text for row in rows], pa.string()),
        "tokens": pa.array([np.asarray(row.response, "<i4").tobytes() for row in rows], pa.binary()),
    }
    for name, arrays in floats.items():
        # float32, little-endian, token-major: [tokens * heads] for a signal, as the database keeps it.
        columns[name] = pa.array([array.astype("<f4").tobytes() for array in arrays], pa.binary())
    return pa.table(columns)


def _write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{os.uname().nodename}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
