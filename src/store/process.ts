/**
 * Which process is this, and is that one still running?
 *
 * A process id alone is not enough, since ids are used again: the time the process started tells them
 * apart where the system shows it (Linux).
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { withoutPasswords } from './url.ts';

export interface Identity {
  /** Unique per lock, so that one holder's files are never taken for another's. */
  token: string;
  pid: number;
  /** Clock ticks from boot to the start of the process; null where the system does not tell. */
  started: number | null;
  /** Changes with every boot; null where the system does not tell. */
  boot: string | null;
  host: string;
  /** How the process was called, for a person. */
  command: string;
}

/** The identity of this process, with a fresh token. */
export function identity(): Identity {
  return {
    token: randomUUID(),
    pid: process.pid,
    started: statusOf(process.pid)?.started ?? null,
    boot: bootId(),
    host: hostname(),
    command: withoutPasswords([process.argv0, ...process.argv.slice(1)].join(' ')).slice(0, 300),
  };
}

/** False only where that process is surely gone; one on another machine counts as running. */
export function isRunning(who: Identity): boolean {
  if (who.host !== hostname()) return true;
  if (who.boot !== null && who.boot !== bootId()) return false;
  const status = statusOf(who.pid);
  if (status === undefined) return answersSignals(who.pid);
  if (status.dead) return false;
  return who.started === null || who.started === status.started;
}

/** Is there a process with this id, whoever it is? */
export function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is such a process, of another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** From /proc/<pid>/stat; undefined where there is no such file. A zombie counts as dead. */
function statusOf(pid: number): { started: number; dead: boolean } | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name of the program, in brackets, may hold spaces and brackets: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { dead: fields[0] === 'Z' || fields[0] === 'X', started: Number(fields[19]) };
}

function bootId(): string | null {
  return read('/proc/sys/kernel/random/boot_id')?.trim() ?? null;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
