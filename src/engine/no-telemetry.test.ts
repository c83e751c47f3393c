import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';

/** The telemetry library of ONNX Runtime opens a log of this name as soon as it starts. */
const logs = () => readdirSync(tmpdir()).filter((name) => /^mat-debug-\d+\.log$/.test(name));

test('no session starts telemetry, in the main thread or in a worker', () => {
  const before = new Set(logs());
  const { ORT_DISABLE_TELEMETRY: _, CI: __, ...env } = process.env;
  const script = `
    import { register } from 'tsx/esm/api';
    register();
    const { Graph } = await import('./src/engine/graph.ts');
    const { Program } = await import('./src/engine/program.ts');
    const { startWorker } = await import('./src/engine/worker-thread.ts');
    const g = new Graph();
    g.output('y', g.neg(g.input('x', [1])));
    await Program.compile(g, { provider: 'cpu', threads: 1 });
    const worker = startWorker(new URL('./src/engine/testing/one-session.ts', 'file://' + process.cwd() + '/'), null);
    await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
    console.log('done');
  `;
  const root = new URL('../..', import.meta.url);
  const arguments_ = ['--input-type=module', '--eval', script];
  expect(execFileSync(process.execPath, arguments_, { cwd: root, env, encoding: 'utf8' })).toBe(
    'done\n',
  );
  expect(logs().filter((name) => !before.has(name))).toEqual([]);
});
