"""System calls that Python does not wrap: namespaces, mounts, privileges, Landlock and the seccomp filter.

Knows nothing of answers or tests. Linux 5.12 or later on x86-64 or arm64; anything else is `Refused`.
"""

import ctypes
import os
import platform
import struct

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 0x1000, 0x4000, 0x40000
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV = 1, 2, 4
_AT_FDCWD, _AT_RECURSIVE, _MNT_DETACH = -100, 0x8000, 2
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_SECCOMP = 1, 24, 22
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 36, 38


class Refused(Exception):
    """The kernel does not grant a protection. The message is for a person."""


def _wide(value):
    """A variadic C function takes whole registers: a plain Python int would leave the upper half undefined."""
    if isinstance(value, int):
        return ctypes.c_long(value)
    return value


def _call(what, function, *arguments):
    result = function(*[_wide(argument) for argument in arguments])
    if result < 0:
        raise Refused(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def unshare(flags):
    _call("new namespaces", _libc.unshare, flags)


def mount(source, target, kind, flags, options=None):
    arguments = [None if text is None else text.encode() for text in (source, target, kind)]
    _call(f"mount on {target}", _libc.mount, *arguments, flags, options and options.encode())


def set_mount(path, attributes, recursive=True):
    """mount_setattr(2): sets attributes on a mount, and on all below it."""
    flags = _AT_RECURSIVE if recursive else 0
    block = struct.pack("QQQQ", attributes, 0, 0, 0)
    _call(f"attributes of {path}", _syscall, 442, _AT_FDCWD, path.encode(), flags, block, len(block))


def enter_root(path):
    """Makes `path` the root and lets go of the old one, for good."""
    os.chdir(path)
    _call("pivot_root", _syscall, {"x86_64": 155, "aarch64": 41}[machine()], b".", b".")
    _call("umount of the old root", _libc.umount2, b".", _MNT_DETACH)
    os.chdir("/")


def machine():
    name = platform.machine()
    if name not in ("x86_64", "aarch64") or struct.calcsize("P") != 8:
        raise Refused(f"no system-call filter for the processor {name}")
    return name


def die_with_parent():
    _call("parent-death signal", _libc.prctl, _PR_SET_PDEATHSIG, 9, 0, 0, 0)


def adopt_orphans():
    _call("child subreaper", _libc.prctl, _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def drop_capabilities():
    """Gives up every capability, and the ways to get one back."""
    _call("no_new_privs", _libc.prctl, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for number in range(64):
        _libc.prctl(_PR_CAPBSET_DROP, _wide(number), _wide(0), _wide(0), _wide(0))
    header, nothing = struct.pack("Ii", 0x20080522, 0), bytes(24)
    _call("capset", _syscall, {"x86_64": 126, "aarch64": 91}[machine()], header, nothing)


def landlock_version():
    """The kernel's Landlock version; 0 without Landlock."""
    return max(0, _syscall(_wide(444), None, _wide(0), _wide(1)))


def landlock(readable, devices):
    """Lets this thread read below `readable` and use `devices`, and open no other file at all."""
    version = landlock_version()
    if version < 3:
        raise Refused("Landlock version 3 (Linux 6.2) is not available")
    every = (1 << (16 if version >= 5 else 15)) - 1
    ruleset = _call("landlock", _syscall, 444, struct.pack("Q", every), 8, 0)
    read_file, write_file, read_folder = 1 << 2, 1 << 1, 1 << 3
    wanted = [(path, read_file | (read_folder if os.path.isdir(path) else 0)) for path in readable]
    wanted += [(path, read_file | write_file) for path in devices]
    for path, rights in wanted:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        _call("landlock rule", _syscall, 445, ruleset, 1, struct.pack("=Qi", rights, place), 0)
        os.close(place)
    _call("landlock", _syscall, 446, ruleset, 0)
    os.close(ruleset)


# System calls that an answer is refused with EPERM: name, then number on x86-64 and on arm64 (None: does not exist).
_DENIED = """
fork 57 -; vfork 58 -; execve 59 221; execveat 322 281
socket 41 198; connect 42 203; bind 49 200; listen 50 201; accept 43 202; accept4 288 242
tkill 200 130; rt_sigqueueinfo 129 138; rt_tgsigqueueinfo 297 240
pidfd_send_signal 424 424; pidfd_open 434 434; pidfd_getfd 438 438
ptrace 101 117; process_vm_readv 310 270; process_vm_writev 311 271; process_madvise 440 440; kcmp 312 272
mount 165 40; umount2 166 39; pivot_root 155 41; chroot 161 51; unshare 272 97; setns 308 268
open_tree 428 428; move_mount 429 429; fsopen 430 430; fsconfig 431 431; fsmount 432 432; fspick 433 433
mount_setattr 442 442; name_to_handle_at 303 264; open_by_handle_at 304 265
bpf 321 280; perf_event_open 298 241; userfaultfd 323 282; keyctl 250 219; add_key 248 217; request_key 249 218
io_uring_setup 425 425; io_uring_enter 426 426; io_uring_register 427 427; io_setup 206 0; io_submit 209 2
memfd_create 319 279; memfd_secret 447 447; shmget 29 194; shmat 30 196; msgget 68 186; semget 64 190
mq_open 240 180
chmod 90 -; fchmod 91 52; fchmodat 268 53; fchmodat2 452 452; chown 92 -; lchown 94 -; fchown 93 55
fchownat 260 54; utime 132 -; utimes 235 -; futimesat 261 -; utimensat 280 88; truncate 76 45
setxattr 188 5; lsetxattr 189 6; fsetxattr 190 7; removexattr 197 14; lremovexattr 198 15; fremovexattr 199 16
setxattrat 463 463; mknod 133 -; mknodat 259 33; fanotify_init 300 262
setpriority 141 140; sched_setscheduler 144 119; sched_setparam 142 118; sched_setattr 314 274
sched_setaffinity 203 122; ioprio_set 251 30; migrate_pages 256 238; move_pages 279 239
personality 135 92; reboot 169 142; kexec_load 246 104; kexec_file_load 320 294; init_module 175 105
finit_module 313 273; delete_module 176 106; swapon 167 224; swapoff 168 225; acct 163 89; quotactl 179 60
syslog 103 116; lookup_dcookie 212 18; modify_ldt 154 -; iopl 172 -; ioperm 173 -
"""
_NEWEST_KNOWN = 463
_ALLOW, _KILL, _EPERM, _ENOSYS = 0x7FFF0000, 0x80000000, 0x50001, 0x50026


def _step(code, value, yes=0, no=0):
    return struct.pack("HBBI", code, yes, no, value & 0xFFFFFFFF)


_LOAD, _EQUAL, _GREATER, _BITS, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06


def _when(number, *body):
    """Runs `body` for one system call; what comes after it never sees that call."""
    return [_step(_EQUAL, number, 0, len(body)), *body]


def _argument(index):
    return _step(_LOAD, 16 + 8 * index)  # lower half; the kernel reads these arguments as 32-bit numbers


def _only(index, value):
    """The call is allowed where its argument is `value`."""
    return (_argument(index), _step(_EQUAL, value, 0, 1), _step(_RETURN, _ALLOW), _step(_RETURN, _EPERM))


def _unless(index, *values):
    """The call is allowed where its argument is none of `values`."""
    steps = [_argument(index)]
    for value in values:
        steps += [_step(_EQUAL, value, 0, 1), _step(_RETURN, _EPERM)]
    return (*steps, _step(_RETURN, _ALLOW))


def _filter():
    column = {"x86_64": 1, "aarch64": 2}[machine()]
    architecture = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[machine()]
    other = {
        name: numbers[column - 1]
        for name, numbers in {
            "clone": (56, 220),
            "socketpair": (53, 199),
            "kill": (62, 129),
            "tgkill": (234, 131),
            "prctl": (157, 167),
            "prlimit64": (302, 261),
            "fcntl": (72, 25),
            "ioctl": (16, 29),
        }.items()
    }
    steps = [
        _step(_LOAD, 4),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, 0),
        # Newer calls than this file knows, and the x32 numbers from 0x40000000 on.
        _step(_GREATER, _NEWEST_KNOWN, 0, 1),
        _step(_RETURN, _ENOSYS),
    ]
    # Threads, no processes. glibc asks clone3 first and takes ENOSYS for an old kernel.
    steps += _when(435, _step(_RETURN, _ENOSYS))
    steps += _when(
        other["clone"],
        _argument(0),
        _step(_BITS, 0x10000, 0, 1),
        _step(_RETURN, _ALLOW),
        _step(_RETURN, _EPERM),
    )
    # An unconnected datagram pair could send to a named socket; a stream pair cannot. asyncio needs one.
    steps += _when(
        other["socketpair"],
        _argument(0),
        _step(_EQUAL, 1, 0, 4),
        _argument(1),
        _step(0x54, 0xF),  # the kind without its flags
        _step(_EQUAL, 1, 0, 1),
        _step(_RETURN, _ALLOW),
        _step(_RETURN, _EPERM),
    )
    # Signals reach nobody but the answer itself.
    for name in ("kill", "tgkill"):
        steps += _when(other[name], *_only(0, os.getpid()))
    steps += _when(other["prctl"], *_unless(0, _PR_SET_PDEATHSIG))
    steps += _when(other["prlimit64"], *_only(0, 0))
    # F_SETOWN, F_SETSIG and F_SETOWN_EX, FIOSETOWN and SIOCSPGRP send signals by way of a file; TIOCSTI types.
    steps += _when(other["fcntl"], *_unless(1, 8, 10, 15))
    steps += _when(other["ioctl"], *_unless(1, 0x8901, 0x8902, 0x5412))
    for entry in _DENIED.replace("\n", ";").split(";"):
        words = entry.split()
        if words and words[column] != "-":
            steps += _when(int(words[column]), _step(_RETURN, _EPERM))
    return [*steps, _step(_RETURN, _ALLOW)]


def filter_calls():
    """Installs the filter on this thread; every thread it starts inherits it. Needs no_new_privs."""
    steps = _filter()
    program = ctypes.create_string_buffer(b"".join(steps))
    block = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(program))
    _call("system-call filter", _libc.prctl, _PR_SET_SECCOMP, 2, block, 0, 0)
