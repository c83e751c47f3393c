"""Turns the assertions of a test into steps: `assert f(2) == 4` becomes the expression to evaluate and, apart from it, what
is expected, so that the program under test need not be told."""

import ast
import json
import sys

from answer import SHOWN, canonical


def _literal(node):
    try:
        return True, ast.literal_eval(node)
    except Exception:
        return False, None


def _assertion(test):
    text = ast.unparse(test)[:SHOWN]
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
        for one, other in ((test.left, test.comparators[0]), (test.comparators[0], test.left)):
            plain, value = _literal(other)
            if plain and not _literal(one)[0]:
                return {"value": ast.unparse(one), "accept": [json.dumps(canonical(value, False))], "text": text}
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return {"truth": ast.unparse(test.operand), "accept": ["false"], "text": text}
    return {"truth": ast.unparse(test), "accept": ["true"], "text": text}


def _opened(tree, entry):
    """The statements of `def check(candidate)` one by one, with `candidate` bound, where HumanEval's form is used."""
    body = []
    called = any(isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check" for node in ast.walk(tree))
    for node in tree.body:
        check = isinstance(node, ast.FunctionDef) and node.name == "check" and len(node.args.args) == 1
        if not check or called or not entry:
            body.append(node)
        elif any(isinstance(inner, (ast.Return, ast.Yield, ast.YieldFrom)) for inner in ast.walk(node)):
            body += [node, *ast.parse(f"check({entry})").body]
        else:
            body += [*ast.parse(f"{node.args.args[0].arg} = {entry}").body, *node.body]
    return body


def split(assertions, entry):
    steps = []
    for node in _opened(ast.parse(assertions), entry):
        if isinstance(node, ast.Assert):
            steps.append(_assertion(node.test))
        else:
            text = ast.unparse(node)
            steps.append({"run": text, "text": text.split("\n", 1)[0][:SHOWN]})
    return steps


def _calls(name, inputs, outputs):
    """Tests of a function in JSON. Numbers go through this process alone: JavaScript would round the large ones."""
    steps = []
    for given, wanted in zip(inputs, outputs):
        # A text holds one argument a line, each in JSON, and its result.
        arguments = [json.loads(line) for line in given.splitlines() if line.strip()] if isinstance(given, str) else given
        value = json.loads(wanted) if isinstance(given, str) and isinstance(wanted, str) else wanted
        accept = [json.dumps(canonical(value, True))]
        if isinstance(value, list) and len(value) == 1:
            accept.append(json.dumps(canonical(value[0], True)))
        text = f"{name}({', '.join(map(repr, arguments))}) == {value!r}"
        steps.append({"call": name, "arguments": json.dumps(arguments), "accept": accept, "text": text[:SHOWN]})
    return steps


def main():
    request = json.load(sys.stdin)
    if "function" in request:
        gold = json.loads(request["gold"])
        steps = _calls(request["function"], gold["inputs"], gold["outputs"])
    else:
        steps = split(request["assertions"], request.get("entry"))
    json.dump(steps, sys.stdout)
