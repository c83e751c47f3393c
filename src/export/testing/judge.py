"""Judges lines of JSON as the exported rewards do: {"gold", "response", "spec"} in, true, false or null out."""

import json
import sys
from fractions import Fraction
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python" / "common"))

from pivottrace_answers import Settings, Spec, judge, majority

for line in sys.stdin:
    task = json.loads(line)
    given = task["spec"]
    spec = Spec(
        kind=given.get("kind", "auto"),
        relative=Fraction(given.get("relative", "0")),
        options=tuple((given.get("options") or {}).items()),
        several=given.get("several", False),
    )
    if "responses" in task:
        vote = majority(task["responses"], spec, Settings(spec, {}, "zero", task["share"], 2))
        print(json.dumps({"classes": vote.classes, "winner": vote.winner}))
    else:
        print(json.dumps(judge(task["response"], task["gold"], spec)))
