"""Stands in for a machine that grants less: becomes an ordinary user (argument `user`), or is refused new namespaces
(argument `namespaces`), and then goes on as the interpreter with the arguments after `--`."""

import ctypes
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(here), "sandbox"))
sys.dont_write_bytecode = True
import kernel  # noqa: E402

cut = sys.argv.index("--")
taken = sys.argv[1:cut]
if "user" in taken:
    os.setgroups([])
    os.setgid(1000)
    os.setuid(1000)
if "namespaces" in taken:
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, ctypes.c_long(1), ctypes.c_long(0), ctypes.c_long(0), ctypes.c_long(0)) == 0
    refuse = kernel._when({"x86_64": 272, "aarch64": 97}[kernel.machine()], kernel._step(6, 0x50001))
    steps = [kernel._step(0x20, 0), *refuse, kernel._step(6, 0x7FFF0000)]
    program = ctypes.create_string_buffer(b"".join(steps))
    block = kernel.struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(program))
    assert libc.prctl(22, ctypes.c_long(2), block, ctypes.c_long(0), ctypes.c_long(0)) == 0
os.execv(sys.executable, [sys.executable, *sys.argv[cut + 1 :]])
