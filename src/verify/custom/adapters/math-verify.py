"""The Python package math-verify as a verifier: JSON lines on stdin and stdout (docs/guide/custom-verifiers.md).

    pip install math-verify==0.9.0
    python math-verify.py [--timeout SECONDS]

A gold answer that math-verify cannot read is undecided; a response in which it finds no answer is wrong. The timeout
(default 5) is math-verify's own, for each of reading and comparing; it works by a signal and so needs the main thread,
which it has here. The file's name has a dash on purpose: as math_verify.py it would hide the package.
"""

import argparse
import json
import logging
import os
import re
import sys


# Three letters in a row, or a short word of prose. Other pairs of letters are products (ab + ac, e^{it}, ax + by) or units.
WORD = re.compile(r"[a-z]{3}|\b(?:es|if|is|no|of|on|so|to|we)\b", re.IGNORECASE)


def has_words(text):
    """Whether there is more than mathematics, LaTeX commands aside."""
    return WORD.search(re.sub(r"\\[A-Za-z]+", " ", text)) is not None


def main():
    options = argparse.ArgumentParser(description="math-verify as a verifier")
    options.add_argument("--timeout", type=int, default=5, help="seconds for one step")
    timeout = options.parse_args().timeout
    # The protocol keeps stdout for itself: what a library prints goes to stderr.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    logging.disable(logging.WARNING)
    from math_verify import parse, verify

    def read(text, bare):
        """What math-verify reads in a text; bare LaTeX is read as such only between dollar signs."""
        marked = "$" in text or "\\boxed" in text or "\n" in text
        if not marked and (bare or not has_words(text)):
            found = parse("$" + text + "$", parsing_timeout=timeout)
            if found:
                return found
        return parse(text, parsing_timeout=timeout)

    def judge(gold_text, response, bare):
        gold = read(gold_text, True)
        if not gold:
            return "undecided", "math-verify cannot read the gold answer"
        answer = read(response, bare)
        if not answer:
            return "wrong", "math-verify finds no answer in the response"
        same = verify(gold, answer, timeout_seconds=timeout, raise_on_error=True)
        return ("right", "the same by math-verify") if same else ("wrong", "not the same by math-verify")

    for line in sys.stdin:
        reply = {"id": -1}
        try:
            asked = json.loads(line)
            reply["id"] = asked["id"]
            verdict, reason = judge(asked["gold"], asked["response"], asked.get("bare", False))
        except Exception as error:
            verdict, reason = "undecided", type(error).__name__ + ": " + str(error)[:200]
        reply.update(verdict=verdict, reason=reason)
        # ASCII only: lone surrogates cannot be written as UTF-8.
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
