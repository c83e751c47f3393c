// Which processes the sandbox has on this machine. For tests.
import { readdirSync, readFileSync } from 'node:fs';

/** The launchers that this process has started. */
export function launchers(): number[] {
  return processes()
    .filter(({ parent, command }) => parent === process.pid && command.includes('launcher.py'))
    .map(({ pid }) => pid);
}

/** The processes that a launcher has below it: what an answer leaves behind ends up there. */
export function below(launcher: number): number[] {
  return processes()
    .filter(({ parent }) => parent === launcher)
    .flatMap(({ pid }) => [pid, ...below(pid)]);
}

/** Whether a process is there and has not ended: one that nobody has asked about yet stays as an entry. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function processes(): { pid: number; parent: number; command: string }[] {
  const found: { pid: number; parent: number; command: string }[] = [];
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      found.push({
        pid: Number(name),
        parent: Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]),
        command,
      });
    } catch {
      // It has ended since.
    }
  }
  return found;
}
