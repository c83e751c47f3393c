"""A crew of Ray workers that go through chunks; a worker that is lost is replaced, and its chunk is made again."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import ray
from ray.exceptions import OutOfMemoryError, RayActorError, RayTaskError, WorkerCrashedError

from pivottrace_ray.progress import tell
from pivottrace_ray.spec import Head, Spec

ATTEMPTS = 3
"""How often a chunk is tried: one that kills its worker every time is not tried for ever."""

QUIET_SECONDS = 30.0
"""After so long without a worker, say what the job waits for."""

LOST = (RayActorError, WorkerCrashedError, OutOfMemoryError)


class CrewError(RuntimeError):
    """No worker can do this job."""


class Crew:
    """``spec.workers.count`` actors; those that the cluster has room for work, the others come when there is."""

    def __init__(self, spec: Spec) -> None:
        # Imported by the worker: the driver needs neither torch nor a GPU.
        actor: Any = ray.remote(_RemoteWorker)
        options = {
            "num_cpus": spec.workers.cpus,
            "num_gpus": spec.workers.gpus,
            "max_restarts": -1,
            "max_task_retries": 0,
        }
        self._actors: list[Any] = [actor.options(**options).remote(spec) for _ in range(spec.workers.count)]
        self._starting: dict[Any, Any] = {one.ready.remote(): one for one in self._actors}
        self._idle: list[Any] = []
        self._quiet_since = time.monotonic()
        self.shape: tuple[int, int] | None = None

    def go_through(
        self,
        chunks: Sequence[str],
        heads: Sequence[Head] | None,
        done: Callable[[str, int, int], None],
    ) -> list[str]:
        """Make the shards of ``chunks``; ``done`` hears chunk, responses and tokens. Returns chunks that failed."""
        waiting = deque(chunks)
        attempts = dict.fromkeys(chunks, 0)
        running: dict[Any, tuple[str, Any]] = {}
        failed: list[str] = []
        while waiting or running:
            while waiting and self._idle:
                actor, chunk = self._idle.pop(), waiting.popleft()
                attempts[chunk] += 1
                running[actor.run.remote(chunk, heads)] = (chunk, actor)
            ended, _ = ray.wait([*running, *self._starting], num_returns=1, timeout=5)
            if not ended:
                self._complain_of_waiting(bool(running))
                continue
            if ended[0] in self._starting:
                self._started(ended[0])
                continue
            chunk, actor = running.pop(ended[0])
            reason = self._outcome(ended[0], chunk, actor, done)
            if reason is None:
                continue
            if attempts[chunk] < ATTEMPTS:
                waiting.append(chunk)
            else:
                failed.append(chunk)
                tell("failed", chunk=chunk, reason=reason)
        return failed

    def wait_for_one(self) -> tuple[int, int]:
        """Layers and heads of the model, as soon as one worker has loaded it."""
        while self.shape is None:
            ended, _ = ray.wait(list(self._starting), num_returns=1, timeout=5)
            if ended:
                self._started(ended[0])
            else:
                self._complain_of_waiting(False)
        return self.shape

    def _started(self, ref: Any) -> None:
        actor = self._starting.pop(ref)
        try:
            self.shape = ray.get(ref)
        except LOST as error:
            if getattr(error, "actor_init_failed", False):
                # Every other worker would fail as this one did: no checkpoint, no memory, no package.
                raise CrewError(f"a worker cannot start: {error}") from error
            self._lost(actor, "while it started", error)
        except RayTaskError as error:
            raise CrewError(f"a worker cannot start: {error}") from error
        else:
            self._idle.append(actor)

    def _outcome(self, ref: Any, chunk: str, actor: Any, done: Callable[[str, int, int], None]) -> str | None:
        """Take in what came of a chunk; the reason where it was not made."""
        try:
            responses, tokens = ray.get(ref)
        except LOST as error:
            self._lost(actor, f"at chunk {chunk}", error)
            return "its worker was lost"
        except RayTaskError as error:
            self._idle.append(actor)
            reason = str(error.cause)[:500]
            tell("trouble", chunk=chunk, reason=reason)
            return reason
        self._idle.append(actor)
        self._quiet_since = time.monotonic()
        done(chunk, responses, tokens)
        return None

    def _lost(self, actor: Any, when: str, error: Exception) -> None:
        tell("lost", when=when, reason=str(error).strip().splitlines()[0][:300])
        # Ray restarts it, here or on another node, and the call waits for that.
        self._starting[actor.ready.remote()] = actor

    def _complain_of_waiting(self, is_working: bool) -> None:
        if is_working or time.monotonic() - self._quiet_since < QUIET_SECONDS:
            return
        self._quiet_since = time.monotonic()
        tell("waiting", free=_resources(ray.available_resources()), all=_resources(ray.cluster_resources()))


def _resources(amounts: dict[str, float]) -> dict[str, float]:
    return {name: amounts.get(name, 0.0) for name in ("CPU", "GPU")}


class _RemoteWorker:
    """The worker as Ray starts it."""

    def __init__(self, spec: Spec) -> None:
        from pivottrace_ray.worker import Worker

        self._worker = Worker(spec)

    def ready(self) -> tuple[int, int]:
        return self._worker.ready()

    def run(self, chunk: str, heads: Sequence[Head] | None) -> tuple[int, int]:
        return self._worker.run(chunk, heads)
