/** The verb `verify` where sources have verifiers of their own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { silent } from '../../core/progress.ts';
import { loadConfig } from '../config.ts';
import { verify } from './verify.ts';

const folder = mkdtempSync(join(tmpdir(), 'pivottrace-verify-sources-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const settings = 'verify={kind: text, sources: {gsm8k: {kind: number}, arc: {kind: choice}}}';

async function run(operands: string[], flags: Record<string, unknown>, ...more: string[]) {
  const overrides = [settings, ...more];
  const { config } = loadConfig({ cwd: folder, overrides });
  let said: object = {};
  const output = {
    ...{ json: false, note: () => {}, progress: silent },
    result: (_text: string, data: object) => {
      said = data;
    },
  };
  const stop = new AbortController().signal;
  const context = { config, database: undefined, configFile: undefined, overrides, operands };
  await verify.run({ ...context, flags, cwd: folder, output, stop });
  return said;
}

test('rows are judged by the verifier of their source', async () => {
  const answer = { gold: '0.5', response: '\\boxed{1/2}' };
  const rows = [
    { id: 1, ...answer, source: 'gsm8k' },
    { id: 2, ...answer },
    { id: 3, ...answer, source: 'unheard of' },
    { id: 4, gold: 'B', response: 'The answer is (b).', source: 'arc' },
  ];
  writeFileSync(join(folder, 'rows.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  await run([], { file: 'rows.jsonl', out: 'out.jsonl' });
  const lines = readFileSync(join(folder, 'out.jsonl'), 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).verdict)).toEqual([
    ...['right', 'wrong', 'wrong', 'right'],
  ]);
});

test('a pair is judged by the verifier of --source, which is for nothing else', async () => {
  expect(await run(['0.5', '1/2'], { source: 'gsm8k' })).toMatchObject({ verdict: 'right' });
  expect(await run(['0.5', '1/2'], {})).toMatchObject({ verdict: 'wrong' });
  const withFile = run([], { file: 'rows.jsonl', out: 'out.jsonl', source: 'gsm8k' });
  await expect(withFile).rejects.toThrow('found --file, --out, --source');
});
