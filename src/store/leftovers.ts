/**
 * Files under temporary names that a killed process left in a workspace.
 *
 * Only names that this program gives, in the places where it writes, are touched: a workspace may be a folder
 * with files of other kinds. Run directories are cleaned when a run is opened.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { explained } from './failures.ts';
import { ownerOf } from './owner.ts';
import { answersSignals, isRunning } from './process.ts';

/** Folders in which everything is ours. */
const FOLDERS = ['answers', 'rejects', 'plans'];
const TEMPORARY = /\.(\d+)\.tmp$/;
const OURS_AT_THE_TOP = /^(owner\.lock|ledger\.jsonl|report\.html|costs\.json)\b/;
/** A lock that was to be, or the claim on a dead owner's lock, which may be claimed in its turn. */
const CANDIDATE =
  /^owner\.lock(?:(?:\.after-[0-9a-f]{8})+(?:\.[0-9a-f-]{36}(?:\.new)?)?|\.[0-9a-f-]{36}(?:\.new)?)$/;

/** Removes what is left; the caller owns the workspace. Files of processes that still run stay. */
export function removeLeftovers(workspace: string): void {
  try {
    for (const name of namesIn(workspace)) {
      const path = join(workspace, name);
      if (OURS_AT_THE_TOP.test(name)) removeTemporary(path);
      if (CANDIDATE.test(name)) removeCandidate(path);
    }
    for (const folder of FOLDERS) {
      for (const name of namesIn(join(workspace, folder))) {
        removeTemporary(join(workspace, folder, name));
      }
    }
  } catch (error) {
    throw explained(error, workspace);
  }
}

function removeTemporary(path: string): void {
  const pid = Number(TEMPORARY.exec(path)?.[1]);
  if (pid > 0 && (pid === process.pid || !answersSignals(pid))) rmSync(path, { force: true });
}

/** What a starter that was killed wanted to put in the place of the lock. */
function removeCandidate(path: string): void {
  const starter = ownerOf(path);
  if (starter !== undefined && !isRunning(starter)) rmSync(path, { force: true });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
