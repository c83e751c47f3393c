// Programs that try to get out of the sandbox or to harm the machine. Each prints `escaped` where it succeeds, and is given
// the places to try as JSON on its standard input. For tests.

/** What the programs are given. */
export interface Targets {
  /** Files with a secret, outside. */
  secrets: string[];
  /** Folders outside that must not be written to, and the name of the file to write there. */
  folders: string[];
  mark: string;
  /** A port on 127.0.0.1 that accepts connections. */
  port: number;
  /** The process that runs the tests. */
  pid: number;
}

const begin = `
import ctypes, json, os, socket, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
targets = json.loads(input())
def attempt(act):
    try:
        if act() not in (None, False):
            print("escaped")
    except OSError:
        pass
`;

/** What the verdict on an escape must say. */
export interface Escape {
  name: string;
  program: string;
  rung: string;
  reason: RegExp;
  /** Wall-clock limit in milliseconds; default long enough for a busy machine. */
  wallMs?: number;
}

const silent = /printed ""/;

/** Escapes whose every attempt fails, so that they print nothing. */
const quiet: Record<string, string> = {
  'reads files outside': `
for path in targets["secrets"]:
    attempt(lambda: open(path).read())
    attempt(lambda: os.path.basename(path) in os.listdir(os.path.dirname(path)))
`,
  'reads through links': `
for path in targets["secrets"]:
    try:
        os.symlink(path, "link")
        attempt(lambda: open("link").read())
        os.unlink("link")
        os.link(path, "hard")
        print("escaped")
    except OSError:
        pass
    attempt(lambda: open("/work/../" + path).read())
    attempt(lambda: open("/proc/1/root" + path).read())
    attempt(lambda: open("/proc/self/root" + path).read())
`,
  'opens files by handle': `
for path in targets["secrets"]:
    attempt(lambda: libc.open_by_handle_at(-100, ctypes.create_string_buffer(64), 0) >= 0)
    attempt(lambda: libc.chroot(b"..") == 0)
    attempt(lambda: libc.mount(b"/", b"/work", None, 4096, None) == 0)
    attempt(lambda: libc.unshare(0x10020000) == 0)
    attempt(lambda: libc.setns(0, 0) == 0)
`,
  'writes outside': `
for folder in targets["folders"]:
    path = os.path.join(folder, targets["mark"])
    attempt(lambda: open(path, "w").write("x") and None)
    attempt(lambda: os.mkdir(path))
    attempt(lambda: os.chmod(folder, 0o777) or True)
    attempt(lambda: os.utime(folder) or True)
    attempt(lambda: os.truncate(path, 0) or True)
`,
  'opens sockets': `
attempt(lambda: socket.create_connection(("127.0.0.1", targets["port"]), 1))
attempt(lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", targets["port"])))
attempt(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
attempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
attempt(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
attempt(lambda: libc.syscall(425, 8, ctypes.create_string_buffer(256)) >= 0)
`,
  'starts programs': `
attempt(lambda: os.fork() == 0 and os._exit(0) or True)
attempt(lambda: subprocess.run(["/bin/sh", "-c", "echo escaped"]))
attempt(lambda: os.posix_spawn("/bin/sh", ["sh"], {}))
attempt(lambda: os.execv(sys.executable, ["python3"]))
attempt(lambda: os.system("echo escaped") == 0)
attempt(lambda: libc.syscall(435, ctypes.create_string_buffer(88), 88) >= 0)
`,
  'kills its parents': `
for pid in [os.getppid(), 1, -1, 0, targets["pid"], *range(2, 300)]:
    if pid != os.getpid():
        attempt(lambda: os.kill(pid, 9) or True)
attempt(lambda: os.killpg(0, 9) or True)
attempt(lambda: libc.syscall(424, 3, 9, None, 0) == 0)
import fcntl
reader, writer = os.pipe()
attempt(lambda: fcntl.fcntl(reader, fcntl.F_SETOWN, os.getppid()) or True)
`,
  'traces other processes': `
for pid in (os.getppid(), 1, targets["pid"]):
    attempt(lambda: libc.ptrace(16, pid, None, None) == 0)
    attempt(lambda: libc.process_vm_readv(pid, None, 0, None, 0, 0) >= 0)
    attempt(lambda: open(f"/proc/{pid}/mem", "rb"))
`,
  'reads environments': `
attempt(lambda: len(os.environ) > 0)
for pid in (1, os.getppid(), targets["pid"], "self"):
    attempt(lambda: open(f"/proc/{pid}/environ").read())
`,
  'gains rights': `
attempt(lambda: os.setuid(0) or os.getuid() == 0)
attempt(lambda: os.open("/dev/vda", os.O_RDONLY) >= 0)
attempt(lambda: os.mknod("disk", 0o60666, 0x800) or True)
attempt(lambda: libc.syscall(321, 0, None, 0) >= 0)
attempt(lambda: libc.prctl(1, 0, 0, 0, 0) == 0)
import resource
for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE):
    try:
        resource.setrlimit(kind, (-1, -1))
        print("escaped")
    except (ValueError, OSError):
        pass
`,
};

