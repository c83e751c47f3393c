import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorker } from './worker-thread.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-worker-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function module(name: string, source: string): URL {
  const path = join(folder, name);
  writeFileSync(path, source);
  return pathToFileURL(path);
}

test('a TypeScript module runs in a thread, sees its data and imports our sources', async () => {
  const errors = new URL('../core/errors.ts', import.meta.url).href;
  const worker = startWorker(
    module(
      'echo.ts',
      `import { parentPort, workerData } from 'node:worker_threads';
       import { UserError } from '${errors}';
       const data: { n: number } = workerData;
       const error: Error = new UserError({ wanted: 'x', found: String(data.n) });
       parentPort?.postMessage(error.message);`,
    ),
    { n: 41 },
  );
  expect(await once(worker, 'message')).toEqual(['wanted x, found 41.']);
  await worker.terminate();
});

test('a module that throws at its top level gives an error event', async () => {
  const worker = startWorker(module('bad.ts', `throw new Error('no good' as string);`), undefined);
  await expect(once(worker, 'message')).rejects.toThrow('no good');
});
