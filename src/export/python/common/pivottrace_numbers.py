"""Numbers as people and models write them, exactly: integers, decimals, fractions, percent, powers of ten, with units."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

_FONTS = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mbox|emph|operatorname|boldsymbol)\s?\{([^{}]*)\}")
_PAIRS = (
    ("$$", "$$"),
    ("$", "$"),
    ("\\(", "\\)"),
    ("\\[", "\\]"),
    ("**", "**"),
    ("*", "*"),
    ("`", "`"),
    ('"', '"'),
    ("'", "'"),
    ("“", "”"),
)
_COMMANDS = ("\\boxed", "\\fbox", "\\text", "\\textbf", "\\displaystyle")
_DECIMAL = r"(?:\d+(?:\.\d*)?|\.\d+)"
_SCIENTIFIC = re.compile(rf"({_DECIMAL})(?:e|\\?\*10\^\{{?)([+-]?\d{{1,4}})\}}?", re.IGNORECASE)
_FRACTION = re.compile(rf"\\[dt]?frac(?:\{{(-?{_DECIMAL})\}}\{{(-?{_DECIMAL})\}}|(\d)(\d)|(\d)\{{({_DECIMAL})\}}|\{{({_DECIMAL})\}}(\d))")
_UNIT = re.compile(r"(?:\\?[A-Za-z°′″µΩ]+(?:\^\{?-?\d\}?)?[ ./*·]?){1,6}")
_NAMED = re.compile(r"(?:[A-Za-z](?:_\{?\w{1,6}\}?|')?|[A-Za-z]\([A-Za-z0-9]{1,3}\)|[A-Za-z ]{1,40})\s*(?:=|:|\\in)\s*(?=\S)")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

LONGEST_DIGITS = 4096
"""More digits than this are no number: Python refuses to read them, for its own protection."""


@dataclass(frozen=True)
class Number:
    """A value, whether a percent sign stood behind it, and the unit as it is written (without blanks, lower case)."""

    value: Fraction
    percent: bool = False
    unit: str = ""


def unwrapped(answer: str) -> str:
    """Without what only dresses an answer: boxes, dollar signs, Markdown, quotes, fonts, a closing full stop."""
    text = answer.strip()
    for _ in range(8):
        before = text
        text = _layer(text).strip()
        if text == before:
            break
    return text


def _layer(text: str) -> str:
    if re.search(r"[^.\\][.。]\Z", text):
        return text[:-1]
    for command in _COMMANDS:
        rest = text[len(command) :].lstrip()
        if not text.startswith(command):
            continue
        if command == "\\displaystyle":
            return rest
        if rest.startswith("{") and _closes_at_end(rest):
            return rest[1:-1]
    for opened, closed in _PAIRS:
        inner = text[len(opened) : len(text) - len(closed)]
        wrapped = len(text) > len(opened) + len(closed) and text.startswith(opened) and text.endswith(closed)
        if wrapped and closed not in inner.replace("\\$", "") and not inner.endswith("\\"):
            return inner
    return text


def _closes_at_end(text: str) -> bool:
    depth = 0
    skip = False
    for at, char in enumerate(text):
        if skip:
            skip = False
        elif char == "\\":
            skip = True
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return at == len(text) - 1
    return False


def without_fonts(text: str) -> str:
    r"""`\text{cm}` is "cm", wherever it stands."""
    for _ in range(8):
        inner = _FONTS.sub(r"\1", text)
        if inner == text:
            break
        text = inner
    return text


def plain(text: str) -> str:
    """One kind of dash, quote, blank and digit."""
    text = re.sub(r"[⁰¹²³⁴-⁹⁻]+", lambda found: "^{" + found.group().translate(_RAISED) + "}", text)
    text = re.sub(r"[¼-¾⅐-⅞↉]", lambda found: " " + found.group(), text)
    text = unicodedata.normalize("NFKC", text).replace("⁄", "/")
    text = re.sub(r"[‘’‚‛′]", "'", re.sub(r"[“-‟″«»]", '"', re.sub(r"[‐-―−]", "-", text)))
    return re.sub(r"[\u200b\u2060\ufeff]", "", text)


def number_of(answer: str) -> Number | None:
    """The number that an answer is, with its unit; None for all else, lists and expressions included."""
    text = plain(without_fonts(unwrapped(answer)))
    if len(text) > LONGEST_DIGITS:
        return None
    text = re.sub(r"\\(?:left|right|displaystyle|!|;|:|>|quad|qquad)(?![A-Za-z])|~", " ", text).replace("\\,", "").replace("{,}", ",")
    text = re.sub(r"\\(?:times|cdot)(?![A-Za-z])|[×·]", "*", text)
    text = re.sub(r"\s*\*\s*10\s*\^", "*10^", text)
    currency = re.search(r"[$€£¥]", text)
    found = _signed(re.sub(r"\\\$|[$€£¥]", "", text).strip())
    if found is None or currency is None or found.unit:
        return found
    return Number(found.value, found.percent, currency.group())


def _signed(text: str) -> Number | None:
    sign = 1
    while text[:1] in ("-", "+"):
        sign = -sign if text[0] == "-" else sign
        text = text[1:].strip()
    if len(text) > 2 and text[0] == "(" and text[-1] == ")" and "," not in text:
        inner = _signed(text[1:-1].strip())
        return None if inner is None else Number(sign * inner.value, inner.percent, inner.unit)
    value, rest = _leading(text)
    if value is None:
        return None
    percent, unit = False, ""
    rest = rest.strip()
    if re.match(r"\\?%|percent", rest):
        percent, value = True, value / 100
        rest = re.sub(r"\A(?:\\?%|percent)\s*", "", rest)
    if rest:
        rest = re.sub(r"\A\^?\{?\\(?:circ|degree)\}?|\A°", "degrees", rest)
        if _UNIT.fullmatch(rest) is None or re.search(r"\\(?:sqrt|pi|frac|ln|log|sin|cos|tan|infty|pm|cup|cap|in|mod)", rest):
            return None
        # "12x" is an expression, "12 apples" a number of them.
        if len(rest) == 1 and rest not in "mgsLlKNJWVA°":
            return None
        if re.fullmatch(r"pi|π|i|e", rest):
            return None
        unit = re.sub(r"\s+", "", rest).lower()
    return Number(sign * value, percent, unit)


def _leading(text: str) -> tuple[Fraction | None, str]:
    """The value that a text begins with and what stands behind it."""
    grouped = re.match(r"\d{1,3}(?:([, ])\d{3})(?:\1\d{3})*(?![\d,])(?:\.\d+)?", text)
    if grouped is not None:
        text = grouped.group().replace(",", "").replace(" ", "") + text[grouped.end() :]
    scientific = _SCIENTIFIC.match(text)
    if scientific is not None:
        value = Fraction(_digits(scientific.group(1))) * Fraction(10) ** int(scientific.group(2))
        return value, text[scientific.end() :]
    power = re.match(r"10\^\{?(-?\d{1,4})\}?", text)
    if power is not None:
        return Fraction(10) ** int(power.group(1)), text[power.end() :]
    whole = re.match(_DECIMAL, text)
    if whole is None:
        return _fraction(text, Fraction(0))
    value = Fraction(_digits(whole.group()))
    rest = text[whole.end() :]
    slash = re.match(rf"\s*/\s*({_DECIMAL})", rest)
    if slash is not None:
        bottom = Fraction(_digits(slash.group(1)))
        return (None, text) if bottom == 0 else (value / bottom, rest[slash.end() :])
    if "." not in whole.group():
        # "1 1/2" and "1\frac{1}{2}".
        mixed = re.match(r"\s+(\d{1,6})\s*/\s*(\d{1,6})", rest)
        if mixed is not None and int(mixed.group(2)) != 0:
            return value + Fraction(int(mixed.group(1)), int(mixed.group(2))), rest[mixed.end() :]
        if re.match(r"\s*\\[dt]?frac", rest):
            return _fraction(rest.lstrip(), value)
    if re.match(r"\d|\^(?!\{?\\circ)|\s+\d", rest):
        return None, text
    return value, rest


def _fraction(text: str, whole: Fraction) -> tuple[Fraction | None, str]:
    found = _FRACTION.match(re.sub(r"\s+", "", text[:200]) + text[200:])
    if found is None:
        return None, text
    top, bottom = (Fraction(_digits(part)) for part in found.groups() if part is not None)
    rest = re.sub(r"\s+", "", text[:200])[found.end() :] + text[200:]
    return (None, text) if bottom == 0 else (whole + top / bottom, rest)


def _digits(text: str) -> str:
    return text + "0" if text.endswith(".") else text


def name_of(answer: str) -> str:
    """The name of a value: "x" in "x = 5"; empty where there is none."""
    named = _NAMED.match(unwrapped(answer))
    return "" if named is None else re.sub(r"\s*(?:=|:|\\in)\s*\Z|\s", "", named.group())


def right_side(answer: str) -> str:
    """What a named value or a chain that ends in a number comes to: "x = 5" is 5. An equation stays as it is."""
    text = unwrapped(answer)
    if re.search(r"[<>≤≥≠,]|\\(?:le|ge|lt|gt|neq?|leq|geq)(?![A-Za-z])", text):
        return text
    named = _NAMED.match(text)
    if named is not None:
        text = text[named.end() :].strip()
    sides = re.split(r"(?<![<>!:])=(?!=)", text)
    if len(sides) == 1 or not sides[-1].strip():
        return text
    letters = re.search(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", "", "=".join(sides[:-1])))
    return text if letters and named is None else sides[-1].strip()


def near(a: Fraction, b: Fraction, relative: Fraction, absolute: Fraction) -> bool:
    """Whether two values are the same within a tolerance, relative to the larger one."""
    gap = abs(a - b)
    return gap == 0 or gap <= absolute or gap <= relative * max(abs(a), abs(b))


def same_number(a: Number, b: Number, relative: Fraction, absolute: Fraction) -> bool | None:
    """Equal or not; None where the two have units that are not written alike."""
    if a.unit and b.unit and a.unit != b.unit and a.unit.rstrip("s") != b.unit.rstrip("s"):
        return None
    if near(a.value, b.value, relative, absolute):
        return True
    if a.percent == b.percent:
        return False
    share, other = (a, b) if a.percent else (b, a)
    written = share.value * 100
    return abs(written) >= 1 and near(written, other.value, relative, absolute)
