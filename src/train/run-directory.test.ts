import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { UserError } from '../core/errors.ts';
import { RunDirectory } from './run-directory.ts';
import type { TrainState } from './types.ts';

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'pivottrace-run-')), 'runs', 'main');
});
afterEach(() => rmSync(join(path, '..', '..'), { recursive: true, force: true }));

const SETTINGS = { train: { lr: 1e-4, betas: [0.9, 0.95], run: null }, seed: 1 };
const state = (step: number): TrainState => ({
  ...{ step, cursor: 8 * step, rollouts: 64 * step, tokens: 900 * step, seconds: 1.5 * step },
  ...{ labels: 3, schedule: { prompts: [] }, methods: { care: { 3: [1, 2] } } },
});
const fill = async (folder: string) => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'weights'), 'whole');
};
const checkpoints = () => readdirSync(path).filter((name) => name.startsWith('checkpoint-'));

it('refuses other settings and names every key that differs', () => {
  RunDirectory.open(path, SETTINGS);
  RunDirectory.open(path, structuredClone(SETTINGS));
  const other = { train: { lr: 1e-5, betas: [0.9, 0.99], run: null, kl: 0.1 } };
  const open = () => RunDirectory.open(path, other);
  expect(open).toThrow(UserError);
  expect(open).toThrow('train.lr was 0.0001, now 0.00001');
  expect(open).toThrow('train.betas was [0.9,0.95], now [0.9,0.99]');
  expect(open).toThrow('train.kl was not set, now 0.1');
  expect(open).toThrow('seed was 1, now not set');
});

it('goes on from the newest whole checkpoint and keeps as many as asked for', async () => {
  const run = RunDirectory.open(path, SETTINGS);
  expect(run.latest()).toBeNull();
  for (const step of [2, 4, 10]) await run.checkpoint(state(step), 2, fill);
  expect(checkpoints().sort()).toEqual(['checkpoint-10', 'checkpoint-4']);
  expect(run.latest()).toEqual({ directory: join(path, 'checkpoint-10'), state: state(10) });
  // One that is there already is left alone.
  await run.checkpoint(state(10), 2, () => Promise.reject(new Error('written twice')));
});

it('ignores and clears away a checkpoint that was not finished', async () => {
  const run = RunDirectory.open(path, SETTINGS);
  await run.checkpoint(state(2), 2, fill);
  const cut = run.checkpoint(state(4), 2, async (folder) => {
    await fill(folder);
    throw new Error('killed');
  });
  await expect(cut).rejects.toThrow('killed');
  expect(existsSync(join(path, 'checkpoint-4.tmp', 'weights'))).toBe(true);
  const again = RunDirectory.open(path, SETTINGS);
  expect(again.latest()?.state.step).toBe(2);
  expect(checkpoints()).toEqual(['checkpoint-2']);
  await again.checkpoint(state(4), 2, fill);
  expect(again.latest()?.state).toEqual(state(4));
});

it('says which checkpoint has a state that it cannot read', async () => {
  const run = RunDirectory.open(path, SETTINGS);
  await run.checkpoint(state(2), 2, fill);
  writeFileSync(join(path, 'checkpoint-2', 'state.json'), '{"step": -1}');
  expect(() => run.latest()).toThrow(join('checkpoint-2', 'state.json'));
});

it('forgets what was logged after the checkpoint, and a line that was cut short', () => {
  const run = RunDirectory.open(path, SETTINGS);
  expect(run.read('metrics')).toEqual([]);
  run.append('evaluations', { step: 0 });
  for (const step of [1, 2, 3]) run.append('metrics', { step, loss: step / 10 });
  appendFileSync(join(path, 'metrics.jsonl'), '{"step":4,"lo');
  expect(run.read('metrics')).toHaveLength(3);
  run.rewind(2);
  run.append('metrics', { step: 3, loss: 0.5 });
  expect(
    readFileSync(join(path, 'metrics.jsonl'), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { step: 1, loss: 0.1 },
    { step: 2, loss: 0.2 },
    { step: 3, loss: 0.5 },
  ]);
  expect(run.read('evaluations')).toEqual([{ step: 0 }]);
  run.rewind(null);
  expect([run.read('metrics'), run.read('evaluations')]).toEqual([[], []]);
});
