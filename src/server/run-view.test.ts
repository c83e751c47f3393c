import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { RunDirectory } from '../train/run-directory.ts';
import { behind, RunReader } from './run-view.ts';
import { append, logEvaluation, logStep, stepLine } from './testing/view-fixture.ts';

const base = mkdtempSync(join(tmpdir(), 'pivottrace-run-view-'));
let count = 0;
const fresh = () => join(base, String(count++));
afterAll(() => rmSync(base, { recursive: true }));

const stepsOf = async (reader: RunReader) =>
  (await reader.read('a'))?.steps.map(({ step }) => step);

test('reads what was added since the last time, and leaves a half-written line for later', async () => {
  const workspace = fresh();
  const reader = new RunReader(workspace, 1);
  expect(await stepsOf(reader)).toEqual([]);
  logStep(workspace, 'a', 1);
  const line = stepLine(2);
  append(workspace, 'a', 'metrics.jsonl', line.slice(0, 30));
  expect(await stepsOf(reader)).toEqual([1]);
  append(workspace, 'a', 'metrics.jsonl', line.slice(30));
  logEvaluation(workspace, 'a', 2, 0.75);
  const now = await reader.read('a');
  expect(now?.steps.map(({ step }) => step)).toEqual([1, 2]);
  expect(now?.evaluations).toEqual([
    { step: 2, average: 0.75, greedy: null, rollouts: 0, labels: 3 },
  ]);
});

test('a line cut within a character is read when it is whole; lines that are no record are left out', async () => {
  const workspace = fresh();
  const reader = new RunReader(workspace, 1);
  const bytes = Buffer.from(`{"step":1,"note":"é"}\n`);
  append(workspace, 'a', 'metrics.jsonl', 'nonsense\n{"step":"x"}\n\n');
  const path = join(workspace, 'runs/a/metrics.jsonl');
  const cut = bytes.indexOf(0xc3) + 1;
  writeFileSync(path, bytes.subarray(0, cut), { flag: 'a' });
  expect(await stepsOf(reader)).toEqual([]);
  writeFileSync(path, bytes.subarray(cut), { flag: 'a' });
  expect(await stepsOf(reader)).toEqual([1]);
});

test('a run that goes on from a checkpoint forgets what it logged after it', async () => {
  const workspace = fresh();
  const reader = new RunReader(workspace, 1);
  const directory = RunDirectory.open(join(workspace, 'runs/a'), {});
  for (let step = 1; step <= 6; step++) directory.append('metrics', { step, reward: 0 });
  const before = await reader.read('a');
  expect(before?.steps.length).toBe(6);
  directory.rewind(4);
  for (let step = 5; step <= 9; step++) directory.append('metrics', { step, reward: 1 });
  const after = await reader.read('a');
  expect(after?.steps.map(({ step, reward }) => [step, reward])).toEqual([
    ...[1, 2, 3, 4].map((step) => [step, 0]),
    ...[5, 6, 7, 8, 9].map((step) => [step, 1]),
  ]);
  expect(behind(after?.version ?? '', before?.version ?? '')).toBeNull();
});

test('a version says which points are new, and that of an earlier reader counts for nothing', async () => {
  const workspace = fresh();
  const reader = new RunReader(workspace, 1);
  logStep(workspace, 'a', 1);
  const first = (await reader.read('a'))?.version ?? '';
  logStep(workspace, 'a', 2);
  logStep(workspace, 'a', 3);
  const second = (await reader.read('a'))?.version ?? '';
  expect(behind(second, first)).toEqual({ steps: 1, evaluations: 0 });
  const other = (await new RunReader(workspace, 2).read('a'))?.version ?? '';
  expect(behind(other, second)).toBeNull();
  expect(behind(second, 'rubbish')).toBeNull();
});

test('steps that come again replace what was logged from them on', async () => {
  const workspace = fresh();
  const reader = new RunReader(workspace, 1);
  for (const step of [1, 2, 3, 2]) logStep(workspace, 'a', step);
  expect(await stepsOf(reader)).toEqual([1, 2]);
});

test('two readings at once take every line once', async () => {
  const workspace = fresh();
  const reader = new RunReader(workspace, 1);
  for (let step = 1; step <= 50; step++) logStep(workspace, 'a', step);
  await Promise.all([reader.read('a'), reader.read('a'), reader.read('a')]);
  expect((await stepsOf(reader))?.length).toBe(50);
});

test('a name that leads out of the folder is no run', async () => {
  expect(await new RunReader(fresh(), 1).read('../../etc')).toBeNull();
});
