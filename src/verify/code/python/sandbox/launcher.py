"""Runs answers one after the other, each in a confined process of its own, for the program that started this one.

Started once, with an empty environment. Reads JSON lines on descriptor 0 and writes JSON lines on descriptor 1. When 0 is
closed it ends what it runs, and itself. The first line it writes says which protections hold.

    launcher (this process, unconfined, runs no foreign code)
      keeper   enters the namespaces, waits
        init     first process of the new process namespace, unprivileged, waits
          answer   limited, filtered, runs the program

Without namespaces the keeper is the init. Each process is killed by the kernel when the one above it ends.
"""

import ast  # noqa: F401  (loaded here so that every answer finds it loaded)
import bisect, collections, functools, heapq, itertools, math, re, string, typing  # noqa: E401, F401
import json
import os
import select
import signal
import sys
import time

import answer
import confine
import kernel
import split
from kernel import Refused

_CHUNK = 1 << 16


class Pipe:
    """Two ends; each process closes the one that it does not use."""

    def __init__(self):
        self.read, self.write = os.pipe()

    def close(self):
        for end in (self.read, self.write):
            try:
                os.close(end)
            except OSError:
                pass


class Requests:
    """Lines from descriptor 0."""

    def __init__(self):
        self.kept = b""
        self.ended = False

    def fill(self):
        data = os.read(0, _CHUNK)
        self.kept += data
        self.ended = not data

    def line(self):
        """The next line without its end, or None where it has not come whole."""
        if b"\n" not in self.kept:
            return None
        line, self.kept = self.kept.split(b"\n", 1)
        return line


def send(value):
    data = (json.dumps(value) + "\n").encode()
    while data:
        data = data[os.write(1, data) :]


# --- in the processes below the launcher -------------------------------------------------------------------------------


def _guard(parent):
    kernel.die_with_parent()
    if os.getppid() != parent:
        os._exit(1)


def _tell(report, value):
    os.write(report, json.dumps(value).encode())


def _wait_and_tell(child, report):
    """Waits for the answer's process, says how it ended, and ends."""
    _, status, used = os.wait4(child, 0)
    ended = {"cpu": used.ru_utime + used.ru_stime}
    if os.WIFSIGNALED(status):
        ended["signal"] = os.WTERMSIG(status)
    else:
        ended["code"] = os.WEXITSTATUS(status)
    _tell(report, ended)
    os._exit(0)


def _close_all_but(*kept):
    low = 0
    for number in [*sorted(kept), 1024]:
        if low < number:  # an empty range closes everything in some versions
            os.closerange(low, number)
        low = number + 1


def _be_answer(request, mode, paths, ends):
    stdin = request["stdin"].encode("utf-8", "replace")
    memory = os.memfd_create("stdin", 0)
    with open(memory, "wb", closefd=False) as file:
        file.write(stdin)
    # A new description of the same file, without the right to write.
    source = os.open(f"/proc/self/fd/{memory}", os.O_RDONLY) if os.path.exists("/proc/self/fd") else memory
    os.lseek(source, 0, os.SEEK_SET)
    for number, end in ((0, source), (1, ends["out"]), (2, ends["err"])):
        os.dup2(end, number)
    channel, steps = ends.get("channel"), ends.get("steps")
    _close_all_but(0, 1, 2, ends["report"], *(end for end in (channel, steps) if end is not None))
    try:
        if mode == "landlock":
            kernel.landlock(paths, confine.DEVICES)
        confine.limit(request["memory"], request["cpu"])
        kernel.filter_calls()
    except (Refused, OSError, ValueError) as error:
        _tell(ends["report"], {"refused": str(error)})
        os._exit(1)
    os.close(ends["report"])
    for name in ("launcher", "confine", "kernel"):
        sys.modules.pop(name, None)
    answer.live(split.main if request.get("split") else request["program"], channel, steps)


def _be_init(request, mode, paths, ends, orphaned):
    confine.drop_privileges()
    # The change of user took back the signal that comes with the parent's death.
    kernel.die_with_parent()
    if orphaned():
        os._exit(1)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        _guard(parent)
        _be_answer(request, mode, paths, ends)
    _close_all_but(ends["report"])
    _wait_and_tell(child, ends["report"])


def _be_keeper(request, mode, paths, ends):
    if mode == "landlock":
        # Nothing to write in, and nothing to list.
        os.chdir("/")
        launcher = os.getppid()
        _be_init(request, mode, paths, ends, lambda: os.getppid() != launcher)
    confine.enter_namespaces(paths, request["stdin"].encode("utf-8", "replace"))
    alive = Pipe()
    child = os.fork()
    if child == 0:
        os.close(alive.write)
        # The first process of a namespace cannot ask who its parent is; the pipe ends with the keeper.
        _be_init(request, mode, paths, ends, lambda: bool(select.select([alive.read], [], [], 0)[0]))
    _close_all_but(alive.write)
    os.waitpid(child, 0)
    os._exit(0)


def _descend(request, mode, paths, ends, launcher):
    """The forked side: never returns."""
    try:
        _guard(launcher)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _be_keeper(request, mode, paths, ends)
    except BaseException as error:
        try:
            _tell(ends["report"], {"refused": str(error) or type(error).__name__})
        except OSError:
            pass
    os._exit(1)


