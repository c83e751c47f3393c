import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runVerb } from './verb-process.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-verb-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await wait(20);
}

test('the exit code comes back, and what the verb said is in the log', async () => {
  writeFileSync(join(folder, 'pivottrace.yaml'), 'workspace: .\npool.files: [no.jsonl]\n');
  expect(await runVerb(folder, 'pool', new AbortController().signal)).toBe(1);
  const log = readFileSync(join(folder, 'cell.log'), 'utf8');
  expect(log).toMatch(/^== pivottrace pool\n/);
  expect(log).toContain('wanted a known setting, found "pool.files"');
}, 120_000);

test('a stop is passed on as an interrupt', async () => {
  writeFileSync(join(folder, 'pivottrace.yaml'), 'workspace: .\n');
  const stop = AbortSignal.abort();
  // It is asked before it can listen: the interrupt ends it.
  expect(await runVerb(folder, 'pool', stop)).toBe(130);
}, 120_000);

test('a verb whose bench was killed is asked to stop', async () => {
  const preload = new URL('end-with-parent.mjs', import.meta.url).href;
  const child = join(folder, 'child.mjs');
  writeFileSync(
    child,
    `import { writeFileSync } from 'node:fs';
     process.on('SIGTERM', () => { writeFileSync('stopped', ''); process.exit(); });
     writeFileSync('began', '');
     setInterval(() => {}, 1000);`,
  );
  const parent = join(folder, 'parent.mjs');
  writeFileSync(
    parent,
    `import { spawn } from 'node:child_process';
     spawn(process.execPath, ['--import', ${JSON.stringify(preload)}, 'child.mjs'],
       { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], detached: true });`,
  );
  const bench = spawn(process.execPath, [parent], { cwd: folder, stdio: 'ignore' });
  await until(() => existsSync(join(folder, 'began')));
  bench.kill('SIGKILL');
  await until(() => existsSync(join(folder, 'stopped')));
}, 60_000);

test('a verb that ends by itself is not kept waiting by the channel', async () => {
  writeFileSync(join(folder, 'pivottrace.yaml'), 'workspace: .\n');
  expect(await runVerb(folder, 'no-such-verb', new AbortController().signal)).toBe(1);
}, 120_000);
