import { expect, test } from 'vitest';
import type { WireRun } from '../../../src/server/wire-dashboard.ts';
import { grown, labelSteps, versionsOf } from './curves.ts';

function runOf(name: string, steps: number[], follows: boolean): WireRun {
  const column = steps.map((step) => step / 10);
  return {
    ...{ name, kind: 'train', status: 'running', plan: null, account: null, planned: null },
    ...{ step: steps.at(-1) ?? null, rollouts: 0, tokens: 0, labels: 0, seconds: 0, follows },
    version: `v${steps.join()}`,
    points: {
      steps,
      columns: {
        ...{ reward: column, frac_reward_zero_std: column, entropy: column },
        ...{ 'completions/mean_length': column, labels_used: column },
      },
    },
    evaluations: steps.map((step) => ({ step, average: 0, greedy: null, rollouts: 0, labels: 0 })),
  };
}

test('what follows is put behind what was there; what does not follow takes its place', () => {
  const before = [runOf('a', [1, 2], false), runOf('b', [1], false), runOf('gone', [1], false)];
  const [a, b, c] = grown(before, [
    runOf('a', [3], true),
    runOf('b', [1, 2], false),
    runOf('c', [1], false),
  ]);
  expect(a.points.steps).toEqual([1, 2, 3]);
  expect(a.points.columns.reward).toEqual([0.1, 0.2, 0.3]);
  expect(a.evaluations.length).toBe(3);
  expect(b.points.steps).toEqual([1, 2]);
  expect(c.name).toBe('c');
  expect(JSON.parse(versionsOf([a, b]))).toEqual({ a: 'v3', b: 'v1,2' });
});

test('labels add up from those before training on, for every run by itself', () => {
  const lines = labelSteps([
    { run: null, step: null, labels: 10 },
    { run: 'a', step: 2, labels: 1 },
    { run: 'a', step: 5, labels: 3 },
    { run: 'b', step: 4, labels: 2 },
  ]);
  expect(lines).toEqual([
    {
      run: 'a',
      points: [
        { x: 0, y: 10 },
        { x: 2, y: 11 },
        { x: 5, y: 14 },
      ],
    },
    {
      run: 'b',
      points: [
        { x: 0, y: 10 },
        { x: 4, y: 12 },
      ],
    },
  ]);
});
