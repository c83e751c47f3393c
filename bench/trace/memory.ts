/** What a process holds, from /proc: the benches' figures of memory are for Linux. */
import { readFileSync } from 'node:fs';

/** Resident memory now, or its peak since the process began, in MiB. */
export function resident(key: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`${key}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(found?.[1]) / 1024;
}
