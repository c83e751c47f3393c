"""Symbolic equality by math-verify, in a child process that is ended when it takes too long.

math-verify's own deadline is a signal, which threads cannot use, and trainers call rewards in threads; SymPy may run for
minutes on a tower of powers. The child reads LaTeX only: the plain-expression reader of SymPy evaluates Python. Where
math-verify is not installed every question is undecided.
"""

from __future__ import annotations

import json
import logging
import queue
import subprocess
import sys
import threading
from functools import lru_cache

logger = logging.getLogger(__name__)

_START_SECONDS = 120.0
_MEMORY_BYTES = 4 * 2**30


class Child:
    """One child process; answers one question at a time."""

    def __init__(self) -> None:
        """Starts nothing yet."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()
        self._missing = False

    def equal(self, gold: str, answer: str, seconds: float) -> bool | None:
        """Whether two answers are equal; None: undecided, too slow, or no math-verify."""
        with self._lock:
            if self._missing or not self._started():
                return None
            process = self._process
            if process is None or process.stdin is None:
                return None
            try:
                process.stdin.write(json.dumps([gold, answer]) + "\n")
                process.stdin.flush()
                reply = self._lines.get(timeout=seconds)
            except (OSError, queue.Empty):
                self._end()
                return None
            if reply == "":
                self._end()
                return None
            value = json.loads(reply)
            return value if isinstance(value, bool) else None

    def _started(self) -> bool:
        if self._process is not None and self._process.poll() is None:
            return True
        self._lines = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        threading.Thread(target=_pump, args=(self._process, self._lines), daemon=True).start()
        try:
            hello = self._lines.get(timeout=_START_SECONDS).strip()
        except queue.Empty:
            hello = ""
        if hello == '"ready"':
            return True
        self._end()
        self._missing = True
        logger.warning(
            "math-verify is not installed here (pip install math-verify): answers are compared as numbers, choices and text only."
        )
        return False

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None


def _pump(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    if process.stdout is not None:
        for line in process.stdout:
            lines.put(line)
    lines.put("")


_child = Child()


@lru_cache(maxsize=65536)
def symbolically_equal(gold: str, answer: str, seconds: float) -> bool | None:
    """Whether two answers are equal by math-verify; None where it cannot tell. Answers are kept: a group repeats itself."""
    return _child.equal(gold, answer, seconds)


def _serve() -> None:
    """The child: one question a line, one answer a line."""
    try:
        from math_verify import LatexExtractionConfig, parse, verify
    except ImportError:
        print('"missing"', flush=True)
        return
    _limit_memory()
    logging.disable(logging.CRITICAL)
    config = [LatexExtractionConfig()]
    # The first question loads a grammar: that is no part of anybody's deadline.
    verify(*(parse(f"${text}$", config, parsing_timeout=None) for text in ("x+1", "1+x")), timeout_seconds=None)
    print('"ready"', flush=True)
    for line in sys.stdin:
        result: bool | None = None
        try:
            sides = [parse(f"${text}$", config, parsing_timeout=None, raise_on_error=True) for text in json.loads(line)]
            if all(sides):
                result = bool(verify(sides[0], sides[1], float_rounding=12, timeout_seconds=None, raise_on_error=True))
        except Exception:
            # Whatever an answer does to SymPy, it is undecided.
            result = None
        print(json.dumps(result), flush=True)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


if __name__ == "__main__":
    _serve()
