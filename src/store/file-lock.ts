/**
 * Files that several processes change a moment at a time: who changes one is alone with it.
 *
 * Knows nothing of what is in them.
 */
import { dirname } from 'node:path';
import { makeFolders } from '../core/files.ts';
import { Owned, type OwnerLock, takeOwnership } from './owner.ts';

/** How long a change by somebody else is waited for, and between two looks, in milliseconds. */
const patience = 10_000;
const pause = 5;

/**
 * Runs `work`, which must not wait for anything, while no other process is in a call with the same `path`; a lock that
 * a killed process left is taken over. Owned where another process keeps the file for longer than 10 seconds.
 */
export function withFileLock<T>(path: string, work: () => T): T {
  makeFolders(dirname(path));
  const lock = taken(`${path}.lock`);
  try {
    return work();
  } finally {
    lock.release();
  }
}

function taken(path: string): OwnerLock {
  for (let waited = 0; ; waited += pause) {
    try {
      return takeOwnership(path, 'file');
    } catch (error) {
      if (!(error instanceof Owned) || waited >= patience) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
    }
  }
}
