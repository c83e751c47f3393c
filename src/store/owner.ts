/**
 * One owner per workspace: PGlite has no lock of its own, and two processes on one data directory lose
 * writes without an error.
 *
 * The lock is a file that is linked into place whole, so that of two starters one wins. A lock whose
 * owner is gone may be replaced, but only by the holder of a second lock named after the dead owner's
 * token; that second lock is taken by the same rules, should its holder die too.
 * Knows nothing of the database.
 */
import { linkSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { errorCode, writeWhole } from '../core/files.ts';
import { explained } from './failures.ts';
import { type Identity, identity, isRunning } from './process.ts';

/** What the lock file holds. */
export const identitySchema = z.object({
  token: z.string(),
  pid: z.int(),
  started: z.number().nullable(),
  boot: z.string().nullable(),
  host: z.string(),
  command: z.string(),
});

export interface OwnerLock {
  /** Told apart from every other lock by this. */
  readonly token: string;
  /** Gives the workspace free. Does nothing when called again. */
  release(): void;
}

/**
 * Takes the lock file at `path` for this process, whose directory must exist; `what` it locks, for a person.
 * Owned, a UserError with the owner's process id, when a running process holds it; UserError when `path` cannot
 * be written.
 */
export function takeOwnership(path: string, what = 'workspace'): OwnerLock {
  const self = identity();
  const candidate = `${path}.${self.token}`;
  try {
    writeWhole(candidate, `${JSON.stringify(self)}\n`);
    try {
      take(path, candidate, what);
    } finally {
      rmSync(candidate, { force: true });
    }
  } catch (error) {
    throw explained(error, dirname(path));
  }
  return { token: self.token, release: () => release(path, self) };
}

/** Puts `candidate` in the place of `path`: there is none, or its owner is gone. */
function take(path: string, candidate: string, what: string): void {
  while (!linked(candidate, path)) {
    const owner = ownerOf(path);
    // Released between the two calls: try again.
    if (owner === undefined) continue;
    if (isRunning(owner)) throw new Owned(path, owner, what);
    replaceDead(path, owner, candidate, what);
    return;
  }
}

function replaceDead(path: string, dead: Identity, candidate: string, what: string): void {
  const claim = takeOwnership(`${path}.after-${dead.token.slice(0, 8)}`, what);
  try {
    // Someone may have replaced it before the claim was ours; from here on nobody else can.
    const now = ownerOf(path);
    if (now?.token !== dead.token) {
      take(path, candidate, what);
      return;
    }
    // A copy of the candidate's name, because renaming it away must leave `candidate` to its maker.
    const step = `${candidate}.new`;
    linkSync(candidate, step);
    renameSync(step, path);
  } finally {
    claim.release();
  }
}

function release(path: string, self: Identity): void {
  if (ownerOf(path)?.token === self.token) rmSync(path, { force: true });
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Who holds the lock; undefined where there is none. UserError when the file is something else. */
export function ownerOf(path: string): Identity | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return identitySchema.parse(JSON.parse(text));
  } catch (error) {
    throw new UserError(
      {
        wanted: 'the lock file of pivottrace',
        found: 'something else',
        where: path,
        fix: 'If no pivottrace command uses this workspace, delete the file.',
      },
      { cause: error },
    );
  }
}

/** A running process has the lock. */
export class Owned extends UserError {
  readonly owner: Identity;

  constructor(path: string, owner: Identity, what: string) {
    const here = owner.host === identity().host;
    const sharing =
      what === 'workspace'
        ? ' `pivottrace serve`, started before other commands, shares the workspace with them.'
        : '';
    super({
      wanted: `a ${what} that no other process uses`,
      found: `process ${owner.pid}${here ? '' : ` on ${owner.host}`} using it (${owner.command})`,
      where: dirname(path),
      fix: here
        ? `Wait until process ${owner.pid} ends, or stop it (kill ${owner.pid}), and try again.${sharing}`
        : `Stop it there. If ${owner.host} is no longer running, delete ${basename(path)}.`,
    });
    this.owner = owner;
  }
}
