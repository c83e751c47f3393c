import { expect, test } from 'vitest';
import type { Job } from './folder.ts';
import { TimeLeft } from './time-left.ts';

const job = (arm: string, seed: number): Job => ({
  kind: 'cell',
  ...{
    id: `${arm}/${seed}`,
    folder: '',
    pool: 'pool',
    arm,
    seed,
    verbs: [],
    values: {},
    paths: [],
  },
  ...{ from: null, budget: null, countScoring: true },
});

test('the rest is judged by jobs of the same arm, shared by the workers', () => {
  let now = 0;
  const left = new TimeLeft(2, [], () => now);
  const [slow, slow2, quick, quick2, other] = [
    job('slow', 1),
    job('slow', 2),
    job('quick', 1),
    job('quick', 2),
    job('other', 1),
  ];
  left.begun(slow);
  left.begun(quick);
  expect(left.seconds([slow, quick, slow2])).toBeUndefined();
  now = 10;
  left.ended(quick, 10);
  // Of an arm that has not ended nothing is known but what the others took.
  expect(left.seconds([slow, slow2, quick2])).toBeCloseTo((0 + 10 + 10) / 2);
  now = 100;
  left.ended(slow, 100);
  left.begun(slow2);
  now = 150;
  expect(left.seconds([slow2, quick2, other])).toBeCloseTo((50 + 10 + 55) / 2);
  // The longest job decides where the others are done before.
  expect(left.seconds([slow2])).toBeCloseTo(50);
  expect(left.seconds([])).toBe(0);
});

test('jobs of an earlier call count', () => {
  const left = new TimeLeft(1, [{ job: job('slow', 1), seconds: 40 }], () => 0);
  expect(left.seconds([job('slow', 2), job('slow', 3)])).toBe(80);
});
