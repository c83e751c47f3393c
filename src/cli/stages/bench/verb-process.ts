/** Runs one verb of a job as a process of its own. */
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { stopHere } from '../../../core/progress.ts';
import { ownerOf } from '../../../store/owner.ts';
import { isRunning } from '../../../store/process.ts';
import { packageRoot } from '../../config.ts';
import { databaseVariable } from '../../database.ts';

const program = join(packageRoot, 'bin', 'pivottrace.mjs');
const endWithParent = new URL('end-with-parent.mjs', import.meta.url).href;

/** Runs `verb` in `folder` and says how it exited: 128 + the signal's number where a signal ended it. */
export type RunVerb = (folder: string, verb: string, stop: AbortSignal) => Promise<number>;

/**
 * What the verb says goes to cell.log. It has a process group of its own: a Ctrl-C reaches the bench alone, which
 * passes it on once (a verb that is asked twice ends at once).
 */
export const runVerb: RunVerb = async (folder, verb, stop) => {
  await untilFree(folder, stop);
  const path = join(folder, 'cell.log');
  appendFileSync(path, `== pivottrace ${verb}\n`);
  const log = openSync(path, 'a');
  try {
    return await ended(folder, verb, log, stop);
  } finally {
    closeSync(log);
  }
};

function ended(folder: string, verb: string, log: number, stop: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--import', endWithParent, program, verb, '--quiet', '--config', 'pivottrace.yaml'],
      // Every cell has a database of its own.
      {
        ...{ cwd: folder, stdio: ['ignore', log, log, 'ipc'], detached: true },
        env: { ...process.env, [databaseVariable]: undefined },
      },
    );
    const interrupt = (): void => {
      child.kill('SIGINT');
    };
    stop.addEventListener('abort', interrupt);
    if (stop.aborted) interrupt();
    const finish = (): void => stop.removeEventListener('abort', interrupt);
    child.once('error', (error) => {
      finish();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      finish();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/** A bench that was killed may have left a verb behind, which ends by itself at its next safe point. */
async function untilFree(folder: string, stop: AbortSignal): Promise<void> {
  const lock = join(folder, 'owner.lock');
  for (let owner = ownerOf(lock); owner !== undefined && isRunning(owner); owner = ownerOf(lock)) {
    stopHere(stop, 'The bench');
    await wait(200);
  }
}
