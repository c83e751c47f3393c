"""Is an answer right, and what do most answers of a group say? The training side's copy of pivottrace's verifier.

It decides as pivottrace does for numbers, fractions, choices, text and JSON, asks math-verify for the rest where that is
installed, and says "undecided" instead of guessing. How answers are read is in reward.json beside this file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from pivottrace_extract import Rules, final_answer
from pivottrace_json import same_json
from pivottrace_numbers import Number, name_of, number_of, plain, right_side, same_number, unwrapped, without_fonts
from pivottrace_symbolic import symbolically_equal

SEEK = {"auto": "formula", "math": "formula", "number": "number", "choice": "letter", "text": "line", "json": "json"}
_MOST_LEADERS = 63


@dataclass(frozen=True)
class Spec:
    """How the answers of one source are read and compared."""

    kind: str = "auto"
    rules: Rules = field(default_factory=Rules)
    relative: Fraction = Fraction(0)
    absolute: Fraction = Fraction(0)
    equations: str = "value"
    units: str = "optional"
    options: tuple[tuple[str, str], ...] = ()
    several: bool = False
    exact: bool = False
    case_matters: bool = False
    punctuation: str = "matters"
    max_answer_chars: int = 4096
    deadline_seconds: float = 5.0

    @staticmethod
    def of(value: dict[str, Any]) -> Spec:
        """Reads one part of reward.json."""
        return Spec(
            kind=value["kind"],
            rules=Rules(tuple(value["marks"]), value["unmarked"], value["max_response_chars"]),
            relative=Fraction(value["relative"]),
            absolute=Fraction(value["absolute"]),
            equations=value["equations"],
            units=value["units"],
            options=tuple((value["options"] or {}).items()),
            several=value["several"],
            exact=value["exact"],
            case_matters=value["case_matters"],
            punctuation=value["punctuation"],
            max_answer_chars=value["max_answer_chars"],
            deadline_seconds=value["deadline_seconds"],
        )


@dataclass(frozen=True)
class Settings:
    """reward.json: the specs, and what makes a majority usable."""

    common: Spec | None
    sources: dict[str, Spec]
    undecided: str
    min_vote_share: float
    min_votes: int

    @staticmethod
    def load(path: Path | None = None) -> Settings:
        """Reads reward.json beside this file, or `path`."""
        file = path or Path(__file__).resolve().parent / "reward.json"
        value = json.loads(file.read_text(encoding="utf-8"))
        return Settings(
            common=None if value["common"] is None else Spec.of(value["common"]),
            sources={name: Spec.of(spec) for name, spec in value["sources"].items()},
            undecided=value["undecided"],
            min_vote_share=value["min_vote_share"],
            min_votes=value["min_votes"],
        )

    def of(self, source: str) -> Spec:
        """The spec of a source. KeyError for one that nobody here can judge."""
        spec = self.sources.get(source, self.common)
        if spec is None:
            raise KeyError(f"no reward for answers of the source {source!r}")
        return spec


@dataclass(frozen=True)
class Majority:
    """The votes of one group: a class per response (-1 for none), and the winner where it is usable."""

    classes: tuple[int, ...]
    winner: int | None
    share: float
    answer: str | None


def judge(response: str, gold: str, spec: Spec) -> bool | None:
    """Is the response right? False without a final answer; None: undecided."""
    found = final_answer(response, SEEK[spec.kind], spec.rules)
    if found is None:
        return False
    return equal(_gold(gold, spec), found, spec)


def _gold(gold: str, spec: Spec) -> str:
    """A gold answer is taken as it is, but for a worked solution that marks its answer."""
    if spec.kind != "json" and ("boxed{" in gold or "####" in gold):
        return final_answer(gold, SEEK[spec.kind], Rules(("boxed", "hashes"), "none")) or gold
    return gold


@lru_cache(maxsize=65536)
def equal(gold: str, answer: str, spec: Spec) -> bool | None:
    """Whether two answers are the same; None where that cannot be said."""
    if max(len(gold), len(answer)) > spec.max_answer_chars:
        return None
    if spec.kind == "text":
        return _normal(gold, spec) == _normal(answer, spec)
    if spec.kind == "json":
        return same_json(gold, answer)
    if spec.kind == "choice":
        return _same_choice(gold, answer, spec)
    return _same_value(gold, answer, spec)


def majority(responses: Sequence[str], spec: Spec, settings: Settings) -> Majority:
    """What most responses of a group answer, by equivalence and not by writing. A tie or too few votes have no winner."""
    answers = [final_answer(response, SEEK[spec.kind], spec.rules) for response in responses]
    leaders: list[str] = []
    classes: list[int] = []
    for answer in answers:
        if answer is None or not unwrapped(answer):
            classes.append(-1)
            continue
        own = next((at for at, leader in enumerate(leaders[:_MOST_LEADERS]) if _same_class(leader, answer, spec)), None)
        if own is None:
            own = len(leaders)
            leaders.append(answer)
        classes.append(own)
    counts = [classes.count(index) for index in range(len(leaders))]
    votes = max(counts, default=0)
    share = votes / len(responses) if responses else 0.0
    usable = votes >= settings.min_votes and share >= settings.min_vote_share and counts.count(votes) == 1
    winner = counts.index(votes) if usable else None
    return Majority(tuple(classes), winner, share, None if winner is None else leaders[winner])


def _same_class(leader: str, answer: str, spec: Spec) -> bool:
    return leader == answer or equal(leader, answer, spec) is True


def _same_value(gold: str, answer: str, spec: Spec) -> bool | None:
    a, b = unwrapped(gold), unwrapped(answer)
    if not a or not b:
        return None if not a and not b else False
    if spec.kind == "auto":
        chosen = _same_letter(a, b)
        if chosen is not None:
            return chosen
    if spec.kind != "number" and _same_text(a, b):
        return True
    numbers = _numbers(a, b, spec)
    if numbers is not None:
        same = same_number(*numbers, spec.relative, spec.absolute)
        if same is True and spec.units == "required" and numbers[0].unit != numbers[1].unit:
            return None
        return same
    if spec.kind == "number":
        return None
    items = _same_items(a, b, spec)
    if items is not None:
        return items
    if _words(a) and _words(b):
        return False
    return _symbolic(a, b, spec)


def _numbers(a: str, b: str, spec: Spec) -> tuple[Number, Number] | None:
    if spec.equations == "value" and _same_name(a, b):
        a, b = right_side(a), right_side(b)
    x, y = number_of(a), number_of(b)
    return None if x is None or y is None else (x, y)


def _same_name(a: str, b: str) -> bool:
    """Whether two values may be compared without their names: not "x = 5" and "y = 5"."""
    x, y = name_of(a), name_of(b)
    return x in ("", y) or y == ""


_SIGNS = {
    **{
        "π": r"\pi ",
        "∞": r"\infty ",
        "∪": r"\cup ",
        "∩": r"\cap ",
        "≤": r"\le ",
        "≥": r"\ge ",
        "≠": r"\ne ",
        "±": r"\pm ",
    },
    **{
        "·": r"\cdot ",
        "×": r"\times ",
        "∈": r"\in ",
        "ℝ": r"\mathbb{R}",
        "ℤ": r"\mathbb{Z}",
        "∅": r"\emptyset ",
        "θ": r"\theta ",
    },
    **{"√": r"\sqrt", "\\varnothing": r"\emptyset ", "\\mathrm{e}": "e", "，": ",", "（": "(", "）": ")"},
}


def _latex(text: str) -> str:
    """Signs of Unicode as math-verify reads them."""
    found = text
    for sign, command in _SIGNS.items():
        found = found.replace(sign, command)
    found = re.sub(r"\\sqrt(?=[0-9A-Za-z])([0-9]+|[A-Za-z])", r"\\sqrt{\1}", found)
    return plain(found) if not found.isascii() else found


def _symbolic(a: str, b: str, spec: Spec) -> bool | None:
    """math-verify takes words for products of letters and drops names, units and bases: such are never put before it."""
    if _words(a) or _words(b):
        return False if _words(a) and _words(b) else None
    if spec.equations == "value":
        if not _same_name(a, b):
            return None
        a, b = right_side(a), right_side(b)
    # Nor are "5 9" and "9 5", which it takes for products.
    if re.search(r"\d_\{?\d|\d\s+\d", f"{a}|{b}"):
        return None
    a, b = _latex(a), _latex(b)
    return symbolically_equal(a, b, spec.deadline_seconds)


def _words(text: str) -> bool:
    bare = re.sub(r"\\[A-Za-z]+", "", without_fonts(text))
    return "\\" not in text and re.search(r"[A-Za-z]{3,}", bare) is not None and not re.search(r"[\d=^+*/]", bare)


def _same_text(a: str, b: str) -> bool:
    if a == b:
        return True
    words = re.compile(r"[^\W\d_](?:[^\W\d_]|[\s.,'-])*\Z")
    x, y = plain(without_fonts(a)), plain(without_fonts(b))
    if len(x) > 1 and words.match(x) and words.match(y):
        return " ".join(x.split()).rstrip(".!").casefold() == " ".join(y.split()).rstrip(".!").casefold()
    return re.sub(r"\s+", "", a) == re.sub(r"\s+", "", b) and not re.search(r"\d\s+\d", f"{a}|{b}")


_CHOICE = re.compile(
    r"(?:(?:option|choice|answer)\s{0,4}:?\s{0,4})?(?P<dress>[(\[]?\s?)(?P<letter>[A-Za-z])\s?[)\]]?[.:]?",
    re.IGNORECASE,
)
_LABELLED = re.compile(r"(?:option\s|choice\s)?(?:[(\[]([A-Z])[)\]]|([A-J])[).:])\s{0,4}(?=\S)(?![,;&]|and\b|or\b)")


def _letter(text: str) -> tuple[str, str] | None:
    """The letter of a choice and what stands behind it."""
    short = re.sub(r"[{}$*]", "", without_fonts(text[:400])).strip()
    bare = _CHOICE.fullmatch(short)
    if bare is not None:
        letter = bare.group("letter")
        dressed = bare.group("dress").strip() or re.search(r"option|choice", short, re.IGNORECASE)
        return (letter.upper(), "") if letter.isupper() or dressed else None
    labelled = _LABELLED.match(short)
    if labelled is None:
        return None
    return labelled.group(1) or labelled.group(2), short[labelled.end() :]


def _same_letter(a: str, b: str) -> bool | None:
    x, y = _letter(a), _letter(b)
    return None if x is None or y is None else x[0] == y[0]


def _same_choice(gold: str, answer: str, spec: Spec) -> bool | None:
    a, b = _chosen(gold, spec), _chosen(answer, spec)
    if a is None or b is None:
        return _same_text(unwrapped(gold), unwrapped(answer)) or None
    return a == b


def _chosen(answer: str, spec: Spec) -> tuple[str, ...] | None:
    """The letters that an answer names: sorted where several may be right, one or in order where not."""
    text = plain(without_fonts(unwrapped(answer)))
    text = re.sub(
        r"\A(?:the\s)?(?:final\s|correct\s)?(?:answer|option|choice)s?(?:\s(?:is|are))?\s?:?\s*",
        "",
        text,
        flags=re.IGNORECASE,
    )
    known = {label.upper() for label, _ in spec.options}
    bare = text.strip("{}[]() .:").upper()
    if bare in known:
        return (bare,)
    pieces = [piece.strip("()[].:") for piece in re.split(r"\s*(?:[,;&+/、]|\band\b|\s)\s*", text.strip("{}[]")) if piece]
    if pieces and all(re.fullmatch(r"[A-Z]", piece) for piece in pieces):
        return tuple(sorted(set(pieces))) if spec.several else tuple(pieces)
    if spec.several and re.fullmatch(r"[A-Z]{2,8}", text):
        return tuple(sorted(set(text)))
    letter = _letter(text)
    if letter is not None:
        return (letter[0],)
    named = [label for label, option in spec.options if _normal(option, spec) == _normal(text, spec)]
    return (named[0].upper(),) if len(named) == 1 else None


_OPEN, _CLOSE = "([{", ")]}"


def _same_items(a: str, b: str, spec: Spec) -> bool | None:
    """Tuples in order, sets and bare lists in any; None where one of the two is neither."""
    x, y = _items(a), _items(b)
    if x is None or y is None:
        return None
    if x[0] != y[0] and "bare" not in (x[0], y[0]):
        return None
    if len(x[1]) != len(y[1]):
        return False
    if "tuple" in (x[0], y[0]):
        return _all(_same_value(p, q, spec) for p, q in zip(x[1], y[1], strict=True))
    names = [[name_of(part) for part in side[1]] for side in (x, y)]
    if all(map(all, names)) and sorted(names[0]) != sorted(names[1]):
        return None
    rest = list(y[1])
    for item in x[1]:
        verdicts = [_same_value(item, other, spec) for other in rest]
        if True not in verdicts:
            return None if None in verdicts else False
        rest.pop(verdicts.index(True))
    return True


def _all(verdicts: Any) -> bool | None:
    seen = list(verdicts)
    if False in seen:
        return False
    return None if None in seen else True


def _items(text: str) -> tuple[str, list[str]] | None:
    body = re.sub(r"\\(?:left|right|,|;|!|quad)(?![A-Za-z])", "", text).replace("\\{", "{").replace("\\}", "}").strip()
    kind = "bare"
    if len(body) > 1 and body[0] in "({" and body[-1] == _CLOSE[_OPEN.index(body[0])] and _balanced(body[1:-1]):
        kind = "tuple" if body[0] == "(" else "set"
        body = body[1:-1]
    elif body[:1] in "([" or body[-1:] in ")]":
        return None
    parts = _split(re.sub(r"\s(?:and|or)\s", ", ", without_fonts(body)))
    if len(parts) < 2 or any(not part for part in parts):
        return None
    return kind, parts


def _balanced(body: str) -> bool:
    depth = 0
    for char in body:
        depth += (char in _OPEN) - (char in _CLOSE)
        if depth < 0:
            return False
    return depth == 0


def _split(body: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for at, char in enumerate(body):
        depth += (char in _OPEN) - (char in _CLOSE)
        if char in ",;" and depth == 0 and not (re.match(r",\d{3}(?!\d)", body[at:]) and re.search(r"\d\Z", body[:at])):
            parts.append(body[start:at].strip())
            start = at + 1
    return [*parts, body[start:].strip()]


def _normal(text: str, spec: Spec) -> str:
    """The form in which texts that a reader takes as the same are the same."""
    if spec.exact:
        return text.strip()
    found = unwrapped(plain(without_fonts(unwrapped(text)).replace("**", "")))
    found = re.sub(r"\\[ ,;!]|~", " ", found)
    if not spec.case_matters:
        found = found.upper().casefold()
    if spec.punctuation == "ignored":
        found = re.sub(r"(?<!\d)[.']|[.'](?!\d)", "", found)
        found = re.sub(r"[^\w\s.,:/'-]|(?<!\d)[,:/]|[,:/](?!\d)|(?<=\w)-|-(?!\d)", " ", found)
    return " ".join(found.split())
