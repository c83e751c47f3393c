"""What a job is asked to do: a JSON file, checked key by key, and the requests that lie beside it.

The folder of a job: ``spec.json``, ``requests/<chunk>.jsonl`` and, written by the job,
``shards/<chunk>.parquet`` with ``shards/<chunk>.json``. Prompts and responses are data: nothing in here is run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

VERSION = 1
SIGNALS = ("far_mass", "distance", "entropy", "change", "received")

Head = tuple[int, int]
"""Layer and query head, both from 0."""

_T = TypeVar("_T")
_CHUNK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class SpecError(ValueError):
    """The job was asked for in a way that it does not understand; the message names the key."""


@dataclass(frozen=True)
class SignalSettings:
    """Which signals are computed, and their geometry in tokens."""

    signals: tuple[str, ...]
    delta: int
    window: int
    sinks: int


@dataclass(frozen=True)
class Sampling:
    """How responses are sampled; ``temperature`` 0 is greedy, ``top_k`` 0, ``top_p`` 1 and ``min_p`` 0 keep all."""

    temperature: float
    top_k: int
    top_p: float
    min_p: float
    max_tokens: int
    stop: tuple[str, ...]
    seed: int
    eos: tuple[int, ...]
    batch_size: int


@dataclass(frozen=True)
class Profile:
    """How heads are chosen: all heads are traced on ``chunks``, and those that look back farthest are kept."""

    chunks: tuple[str, ...]
    signals: tuple[str, ...]
    psi: float
    min_heads: int


@dataclass(frozen=True)
class Workers:
    """How many workers, and what each takes of the cluster."""

    count: int
    cpus: float
    gpus: float


@dataclass(frozen=True)
class Spec:
    """One job."""

    folder: Path
    model: str
    dtype: str
    trace: SignalSettings
    heads: tuple[Head, ...] | None
    profile: Profile | None
    sampling: Sampling
    workers: Workers
    chunks: tuple[str, ...]

    def requests_file(self, chunk: str) -> Path:
        """Where the requests of a chunk are."""
        return self.folder / "requests" / f"{chunk}.jsonl"

    @property
    def shards(self) -> Path:
        """Where shards go."""
        return self.folder / "shards"


@dataclass(frozen=True)
class Request:
    """One response that is wanted (``response`` None), or one that is there and is traced."""

    prompt_id: str
    sample: int
    prompt: tuple[int, ...]
    response: tuple[int, ...] | None
    text: str
    finish: str


def load_spec(path: Path) -> Spec:
    """Read a job; SpecError names what is wrong with it."""
    if not path.is_file():
        raise SpecError(f"{path}: no such file on this node; the workspace must be in a folder that all nodes see")
    table = _Table(_json(path.read_text(encoding="utf-8"), str(path)), str(path))
    version = table.get("version", _integer)
    if version != VERSION:
        raise SpecError(f"{path}: version {version}, not {VERSION}: this package and pivottrace do not fit together")
    trace = table.table("trace")
    sampling = table.table("sampling")
    workers = table.table("workers")
    spec = Spec(
        folder=path.resolve().parent,
        model=table.get("model", _string),
        dtype=table.get("dtype", _one_of("auto", "float32", "bfloat16", "float16")),
        trace=SignalSettings(
            signals=trace.get("signals", _list_of(_one_of(*SIGNALS))),
            delta=trace.get("delta", _integer),
            window=trace.get("window", _integer),
            sinks=trace.get("sinks", _integer),
        ),
        heads=table.get("heads", _optional(_list_of(_head))),
        profile=_profile(table),
        sampling=Sampling(
            temperature=sampling.get("temperature", _number),
            top_k=sampling.get("top_k", _integer),
            top_p=sampling.get("top_p", _number),
            min_p=sampling.get("min_p", _number),
            max_tokens=sampling.get("max_tokens", _integer),
            stop=sampling.get("stop", _list_of(_string)),
            seed=sampling.get("seed", _integer),
            eos=sampling.get("eos", _list_of(_integer)),
            batch_size=sampling.get("batch_size", _integer),
        ),
        workers=Workers(
            count=workers.get("count", _integer),
            cpus=workers.get("cpus", _number),
            gpus=workers.get("gpus", _number),
        ),
        chunks=table.get("chunks", _list_of(_chunk)),
    )
    if (spec.heads is None) == (spec.profile is None):
        raise SpecError(f'{path}: either "heads" or "profile" says which heads are traced')
    return spec


def _profile(table: _Table) -> Profile | None:
    if table.value.get("profile") is None:
        return None
    profile = table.table("profile")
    return Profile(
        chunks=profile.get("chunks", _list_of(_chunk)),
        signals=profile.get("signals", _list_of(_one_of(*SIGNALS))),
        psi=profile.get("psi", _number),
        min_heads=profile.get("min_heads", _integer),
    )


def load_requests(path: Path) -> list[Request]:
    """Read the requests of a chunk, one JSON object a line; SpecError names file and line."""
    requests = []
    # Not splitlines: texts may hold other characters that end a line.
    lines = path.read_bytes().decode().split("\n")
    for number, line in enumerate(lines, start=1):
        if line == "":
            continue
        where = f"{path}:{number}"
        table = _Table(_json(line, where), where)
        requests.append(
            Request(
                prompt_id=table.get("id", _string),
                sample=table.get("sample", _integer),
                prompt=table.get("prompt", _list_of(_integer)),
                response=table.get("response", _optional(_list_of(_integer))),
                text=table.get("text", _string),
                finish=table.get("finish", _one_of("stop", "length")),
            )
        )
        if not requests[-1].prompt or requests[-1].response == ():
            raise SpecError(f"{where}: a prompt and a response have at least one token")
    return requests


class _Table:
    """An object of the file, and what it is called in complaints."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise SpecError(f"{where}: an object was wanted, found {_shown(value)}")
        self.value: Mapping[str, Any] = value
        self.where = where

    def get(self, key: str, read: Callable[[object], _T]) -> _T:
        try:
            return read(self.value.get(key))
        except SpecError as error:
            raise SpecError(f'{self.where}: "{key}": {error}') from error

    def table(self, key: str) -> _Table:
        return _Table(self.value.get(key), f"{self.where}: {key}")