# --- in the launcher -----------------------------------------------------------------------------------------------------


def _kill(keeper):
    """Ends the keeper and all below it, and waits until none is left."""
    try:
        os.kill(keeper, signal.SIGKILL)
    except ProcessLookupError:
        pass
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


class Run:
    """One answer on its way."""

    def __init__(self, request, mode, paths, requests):
        self.request, self.requests = request, requests
        self.pipes = {name: Pipe() for name in ("out", "err", "report")}
        if request.get("tested"):
            self.pipes["channel"], self.pipes["steps"] = Pipe(), Pipe()
        ends = {name: pipe.read if name == "steps" else pipe.write for name, pipe in self.pipes.items()}
        launcher = os.getpid()
        self.keeper = os.fork()
        if self.keeper == 0:
            _descend(request, mode, paths, ends, launcher)
        for end in ends.values():
            os.close(end)
        self.got = {pipe.read: bytearray() for name, pipe in self.pipes.items() if name != "steps"}
        self.unsent = b""
        self.loaded = False

    def text(self, name):
        pipe = self.pipes.get(name)
        return "" if pipe is None else self.got[pipe.read].decode("utf-8", "replace")

    def follow(self):
        """Reads until all ends are closed or a limit is passed; the name of that limit, or None."""
        poll = select.poll()
        for end in self.got:
            poll.register(end, select.POLLIN)
        poll.register(0, select.POLLIN)
        left = set(self.got)
        deadline = time.monotonic() + self.request["wall"]
        while left:
            wait = deadline - time.monotonic()
            if wait <= 0:
                return "wall"
            for end, _ in poll.poll(wait * 1000):
                if end == 0:
                    self.requests.fill()
                    if self.requests.ended:
                        return "abandoned"
                    self._give_steps(poll)
                elif "steps" in self.pipes and end == self.pipes["steps"].write:
                    self._push_steps(poll)
                else:
                    data = os.read(end, _CHUNK)
                    self.got[end] += data
                    if not data:
                        poll.unregister(end)
                        left.discard(end)
                    if len(self.got[end]) > self.request["output"]:
                        return "output"
                    self._see_loaded()
        return None

    def _see_loaded(self):
        channel = self.pipes.get("channel")
        if not self.loaded and channel and self.got[channel.read].startswith(b"loaded\n"):
            self.loaded = True
            send({"loaded": True})

    def _give_steps(self, poll):
        line = self.requests.line()
        if line is not None and self.loaded:
            self.unsent = line + b"\n"
            os.set_blocking(self.pipes["steps"].write, False)
            poll.register(self.pipes["steps"].write, select.POLLOUT)

    def _push_steps(self, poll):
        try:
            self.unsent = self.unsent[os.write(self.pipes["steps"].write, self.unsent[:_CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:
            self.unsent = b""
        if not self.unsent:
            poll.unregister(self.pipes["steps"].write)

    def result(self):
        limit = self.follow()
        _kill(self.keeper)
        report = self.text("report")
        ended = json.loads(report) if report else {}
        result = {"out": self.text("out"), "err": self.text("err")[-4096:], "channel": self.text("channel"), **ended}
        if limit:
            result["limit"] = limit
        for pipe in self.pipes.values():
            pipe.close()
        return result


# What must fail in a sandbox, each on its own; prints the names of what did not.
_PROBE = """
import os, socket, json, subprocess
def reads(path):
    open(path).close()
tries = {
    'files': lambda: reads('/etc/passwd'),
    'network': lambda: socket.socket(),
    'processes': lambda: os.fork() or os._exit(0),
    'signals': lambda: os.kill(-1, 0),
}
open_ = []
for name, act in tries.items():
    try:
        act()
        open_.append(name)
    except OSError:
        pass
print(json.dumps(open_))
"""
_PROBE_REQUEST = {"program": _PROBE, "stdin": "", "memory": 1 << 30, "cpu": 5, "wall": 10, "output": 1 << 16}


def _probe(mode, paths, requests):
    """None where the way to confine works here, or why it does not."""
    result = Run(_PROBE_REQUEST, mode, paths, requests).result()
    if "refused" in result:
        return result["refused"]
    if result.get("code") != 0 or result["out"].strip() != "[]":
        return f"the self-test left open: {result['out'].strip()} {result['err'].strip()[-300:]}"
    return None


def _survey(paths, requests):
    report = {
        "python": ".".join(map(str, sys.version_info[:3])),
        "root": os.geteuid() == 0,
        "landlock": kernel.landlock_version(),
        "mode": None,
        "refused": {},
    }
    for mode in ("namespaces", "landlock"):
        refused = _probe(mode, paths, requests)
        if refused is None:
            report["mode"] = mode
            break
        report["refused"][mode] = refused
    return report


def main():
    os.chdir("/")
    kernel.adopt_orphans()
    paths = confine.library()
    requests = Requests()
    report = _survey(paths, requests)
    send(report)
    while not requests.ended:
        line = requests.line()
        if line is None:
            requests.fill()
            continue
        result = Run(json.loads(line), report["mode"], paths, requests).result()
        if not requests.ended:
            send(result)


if __name__ == "__main__":
    main()
