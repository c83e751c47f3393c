// What `npm run check:scipy` checks, without Python: against SciPy's numbers of the day golden.json was recorded.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checks } from './checks.ts';
import { deviation, GOLDEN, referenceSchema, TOLERANCE } from './scipy.ts';

const golden = referenceSchema.parse(JSON.parse(readFileSync(GOLDEN, 'utf8')));
const all = checks();

it('has the numbers of every check', () => {
  expect(Object.keys(golden.values).sort()).toEqual(all.map(({ name }) => name).sort());
});

describe('SciPy agrees on', () => {
  it.each(all)('$name', (check) => {
    expect(deviation(check, golden).largest).toBeLessThanOrEqual(TOLERANCE);
  });
});

it('sees a number that is off, missing or undefined', () => {
  const reference = { made_with: 'hand', values: { x: [[1, 200], ['nan' as const]] } };
  const off = (found: number[][]) => deviation({ name: 'x', inputs: [], found }, reference).largest;
  expect(off([[1, 200], [Number.NaN]])).toBe(0);
  expect(off([[1, 200.2], [Number.NaN]])).toBeCloseTo(1e-3, 12);
  expect(off([[1.001, 200], [Number.NaN]])).toBeCloseTo(1e-3, 12);
  expect(off([[1, 200], [0]])).toBe(Infinity);
  expect(off([[1, 200]])).toBe(Infinity);
  expect(off([[1], [Number.NaN]])).toBe(Infinity);
  expect(deviation({ name: 'y', inputs: [], found: [[1]] }, reference).largest).toBe(Infinity);
});