def _json(text: str, where: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise SpecError(f"{where}: no JSON: {error}") from error


def _shown(value: object) -> str:
    return repr(value)[:80]


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise SpecError(f"a text was wanted, found {_shown(value)}")
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise SpecError(f"a whole number from 0 was wanted, found {_shown(value)}")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < float("inf"):
        raise SpecError(f"a number from 0 was wanted, found {_shown(value)}")
    return float(value)


def _chunk(value: object) -> str:
    # It becomes a file name.
    if not isinstance(value, str) or _CHUNK_NAME.fullmatch(value) is None:
        raise SpecError(f"a name of letters, digits, dots and dashes was wanted, found {_shown(value)}")
    return value


def _head(value: object) -> Head:
    pair = _list_of(_integer)(value)
    if len(pair) != 2:
        raise SpecError(f"[layer, head] was wanted, found {_shown(value)}")
    return (pair[0], pair[1])


def _one_of(*names: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in names:
            raise SpecError(f"one of {', '.join(names)} was wanted, found {_shown(value)}")
        return str(value)

    return read


def _list_of(read: Callable[[object], _T]) -> Callable[[object], tuple[_T, ...]]:
    def read_all(value: object) -> tuple[_T, ...]:
        if not isinstance(value, list):
            raise SpecError(f"a list was wanted, found {_shown(value)}")
        return tuple(read(one) for one in value)

    return read_all


def _optional(read: Callable[[object], _T]) -> Callable[[object], _T | None]:
    return lambda value: None if value is None else read(value)