/** Escapes that are ended, each by its own limit. */
const ended: Escape[] = [
  {
    name: 'leaves a daemon behind',
    program:
      'import os\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    while True: pass',
    rung: 'sandbox',
    reason: /refused by the sandbox: PermissionError/,
  },
  {
    name: 'is a fork bomb',
    program: 'import os\nwhile True: os.fork()',
    rung: 'sandbox',
    reason: /refused by the sandbox: PermissionError/,
  },
  {
    name: 'is a thread bomb',
    program: `import threading, time
threading.stack_size(32768)
count = 0
try:
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        count += 1
except RuntimeError:
    print("escaped" if count > 64 else "")`,
    rung: 'tests',
    reason: silent,
  },
  {
    name: 'fills the memory',
    program: 'kept = []\nwhile True: kept.append(bytearray(1 << 20))',
    rung: 'memory',
    reason: /more than 256 MiB/,
  },
  {
    name: 'fills the memory in one step',
    program: 'x = [0] * (1 << 40)',
    rung: 'memory',
    reason: /more than 256 MiB/,
  },
  {
    name: 'fills the memory with shared files',
    program: `import os, mmap
kept = []
try:
    for _ in range(64):
        kept.append(os.memfd_create("x"))
        os.write(kept[-1], bytes(1 << 24))
    print("escaped")
except OSError:
    pass`,
    rung: 'tests',
    reason: silent,
  },
  {
    name: 'fills the disk',
    program: `total = 0
try:
    for number in range(100000):
        with open(f"file{number}", "wb", buffering=0) as file:
            for _ in range(64):
                total += file.write(bytes(1 << 20))
except OSError:
    pass
print("escaped" if total > 33 << 20 else "")`,
    rung: 'tests',
    reason: silent,
  },
  {
    name: 'fills the disk with empty files',
    program: `number = 0
try:
    for number in range(100000):
        open(f"file{number}", "w").close()
except OSError:
    pass
print("escaped" if number > 2000 else "")`,
    rung: 'tests',
    reason: silent,
  },
  {
    name: 'computes for ever',
    program: 'while True: pass',
    rung: 'cpu',
    reason: /more than 1 s of processor time/,
  },
  {
    name: 'computes for ever and ignores signals',
    program: `import signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True: pass`,
    rung: 'cpu',
    reason: /more than 1 s of processor time/,
  },
  {
    name: 'sleeps for ever',
    program: 'import time\nwhile True: time.sleep(1000)',
    rung: 'wall',
    reason: /more than 2 s/,
    wallMs: 2000,
  },
  {
    name: 'waits for ever in a thread',
    program: 'import threading\nthreading.Thread(target=threading.Event().wait).start()',
    rung: 'wall',
    reason: /more than 2 s/,
    wallMs: 2000,
  },
  {
    name: 'prints for ever',
    program: 'while True: print("x" * 1000)',
    rung: 'output',
    reason: /more than 64 KiB/,
  },
  {
    name: 'prints errors for ever',
    program: 'import sys\nwhile True: print("x" * 1000, file=sys.stderr)',
    rung: 'output',
    reason: /more than 64 KiB/,
  },
  {
    name: 'crashes the interpreter',
    program: 'import ctypes\nctypes.string_at(0)',
    rung: 'sandbox',
    reason: /ended by signal 11/,
  },
  {
    name: 'does not catch what it is refused',
    program: 'open("/etc/shadow").read()',
    rung: 'tests',
    reason: /FileNotFoundError|PermissionError/,
  },
];

/** All of them; the limits are 1 s of processor time, 256 MiB and 64 KiB. */
export const escapes: Escape[] = [
  ...Object.entries(quiet).map(([name, program]) => ({
    name,
    program: begin + program,
    rung: 'tests',
    reason: silent,
  })),
  ...ended,
];
