"""JSON by value: numbers exactly, keys in any order."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any


def same_json(gold: str, answer: str) -> bool | None:
    """Whether two answers are the same JSON value; False where the answer is none, None where the gold is none."""
    try:
        wanted = _json(gold)
    except ValueError:
        return None
    fenced = re.findall(r"```(?:json)?\s*\n(.*?)```", answer, re.DOTALL)
    try:
        return bool(wanted == _json(fenced[-1] if fenced else answer))
    except ValueError:
        return False


def _json(text: str) -> Any:
    """Numbers are exact, and a key that comes twice is refused; true is not 1."""

    def members(pairs: list[tuple[str, Any]]) -> Any:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key that comes twice")
        return found

    def number(digits: str) -> tuple[str, Fraction]:
        if len(digits) > 4096 or abs(int((re.findall(r"[eE]([+-]?\d+)", digits[-12:]) or ["0"])[0])) > 4096:
            raise ValueError("a number beyond all bounds")
        return ("number", Fraction(digits))

    try:
        return json.loads(text, parse_float=number, parse_int=number, parse_constant=_refused, object_pairs_hook=members)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refused(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
