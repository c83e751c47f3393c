/** What `env` says about the sandbox for answers that are programs. */
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { silent } from '../../core/progress.ts';
import { sandboxReport } from '../../verify/code/python/interpreter.ts';
import { loadConfig } from '../config.ts';
import { env } from './env.ts';

async function run(...overrides: string[]): Promise<{ text: string; data: object }> {
  const { config } = loadConfig({ cwd: tmpdir(), overrides });
  let said = { text: '', data: {} };
  const output = {
    ...{ json: false, note: () => {}, progress: silent },
    result: (text: string, data: object) => {
      said = { text, data };
    },
  };
  await env.run({
    ...{ config, database: undefined, configFile: undefined, overrides, operands: [], flags: {} },
    ...{ cwd: tmpdir(), output },
    stop: new AbortController().signal,
  });
  return said;
}

test('how programs are confined here, for people and for machines', async () => {
  const report = await sandboxReport('python3');
  const { text, data } = await run();
  expect(data).toMatchObject({
    code: { enabled: false, javascript: true, python: { interpreter: 'python3', ...report } },
  });
  expect(text).toContain('are not run (verify.code.enabled)');
  expect(text).toContain(report.summary);
  for (const protection of report.holds) expect(text).toContain(protection);
});

test('why Python programs cannot be run', async () => {
  const { text, data } = await run(
    'verify.code.enabled=true',
    'verify.code.python=/nowhere/python3',
  );
  expect(data).toMatchObject({
    code: { enabled: true, python: { available: false, holds: [] } },
  });
  expect(text).toContain('may be run');
  expect(text).toMatch(/Python +cannot be run: .*(\/nowhere\/python3|confined)/);
});
