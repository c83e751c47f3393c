"""The life of one answer in its confined process: its program, then the steps of its tests where there are some.

Everything here shares the process with the program and can be tampered with by it. So what is expected of a value is not
known here: values are written down (`canonical`) and compared outside.
"""

import atexit
import io
import json
import os
import random
import sys
import threading
import traceback
import types

SHOWN = 200


def canonical(value, loose):
    """A JSON value such that two plain Python values are equal (`==`) where theirs are; ValueError for what is not plain.

    `loose` is for tests that were written as JSON: tuples, sets, deques and arrays count as lists.
    """
    if value is None:
        return ["none"]
    if type(value).__module__ == "numpy":
        value = value.tolist() if loose or getattr(value, "ndim", 1) == 0 else value
    if isinstance(value, str):
        return ["text", "".join(value)]
    if isinstance(value, (bytes, bytearray)):
        return ["bytes", bytes(value).hex()]
    if isinstance(value, complex):
        if value.imag == 0:
            return canonical(value.real, loose)
        return ["complex", canonical(value.real, loose), canonical(value.imag, loose)]
    if hasattr(value, "as_integer_ratio"):
        if value != value:
            return ["nan"]
        if value in (float("inf"), float("-inf")):
            return ["infinite", value > 0]
        above, below = value.as_integer_ratio()
        return ["number", hex(above), hex(below)]
    if isinstance(value, dict):
        pairs = [[canonical(key, loose), canonical(item, loose)] for key, item in value.items()]
        if loose and all(isinstance(key, (int, float)) for key in value):
            pairs = [[["text", json.dumps(key)], item] for key, (_, item) in zip(value, pairs)]
        return ["dict", *sorted(pairs, key=json.dumps)]
    if isinstance(value, list):
        return ["list", *(canonical(item, loose) for item in value)]
    if isinstance(value, tuple):
        return ["list" if loose else "tuple", *(canonical(item, loose) for item in value)]
    if isinstance(value, (set, frozenset)):
        return ["set", *sorted((canonical(item, loose) for item in value), key=json.dumps)]
    if loose and hasattr(value, "__iter__"):
        return ["list", *(canonical(item, loose) for item in value)]
    raise ValueError(f"a value of type {type(value).__name__}, which cannot be compared")


def shown(value):
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _find(name, names):
    """A function by its name: of the program, or a method of its class Solution."""
    if name in names:
        return names[name]
    solution = names.get("Solution")
    if solution is not None and hasattr(solution, name):
        return getattr(solution(), name)
    raise NameError(f"no function {name} is defined")


def _take(step, names):
    """What one step gives: its value, or that it ran."""
    if "run" in step:
        exec(compile(step["run"], "tests.py", "exec"), names)
        return {}
    if "truth" in step:
        value = bool(eval(compile(step["truth"], "tests.py", "eval"), names))
        return {"value": json.dumps(value), "shown": str(value)}
    if "call" in step:
        value, loose = _find(step["call"], names)(*json.loads(step["arguments"])), True
    else:
        value, loose = eval(compile(step["value"], "tests.py", "eval"), names), False
    try:
        return {"value": json.dumps(canonical(value, loose)), "shown": shown(value)}
    except ValueError as error:
        return {"value": "", "shown": str(error)}


def _fault(error):
    name = type(error).__name__
    return f"{name}: {error}"[:SHOWN] if str(error) else name


def _steps(names, channel, source):
    """Says that the program is loaded, is given the steps, and answers each with the token that came with them."""
    os.write(channel, b"loaded\n")
    with open(source, encoding="utf-8", closefd=False) as file:
        request = json.loads(file.readline())
    for step in request["steps"]:
        try:
            outcome = _take(step, names)
        except BaseException as error:
            outcome = {"fault": _fault(error)}
        line = (json.dumps([request["token"], outcome]) + "\n").encode()
        while line:
            line = line[os.write(channel, line) :]


def _open_streams():
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        # A program may close its output early; the descriptor itself stays open for what comes after it.
        raw = io.FileIO(number, "r" if number == 0 else "w", closefd=False)
        buffered = io.BufferedReader(raw) if number == 0 else io.BufferedWriter(raw, 1 << 16)
        errors = "backslashreplace" if number == 2 else "surrogateescape"
        stream = io.TextIOWrapper(buffered, encoding="utf-8", errors=errors, line_buffering=number == 2)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _finish():
    """What the interpreter does at its end: waits for threads, calls what was registered, flushes."""
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not getattr(stream, "closed", False):
            stream.flush()


def _code(error):
    """The exit status that an exception out of the program stands for."""
    if not isinstance(error, SystemExit):
        traceback.print_exception(type(error), error, error.__traceback__.tb_next)
        return 1
    if error.code is None or isinstance(error.code, int):
        return (error.code or 0) & 0xFF
    print(error.code, file=sys.stderr)
    return 1


def live(program, channel, source):
    """Runs the program (or a function of ours), then its steps where there is a channel for them; ends the process."""
    os.environ.clear()
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.putenv(name, "1")  # for numpy's libraries, which would start a thread per core
    random.seed(0)
    _open_streams()
    sys.argv = ["answer.py"]
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]
    # A function that is tested is imported; what stands under `if __name__ == "__main__"` is for the other programs.
    module = types.ModuleType("__main__" if channel is None else "answer")
    sys.modules[module.__name__] = module
    code = 0
    try:
        try:
            if callable(program):
                program()
            else:
                exec(compile(program, "answer.py", "exec", dont_inherit=True), module.__dict__)
            if channel is not None:
                _steps(module.__dict__, channel, source)
        except BaseException as error:
            code = _code(error)
        _finish()
    except BaseException:
        code = code or 1
    os._exit(code)
