"""Where the final answer of a response is.

The rules are those of pivottrace's own verifier, the common part of them: marks first (a box, <answer> tags, "####", "the
answer is"), the latest wins; then, as far as the settings allow, a response that is nothing but an answer, its conclusion,
its last number. Thoughts are left out. A response is hostile text: every pattern is bounded, and long ones are cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_END = re.compile(r"(?:<\|[A-Za-z0-9_]{1,24}\|>|</s>|<eos>|<pad>|<end_of_turn>|\$\\(?:blacksquare|square|Box|qed)\$|[∎■])\s*\Z")
_THINK = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_BOX = re.compile(r"\\(?:boxed|fbox|framebox)(?![A-Za-z])(?:\[[^\[\]\n]{0,24}\]){0,2}\s{0,4}(\{?)")
_BARE = re.compile(r"\\[A-Za-z]{1,16}|\{[^{}\n]{0,64}\}|[^\s$\\{},;]+")
_TAG = re.compile(r"<(/?)(?:final[_ -]?)?answer(?:\s[^<>\n]{0,80})?>", re.IGNORECASE)
_HASHES = re.compile(r"(?<!#)#{4}(?!#)[ \t]{0,8}([^\n]*)")
_PHRASE = re.compile(
    r"(?<![A-Za-z0-9_])(?P<name>(?:final |correct |right |best )?(?:answers?|ans\.?|(?:correct|right|best) (?:option|choice)"
    r"|final (?:result|value|expression))|答案)(?:[ \t](?:to|for|of|in)[^.:\n$=]{0,60}?)?[*_\"'}\]]{0,3}[ \t]{0,3}"
    r"(?:(?P<sign>[:：=→])|(?P<verb>\s{1,3}(?:is|are|equals|was|would be|should be|must be|will be)(?![A-Za-z]))|(?P<han>[是为為]))",
    re.IGNORECASE,
)
_TALK = re.compile(
    r"(?<![A-Za-z])(?:if|whether|suppose|assume|unless|when|check|verify|sure|your|their|wrong|incorrect|first|each|any|no"
    r"|previous|other|what|which)(?: that)?(?: (?:the|our|my|final|correct|this))*\s{1,3}\Z",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"(?:\s+|\*{1,3}|_{2}|[:：=~](?!=)|\\(?:quad|qquad|[,;:! ])|(?:indeed|therefore|thus|then|hence|simply|just|exactly"
    r"|given by|clearly|now|about|approximately|is|are|option|choice)(?=[\s:,])[,:]?)",
    re.IGNORECASE,
)
_PROSE = re.compile(
    r"(?:not|correct|right|wrong|incorrect|plausible|reasonable|unique|clear|unclear|known|given|found|determined|likely"
    r"|also|the same|same|too|very|ok|okay|good|shown|boxed|above|below|left|what|how|why|where|when|whether|if|one of"
    r"|between|more|less|at (?:most|least)|because|since|as|it|we|you|in|on|only|still)(?![A-Za-z])",
    re.IGNORECASE,
)
_FORMULA = re.compile(r"\$\$(.{1,4000}?)\$\$|\\\[(.{1,4000}?)\\\]|\\\((.{1,4000}?)\\\)|(?<!\\)\$((?:\\.|[^$\\\n]){1,2000}?)\$", re.DOTALL)
_SENTENCE = re.compile(r"[.!?。](?=\s|\Z)|\n")
_NUMBER = r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:/\d+)?(?:e[+-]?\d{1,4})?\s?(?:\\?%)?"
_NUMBERS = re.compile(r"(?<![\w.])" + _NUMBER + r"(?![\w])", re.IGNORECASE)
_CUE = re.compile(
    r"(?<![A-Za-z])(?:is|are|was|were|be|equals?|gives?|gets?|obtain|yields?|leaves|has|have|makes?|totals?|costs?|earns?"
    r"|needs?|remains?|so|thus|hence|therefore|that|only|exactly|to)(?![A-Za-z])|[=：:是为得]",
    re.IGNORECASE,
)
_LETTER = re.compile(
    r"(?:(?<![A-Za-z])(?:option|choice|answer)\s{1,2}\(?|\(|\*\*\(?)([A-J])(?=[).*:\s]|\Z)|(?<![A-Za-z])([A-J])(?=[).]?\s*\Z)"
)
_PLAN = re.compile(
    r"(?<![A-Za-z])(?:how (?:many|much)|(?:must|need to|have to|want to|going to|try to|should|cannot|could not) (?:first )?"
    r"(?:find|solve|determine|compute|calculate|count)|let(?: us|'s| me)(?! know)|asks? (?:for|us|how))(?![A-Za-z])",
    re.IGNORECASE,
)
_EMPTY = re.compile(r"(?:\.{3}|…|\?+|_+|\s)*\Z")


@dataclass(frozen=True)
class Rules:
    """How far the search goes: which marks count, and what counts without one."""

    marks: tuple[str, ...] = ("boxed", "tag", "hashes", "phrase")
    unmarked: str = "conclusion"
    max_chars: int = 1_000_000


@dataclass(frozen=True)
class _Claim:
    at: int
    text: str
    firm: bool = True


def final_answer(response: str, seek: str, rules: Rules) -> str | None:
    """The final answer as it is written; `seek` is formula, number, letter, line or json. None where there is none."""
    text = response[-rules.max_chars :] if len(response) > rules.max_chars else response
    outside, inside = _scope(text)
    claims = _marked(outside, seek, rules.marks)
    if not claims and inside is not None:
        claims = _marked(inside, seek, tuple(mark for mark in rules.marks if mark != "phrase"))
    if claims:
        return max(claims, key=lambda claim: (claim.firm, claim.at)).text
    if rules.unmarked == "none" or _ends_in_box(outside):
        return None
    return _unmarked(outside[-20_000:], seek, rules.unmarked)


def _scope(text: str) -> tuple[str, str | None]:
    """What is addressed to the reader, and unfinished thoughts where there is no more than that."""
    end = text.rstrip()
    for _ in range(8):
        found = _END.search(end[-64:])
        if found is None:
            break
        end = end[: max(0, len(end) - 64) + found.start()].rstrip()
    first, opened, closed, behind = -1, -1, -1, 0
    for tag in _THINK.finditer(end):
        if tag.group(1):
            closed, behind, opened = tag.start(), tag.end(), -1
        else:
            first = tag.start() if first < 0 else first
            opened = tag.start() if opened < 0 else opened
    if closed >= 0 and not end[behind:].strip():
        before = 0 if first < 0 else min(first, closed)
        return end[:before].strip(), end[before:closed]
    if opened < 0:
        return end[behind:].strip(), None
    return end[behind:opened].strip(), end[opened:]


def _marked(text: str, seek: str, marks: tuple[str, ...]) -> list[_Claim]:
    claims: list[_Claim] = []
    if "boxed" in marks:
        claims += _boxes(text)
    if "tag" in marks:
        claims += _tags(text)
    if "hashes" in marks:
        claims += _hashes(text)
    if "phrase" in marks:
        claims += _phrases(text, seek)
    return claims


def _boxes(text: str) -> list[_Claim]:
    found: list[tuple[int, int, str]] = []
    opens: dict[int, int] = {}
    for box in _BOX.finditer(text):
        if box.group(1):
            opens[box.end() - 1] = box.start()
            continue
        bare = _BARE.match(text, box.end())
        if bare is not None and re.match(r"\d|\\[A-Za-z]|[A-Za-z][.)]?\Z", bare.group()):
            found.append((box.start(), bare.end(), tidied(bare.group())))
    stack: list[int] = []
    innermost = -1
    at = min(opens, default=len(text))
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "{":
            stack.append(at)
        elif char == "}" and stack:
            start = stack.pop()
            inner = text[start + 1 : at].strip()
            if start in opens and innermost < start and not _EMPTY.match(inner):
                found.append((opens[start], at + 1, _without_dollars(inner)))
                innermost = start
        at += 1
    return _joined(text, sorted(found)[-64:])


def _joined(text: str, boxes: list[tuple[int, int, str]]) -> list[_Claim]:
    """Boxes that are listed in one sentence are one answer."""
    claims: list[_Claim] = []
    group: list[tuple[int, int, str]] = []
    for box in boxes:
        if group and not _listed(text[group[-1][1] : box[0]]):
            claims.append(_Claim(group[-1][0], ", ".join(one for _, _, one in group)))
            group = []
        group.append(box)
    if group:
        claims.append(_Claim(group[-1][0], ", ".join(one for _, _, one in group)))
    return claims


def _listed(gap: str) -> bool:
    if len(gap) > 100 or re.search(r"\n\s*\n|[.?!。]\s", gap):
        return False
    if re.search(r"\b(?:no|not|wait|actually|instead|but|so|thus|then|which|equals?|check|becomes|or simply)\b", gap, re.I):
        return False
    return re.match(r"(?:\s|\$|[*_}.]|\\[)\]])*(?:[,;&、，；]|\\\\|\\q?quad|(?:and|or)\b|[和及与或])", gap) is not None


def _without_dollars(inner: str) -> str:
    if len(inner) > 2 and inner[0] == "$" and inner.find("$", 1) == len(inner) - 1:
        return inner[1:-1].strip()
    return inner


def _ends_in_box(text: str) -> bool:
    tail = text[-1024:]
    at = max(tail.rfind("\\boxed"), tail.rfind("\\fbox"))
    if at < 0 or not re.match(r"\\(?:boxed|fbox)\s{0,4}\{", tail[at:]):
        return False
    inner = re.sub(r"\\.", "", tail[at:], flags=re.DOTALL)
    return inner.count("{") > inner.count("}")


def _tags(text: str) -> list[_Claim]:
    claims: list[_Claim] = []
    opened: tuple[int, int] | None = None
    for tag in _TAG.finditer(text):
        if not tag.group(1):
            opened = (tag.start(), tag.end())
        elif opened is not None:
            claims.append(_Claim(opened[0], tidied(text[opened[1] : tag.start()])))
            opened = None
    if opened is not None:
        claims.append(_Claim(opened[0], tidied(text[opened[1] :].strip().split("\n", 1)[0])))
    return [claim for claim in claims[-8:] if not _EMPTY.match(claim.text)]


def _hashes(text: str) -> list[_Claim]:
    claims: list[_Claim] = []
    for found in list(_HASHES.finditer(text))[-8:]:
        answer = tidied(found.group(1))
        last = not text[found.end() :].strip()
        heading = re.match(r"(?:step|part|case|\d{1,2}[.):]\s)", answer, re.IGNORECASE)
        if _EMPTY.match(answer) or (not last and (heading or len(answer.split()) > 4 or not _is_value(answer, "formula"))):
            continue
        claims.append(_Claim(found.start(), answer))
    return claims


def _phrases(text: str, seek: str) -> list[_Claim]:
    claims: list[_Claim] = []
    for found in list(_PHRASE.finditer(text))[-64:]:
        if _TALK.search(text[max(0, found.start() - 48) : found.start()]):
            continue
        start = found.end()
        for _ in range(12):
            filler = _FILLER.match(text, start)
            if filler is None or filler.end() == start:
                break
            start = filler.end()
        stretch = text[start : start + 4096]
        answer = tidied(_sentence(stretch))
        asks = stretch[len(_sentence(stretch)) :].startswith("?")
        if _EMPTY.match(answer) or asks or (found.group("verb") and not re.match(r"[\d$\\]", answer) and _PROSE.match(answer)):
            continue
        short = _shortened(answer, seek)
        words = len(answer.split())
        if words > 8 and short == answer:
            continue
        claims.append(_Claim(found.start(), short, _is_value(short, seek) or words <= 4))
    return claims


def _sentence(stretch: str) -> str:
    """Up to the end of the sentence; a display formula that begins it is all of it."""
    display = re.match(r"\$\$.{1,4000}?\$\$|\\\[.{1,4000}?\\\]", stretch, re.DOTALL)
    if display is not None:
        return display.group()
    end = len(stretch)
    for stop in _SENTENCE.finditer(stretch):
        # A full stop inside a formula or before a digit ends nothing.
        if stretch.count("$", 0, stop.start()) % 2 == 0 or stop.group() == "\n":
            end = stop.start()
            break
    return stretch[:end]


def _shortened(answer: str, seek: str) -> str:
    """The value in what a phrase announces: a letter, a formula, a number with its unit."""
    if seek == "letter":
        found = re.match(r"[*_$\"'(\[]{0,4}([A-J])(?![A-Za-z])(?!\s(?:and|or|,))", answer)
        return found.group(1) if found else answer
    if seek == "line" or _is_value(answer, seek):
        return answer
    return _conclusion(answer, seek) or answer


def _is_value(answer: str, seek: str) -> bool:
    if seek == "letter":
        return re.fullmatch(r"[*_$\"'(\[]{0,4}[A-J][)\].*_$\"']{0,4}(?:[,\s].{0,80})?", answer) is not None
    if seek == "line":
        return True
    if not re.search(r"\d|\\[A-Za-z]|^[A-Za-z]\Z|[=^√π∞∅]", answer):
        return re.fullmatch(r"\(?[A-J]\)?[.:]?", answer) is not None
    return len(re.sub(r"\\[A-Za-z]+|\\text\{[^{}]*\}", " ", answer).split()) <= 12 and not re.search(
        r"[A-Za-z]{3,}(?:\s[A-Za-z]{2,}){3,}", answer
    )


def _unmarked(text: str, seek: str, depth: str) -> str | None:
    if seek == "json":
        return text or None
    whole = tidied(text)
    if whole and len(whole) <= 200 and "\n" not in whole and _is_bare(whole, seek):
        return whole
    if depth == "whole":
        return None
    found = _conclusion(text, seek)
    if found is None and whole and len(whole) <= 200 and "\n" not in whole:
        found = whole
    if found is None and depth == "last":
        found = _last(text, seek)
    return found


def _is_bare(whole: str, seek: str) -> bool:
    if seek == "letter":
        return _is_value(whole, "letter")
    if seek == "line":
        return len(whole.split()) <= 8 and not re.search(r"\*\*|(?<![A-Za-z])(?:is|are|was|were)(?![A-Za-z])", whole)
    if re.match(r"(?:is|are|so|thus|hence|=)(?![A-Za-z])", whole, re.IGNORECASE):
        return False
    return re.search(r"[A-Za-z]{2,}\s+[A-Za-z]{2,}", re.sub(r"\\[A-Za-z]+(?:\{[^{}]*\})?", "", whole)) is None


def _conclusion(text: str, seek: str) -> str | None:
    """What the last sentence that says something comes to."""
    paragraphs = [part for part in re.split(r"\n\s*\n", text.strip()) if part.strip()][-6:]
    if seek == "line":
        return _line(paragraphs[-1]) if paragraphs else None
    for paragraph in reversed(paragraphs):
        for sentence in reversed(_sentences(paragraph)[-8:]):
            if seek != "letter" and (_PLAN.search(sentence) or re.fullmatch(r"(?:step|part|case|problem) \d{1,3}", sentence, re.I)):
                return None
            found = _stated(sentence, seek)
            if found is not None:
                return found
    return None


def _sentences(paragraph: str) -> list[str]:
    parts: list[str] = []
    start = 0
    for stop in _SENTENCE.finditer(paragraph):
        if paragraph.count("$", start, stop.start()) % 2 == 0:
            parts.append(paragraph[start : stop.start()])
            start = stop.end()
    parts.append(paragraph[start:])
    return [part.strip() for part in parts if part.strip()]


def _stated(sentence: str, seek: str) -> str | None:
    if seek == "letter":
        letters = _LETTER.findall(sentence)
        return (letters[-1][0] or letters[-1][1]) if letters else None
    sentence = re.split(r"\s(?:because|since|as required|when|where|if)\s", sentence)[0]
    formulas = [next(filter(None, found)) for found in _FORMULA.findall(sentence)]
    formulas = [one for one in formulas if not re.fullmatch(r"\s*[A-Za-z]\s*", one)]
    if formulas:
        return tidied(formulas[-1])
    for cue in reversed(list(_CUE.finditer(sentence))[-12:]):
        number = _NUMBERS.match(sentence, cue.end() + len(sentence[cue.end() :]) - len(sentence[cue.end() :].lstrip(" *$")))
        rest = tidied(sentence[cue.end() :])
        if rest and _is_value(rest, seek) and re.match(r"[-\d\\(\[{√πxyz]", rest) and len(rest.split()) <= 4:
            return rest
        if number is not None:
            return _with_unit(sentence, number)
    numbers = list(_NUMBERS.finditer(sentence))
    return _with_unit(sentence, numbers[0]) if len(numbers) == 1 else None


def _with_unit(sentence: str, number: re.Match[str]) -> str:
    """The number and the word behind it: "2 minutes" is not 2 where hours are asked for."""
    unit = re.match(r"\s?\$?\s?[A-Za-z°]+(?:\^\{?\d\}?|/[A-Za-z]+)?", sentence[number.end() :])
    return number.group().strip() + ("" if unit is None else unit.group().replace("$", ""))


def _line(paragraph: str) -> str | None:
    bold = re.findall(r"\*\*([^*\n]{1,80})\*\*", paragraph)
    if bold:
        return tidied(bold[-1])
    sentences = _sentences(paragraph)
    if not sentences:
        return None
    said = list(re.finditer(r"(?<![A-Za-z])(?:is|are|was|were|called|named|be)(?![A-Za-z])|[:：=是为]", sentences[-1]))
    answer = tidied(sentences[-1][said[-1].end() :]) if said else tidied(paragraph)
    return answer if answer and len(answer.split()) <= 8 else None


def _last(text: str, seek: str) -> str | None:
    if seek == "letter":
        letters = _LETTER.findall(text)
        return (letters[-1][0] or letters[-1][1]) if letters else None
    if seek == "line":
        return tidied(text.strip().rsplit("\n", 1)[-1]) or None
    numbers = _NUMBERS.findall(text)
    return numbers[-1].strip() if numbers else None


def tidied(answer: str) -> str:
    """Without what writers put around an answer: blanks, Markdown, dollar signs, a closing full stop."""
    text = answer.strip()
    for _ in range(12):
        before = text
        text = re.sub(r"(?<!\.)(?<!\\)[.,;:?。，；]\Z", "", text).strip()
        for mark in ("***", "**", "__", "*", "```", "`"):
            if len(text) > 2 * len(mark) and text.startswith(mark) and text.endswith(mark):
                text = text[len(mark) : -len(mark)].strip()
            elif mark in ("**", "*") and text.count(mark) == 1 and (text.startswith(mark) or text.endswith(mark)):
                text = text.replace(mark, "").strip()
        formula = _FORMULA.fullmatch(text)
        if formula is not None:
            text = next(filter(None, formula.groups())).strip()
        if text == before:
            break
    return text
