import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { stream } from '../core/random.ts';
import { openStore } from './store.ts';
import { rolloutRow, traceRow } from './testing/rows.ts';
import { freshWorkspace } from './testing/workspace.ts';

const writer = join(import.meta.dirname, 'testing', 'writer.ts');

/** Runs the writer, kills it `delay` ms after it acknowledged `batches`; the last one it acknowledged. */
async function killedWriter(
  workspace: string,
  first: number,
  batches: number,
  delay: number,
): Promise<number> {
  const child = spawn(process.execPath, ['--import', 'tsx', writer, workspace, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let acknowledged = first - 1;
  const lines = createInterface({ input: child.stdout });
  const underWay = new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      if (line !== 'open') acknowledged = Number(line);
      if (acknowledged >= first - 1 + batches) resolve();
    });
    child.on('exit', (code) => reject(new Error(`the writer ended by itself with ${code}`)));
  });
  // The pipe closes before the process is gone, and until then it owns the workspace.
  const gone = Promise.all([once(lines, 'close'), once(child, 'exit')]);
  await underWay;
  await pause(delay);
  child.kill('SIGKILL');
  await gone;
  return acknowledged;
}

test('what was acknowledged survives SIGKILL at any moment', { timeout: 400_000 }, async () => {
  const workspace = await freshWorkspace();
  const random = stream(20, 'kills');
  let next = 0;
  for (let round = 0; round < 8; round++) {
    const acknowledged = await killedWriter(workspace, next, round % 4, random.below(150));
    const store = await openStore(workspace);
    const indices = Array.from({ length: (acknowledged + 1) * 20 }, (_, i) => i);
    const ids = indices.map((i) => `p${i}`);
    expect(await store.prompts.unknown(ids)).toEqual([]);
    const rollouts = await store.rollouts.of(0, ids);
    expect(rollouts).toEqual(indices.map((i) => rolloutRow(i, 0, 200)));
    const last = indices.slice(-40);
    const traces = await store.traces.of(
      0,
      last.map((i) => `p${i}`),
    );
    expect(traces).toEqual(last.map((i) => traceRow(i, 0, 200)));
    await store.close();
    // The batch after the last acknowledged one may be there in part: the next writer repeats it.
    next = acknowledged + 1;
  }
  expect(next).toBeGreaterThanOrEqual(12);
});
