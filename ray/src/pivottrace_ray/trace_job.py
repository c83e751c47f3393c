"""The job: ``python -m pivottrace_ray.trace_job --spec FILE``, run under Ray. Does what is missing and ends.

Exit codes: 0 all shards are there; 1 some are not, or the job cannot be done (the last event says why).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import ray

from pivottrace_ray.crew import Crew, CrewError
from pivottrace_ray.heads import select_heads
from pivottrace_ray.progress import tell
from pivottrace_ray.shards import good_shard, mean_distances
from pivottrace_ray.spec import Head, Spec, SpecError, load_spec

TELL_SECONDS = 2.0
"""Progress is told at most so often: the log is read over and over while the job runs."""


class _Counter:
    """Chunks, responses and tokens so far; tells them now and then."""

    def __init__(self, chunks: int) -> None:
        self._chunks = chunks
        self._done = 0
        self._responses = 0
        self._tokens = 0
        self._told = 0.0

    def add(self, _chunk: str, responses: int, tokens: int) -> None:
        self._done += 1
        self._responses += responses
        self._tokens += tokens
        now = time.monotonic()
        if now - self._told < TELL_SECONDS and self._done < self._chunks:
            return
        self._told = now
        tell(
            "progress",
            chunks=self._done,
            of=self._chunks,
            responses=self._responses,
            tokens=self._tokens,
        )


def run(spec: Spec) -> list[str]:
    """Make the shards that are missing; returns the chunks that could not be made."""
    profile_chunks = spec.profile.chunks if spec.profile else ()
    profile_missing = _missing(spec, profile_chunks)
    missing = _missing(spec, spec.chunks)
    counter = _Counter(len(profile_missing) + len(missing))
    tell("start", chunks=len(profile_missing) + len(missing), there=len(spec.chunks) - len(missing))
    if not profile_missing and not missing:
        return []
    crew = Crew(spec)
    failed = crew.go_through(profile_missing, None, counter.add)
    if failed:
        return failed
    return crew.go_through(missing, _heads(spec, crew), counter.add)


def _missing(spec: Spec, chunks: Sequence[str]) -> list[str]:
    return [chunk for chunk in chunks if good_shard(spec.shards, chunk) is None]


def _heads(spec: Spec, crew: Crew) -> tuple[Head, ...]:
    """Return the heads of the job, or those that the profile chooses."""
    if spec.heads is not None or spec.profile is None:
        return spec.heads or ()
    layers, heads = crew.wait_for_one()
    distances = mean_distances(spec.shards, spec.profile.chunks)
    chosen = select_heads(distances.tolist(), layers, heads, spec.profile.psi, spec.profile.min_heads)
    tell("heads", chosen=[list(head) for head in chosen])
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job that the arguments name."""
    parser = argparse.ArgumentParser(prog="pivottrace_ray.trace_job")
    parser.add_argument("--spec", type=Path, required=True, help="the job, as pivottrace wrote it")
    try:
        spec = load_spec(parser.parse_args(arguments).spec)
        ray.init(log_to_driver=True, ignore_reinit_error=True)
        failed = run(spec)
    except (SpecError, CrewError, OSError) as error:
        tell("error", reason=str(error)[:2000])
        return 1
    if failed:
        tell("error", reason=f"{len(failed)} chunks could not be made: {', '.join(failed[:10])}")
        return 1
    tell("finish")
    return 0


if __name__ == "__main__":
    sys.exit(main())
