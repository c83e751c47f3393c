"""Takes from a freshly forked process all that an answer must not have, in one of two ways:

`namespaces`: own mount, process, network, IPC and host-name namespaces (and a user namespace where we are not root); the
root is a small tmpfs with the interpreter's library on it, read-only, and one folder to write in.
`landlock`: where the kernel or the container grants no namespaces; files outside the library cannot be opened, and
nothing can be written.

Both add an unprivileged user (where we are root), resource limits, and the system-call filter, which alone already
denies sockets, new processes, and signals to others. What the kernel does not grant raises `Refused`.
"""

import os
import resource
import sys

import kernel
from kernel import Refused

NOBODY = 65534
DEVICES = ["/dev/null", "/dev/zero", "/dev/urandom"]
_DISK = 32 << 20
_LIBRARIES = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/usr/share/zoneinfo"]


def library():
    """The files that an answer may read: shared libraries and this interpreter's modules. No path covers another."""
    folders = {path for path in sys.path if os.path.isabs(path)} - {os.path.dirname(os.path.abspath(__file__))}
    for prefix in {sys.prefix, sys.base_prefix, sys.base_exec_prefix} - {"/", "/usr"}:
        folders |= {os.path.join(prefix, "lib"), os.path.join(prefix, "lib64")}
    found = []
    for path in sorted(folders | set(_LIBRARIES)):
        covered = any(path.startswith(above + "/") for above in found if not os.path.islink(above))
        if os.path.exists(path) and not covered:
            found.append(path)
    return found


def _map_user():
    """The user keeps its number in the new user namespace, and no other user exists there."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{_ids[0]} {_ids[0]} 1"), ("gid_map", f"{_ids[1]} {_ids[1]} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


_ids = (os.geteuid(), os.getegid())


def enter_namespaces(paths, stdin):
    """New namespaces for this process and a new root; children of this process are in a new process namespace."""
    flags = kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
    root = os.geteuid() == 0
    kernel.unshare(flags if root else flags | kernel.CLONE_NEWUSER)
    if not root:
        _map_user()
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    # Held open, since the new root is built on /tmp and may cover them.
    sources = [(path, os.open(path, os.O_PATH)) for path in [*paths, *DEVICES]]
    base = "/tmp"
    safe = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("tmpfs", base, "tmpfs", safe, f"size={len(stdin) + (1 << 20)},nr_inodes=4096,mode=0755")
    for path, source in sources:
        _show(base + path, path, source)
    # /dev/stdin is a link into /proc elsewhere; there is no /proc here.
    with open(base + "/dev/stdin", "wb") as file:
        file.write(stdin)
    os.mkdir(base + "/work")
    kernel.mount("tmpfs", base + "/work", "tmpfs", safe, f"size={_DISK},nr_inodes=1024,mode=0777")
    kernel.set_mount(base, kernel.ATTR_RDONLY, recursive=False)
    kernel.enter_root(base)
    os.chdir("/work")


def _show(target, path, source):
    """Binds `path`, which is open as `source`, to `target`, read-only."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path) and not os.path.isabs(os.readlink(path)):
        os.symlink(os.readlink(path), target)
        os.close(source)
        return
    if os.path.isdir(f"/proc/self/fd/{source}"):
        os.makedirs(target, exist_ok=True)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))
    kernel.mount(f"/proc/self/fd/{source}", target, None, kernel.MS_BIND | kernel.MS_REC)
    os.close(source)
    device = path in DEVICES
    kernel.set_mount(target, kernel.ATTR_NOSUID | (0 if device else kernel.ATTR_RDONLY | kernel.ATTR_NODEV))


def drop_privileges():
    """Becomes an unprivileged user where we are root, and gives up every capability."""
    if os.geteuid() == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        except OSError as error:
            raise Refused(f"change to user {NOBODY}: {error.strerror}") from None
        try:
            # Threads are counted per user and user namespace: a new one counts this answer's alone.
            kernel.unshare(kernel.CLONE_NEWUSER)
        except Refused:
            pass
    kernel.drop_capabilities()


def limit(memory, cpu):
    """Bounds on this process: `memory` in bytes of address space, `cpu` in whole seconds."""
    limits = [
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_CPU, cpu, cpu + 1),
        (resource.RLIMIT_FSIZE, _DISK, _DISK),
        (resource.RLIMIT_NOFILE, 64, 64),
        (resource.RLIMIT_NPROC, 64, 64),
        (resource.RLIMIT_MEMLOCK, 0, 0),
        (resource.RLIMIT_MSGQUEUE, 0, 0),
        (resource.RLIMIT_AS, memory, memory),
    ]
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    deep = 64 << 20
    limits.append((resource.RLIMIT_STACK, deep if hard < 0 else min(deep, hard), hard))
    for kind, soft, most in limits:
        ceiling = resource.getrlimit(kind)[1]
        if ceiling >= 0:
            soft, most = min(soft, ceiling), min(most, ceiling)
        resource.setrlimit(kind, (soft, most))
