// A user's module as a verifier.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../core/errors.ts';
import { startWorker } from '../../engine/worker-thread.ts';
import { defaultBounds } from '../types.ts';
import type { Frame } from './custom-judge.ts';
import { type ModuleSettings, moduleJudge } from './module.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-module-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const frame: Frame = {
  extract: (response) => [{ text: response, start: 0, end: response.length, mark: 'whole' }],
  bounds: { ...defaultBounds, maxAnswerChars: 50, maxResponseChars: 100 },
};

function written(name: string, source: string): string {
  const path = join(folder, name);
  writeFileSync(path, source);
  return path;
}

function judgeOf(source: string, settings: Partial<ModuleSettings> = {}, name = 'plain') {
  const path = written(
    `${name}-${source.length}-${source.replace(/\W+/g, '').slice(-40)}.mjs`,
    source,
  );
  return moduleJudge({ path, ...settings }, frame);
}

const returning = (value: string) => judgeOf(`export default () => (${value})`);

it('takes true and false, and verdicts with reasons', async () => {
  const judge = await judgeOf('export default (gold, response) => response.endsWith(gold)');
  expect(await judge.verify('45', 'so it is 45')).toEqual({
    verdict: 'right',
    reason: 'the verifier says right',
    rung: 'custom',
  });
  expect(await judge.verify('45', 'so it is 46')).toMatchObject({ verdict: 'wrong' });
  const full = await returning('{verdict: "undecided", reason: "cannot tell", more: 1}');
  expect(await full.verify('1', '1')).toEqual({
    verdict: 'undecided',
    reason: 'cannot tell',
    rung: 'custom',
  });
  const later = await returning('Promise.resolve({verdict: "right"})');
  expect(await later.verify('1', '1')).toMatchObject({ verdict: 'right' });
});

it.each([
  '1',
  '0.5',
  '"right"',
  'null',
  'undefined',
  '{verdict: "yes"}',
  '{}',
  '10n',
  '{verdict: "right", reason: 5}',
])('is undecided where it gives %s', async (value) => {
  const judge = await returning(value);
  const verdict = await judge.verify('1', '1');
  expect(verdict).toMatchObject({ verdict: 'undecided', rung: 'custom' });
  expect(verdict.reason).toContain('wanted true, false or {verdict, reason}');
});

it.each(['() => { throw new Error("broken") }', 'async () => { throw "broken" }'])(
  'is undecided where it throws: %s',
  async (source) => {
    const judge = await judgeOf(`export default ${source}`);
    const verdict = await judge.verify('1', '1');
    expect(verdict).toMatchObject({ verdict: 'undecided', rung: 'custom' });
    expect(verdict.reason).toContain('broken');
  },
);

it('uses the optional exports', async () => {
  const judge = await judgeOf(
    `
    export const lenient = (gold, response) => response.includes(gold);
    export const compare = (a, b) => a.length === b.length;
    export const extract = (response) => response.split('=>')[1];
  `,
    { export: 'lenient' },
  );
  expect(await judge.verify('4', 'x 4 y')).toMatchObject({ verdict: 'right' });
  expect(await judge.compare('ab', 'cd')).toMatchObject({ verdict: 'right' });
  expect(await judge.compare('ab', 'abc')).toMatchObject({ verdict: 'wrong' });
  expect(judge.candidates('so => 45')).toEqual([
    { text: ' 45', start: 5, end: 8, mark: 'conclusion' },
  ]);
  expect(judge.candidates('none')).toEqual([]);
});

it('compares answers with the verifier, and finds them like any other, where nothing else is exported', async () => {
  const judge = await judgeOf(
    'export default (gold, response) => Number(gold) === Number(response)',
  );
  expect(await judge.compare('1', '1.0')).toMatchObject({ verdict: 'right' });
  expect(judge.candidates('abc')).toMatchObject([{ text: 'abc', mark: 'whole' }]);
  expect(judge.read(' 1 ')).toEqual({
    key: 'custom:1',
    bucket: 'custom',
    kind: 'text',
    shown: '1',
  });
  expect(judge.read('2')?.bucket).toBe('custom');
  expect(judge.read(' ')).toBeNull();
});

it('keeps the bounds', async () => {
  const judge = await judgeOf(
    'export default (gold, response) => ({verdict: "right", reason: response})',
  );
  expect(await judge.compare('1', '1'.repeat(51))).toMatchObject({
    verdict: 'undecided',
    rung: 'bound',
  });
  const long = await judge.verify('1', `${'a'.repeat(100)}${'b'.repeat(100)}`);
  expect(long.reason).toBe('b'.repeat(100));
  expect(judge.candidates(`${'a'.repeat(100)}${'b'.repeat(100)}`)).toMatchObject([
    { start: 100, end: 200 },
  ]);
  expect(judge.read('1'.repeat(51))).toBeNull();
});

describe('a module that cannot be used', () => {
  it.each([
    ['export const other = 1', /as the export "default"/],
    ['export default 5', /as the export "default"/],
    ['throw new Error("at the top")', /at the top/],
    ['export default (', /while it was loaded/],
  ])('%s', async (source, message) => {
    const failed = judgeOf(source);
    await expect(failed).rejects.toThrow(UserError);
    await expect(failed).rejects.toThrow(message);
  });

  it('is not there', async () => {
    const path = join(folder, 'nowhere.ts');
    await expect(moduleJudge({ path }, frame)).rejects.toThrow(
      /nowhere\.ts: wanted .* found no file/,
    );
  });
});

it.each(['', '{"type":"module"}', '{"type":"commonjs"}'])(
  'loads TypeScript in a worker, in a package with %j',
  async (manifest) => {
    const home = mkdtempSync(join(folder, 'package-'));
    if (manifest !== '') writeFileSync(join(home, 'package.json'), manifest);
    const path = join(home, 'mine.ts');
    writeFileSync(
      path,
      `const wanted: string = 'yes';
       export default (gold: string, response: string): boolean => response === wanted;
       export function compare(gold: string, answer: string): boolean { return false as boolean; }`,
    );
    const module = new URL('./module.ts', import.meta.url).href;
    const runner = join(home, 'runner.mjs');
    writeFileSync(
      runner,
      `import { parentPort, workerData } from 'node:worker_threads';
       const { moduleJudge } = await import('${module}');
       const judge = await moduleJudge({ path: workerData }, { extract: () => [], bounds: ${JSON.stringify(defaultBounds)} });
       const verdicts = [await judge.verify('', 'yes'), await judge.compare('yes', 'yes')];
       parentPort.postMessage(verdicts.map(({ verdict }) => verdict));`,
    );
    const worker = startWorker(new URL(`file://${runner}`), path);
    expect(await once(worker, 'message')).toEqual([['right', 'wrong']]);
    await worker.terminate();
  },
);
