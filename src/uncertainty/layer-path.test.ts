import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { layerPath } from './layer-path.ts';
import { estimatorByName } from './registry.ts';
import type { LayerPath, RolloutSummary } from './types.ts';

const numbers = z.array(z.number());
const goldenSchema = z.object({
  cases: z.array(
    z.object({
      hidden_size: z.number(),
      states: numbers,
      magnitudes: numbers,
      angles: numbers,
      turns: numbers,
      coe_r: z.number(),
      coe_c: z.number(),
    }),
  ),
});
const golden = goldenSchema.parse(
  JSON.parse(readFileSync(new URL('../../test/golden/layer-paths.json', import.meta.url), 'utf8')),
);

function scoreOf(name: string, ...paths: LayerPath[]): number {
  const rollouts = paths.map(
    (path): RolloutSummary => ({
      length: 9,
      meanEntropy: 0,
      maxEntropy: 0,
      meanSelfCertainty: 0,
      meanLogprob: 0,
      answerClass: 0,
      layerPath: path,
    }),
  );
  const observation = { promptId: 'one', rollouts, pivots: [] };
  return estimatorByName(name).score([observation], { seed: 1 })[0];
}

function expectAll(got: Float32Array, want: readonly number[]): void {
  expect(got.length).toBe(want.length);
  for (const [i, value] of want.entries()) expect(got[i]).toBeCloseTo(value, 5);
}

describe.each(golden.cases)('as NumPy has it: $states.length values', (one) => {
  const path = layerPath(one.states, one.hidden_size);

  test('magnitudes, angles, turns', () => {
    expectAll(path.magnitudes, one.magnitudes);
    expectAll(path.angles, one.angles);
    expectAll(path.turns, one.turns);
  });

  test('CoE-R and CoE-C, negated', () => {
    expect(scoreOf('coe_r', path)).toBeCloseTo(-one.coe_r, 5);
    expect(scoreOf('coe_c', path)).toBeCloseTo(-one.coe_c, 5);
  });
});

test('what is not two states or more is no path', () => {
  expect(() => layerPath([1, 2, 3], 3)).toThrow(RangeError);
  expect(() => layerPath([1, 2, 3, 4], 3)).toThrow(RangeError);
});

test('states that are equal or zero give a path of zeros, not of NaN', () => {
  const still = layerPath([1, 2, 1, 2, 1, 2], 2);
  expect([...still.magnitudes, ...still.angles, ...still.turns]).toEqual([0, 0, 0, 0, 0]);
  const fromZero = layerPath([0, 0, 3, 4], 2);
  expect([...fromZero.magnitudes, ...fromZero.angles]).toEqual([1, 0]);
});

describe('CoT-Kinetics', () => {
  const straight = layerPath([1, 0, 2, 0, 3, 0, 4, 0], 2);

  test('a straight and even path has the energy one half', () => {
    expect(scoreOf('cot_kinetics', straight)).toBeCloseTo(-1 / 2, 6);
  });

  test('a path that turns has less', () => {
    // Three steps of equal length with two right angles; the whole way is as long as one of them.
    const hook = layerPath([1, 0, 2, 0, 2, 1, 1, 1], 2);
    const [momentum, curvature] = [3 ** 2, (Math.PI / 2) ** 2];
    expect(scoreOf('cot_kinetics', hook)).toBeCloseTo(-(momentum - curvature) / 2, 5);
    const flat = { ...hook, turns: new Float32Array(2) };
    expect(scoreOf('cot_kinetics', hook)).toBeGreaterThan(scoreOf('cot_kinetics', flat));
  });

  test('a path that moves farther has more', () => {
    const wide = { ...straight, magnitudes: straight.magnitudes.map((size) => 2 * size) };
    expect(scoreOf('cot_kinetics', wide)).toBeLessThan(scoreOf('cot_kinetics', straight));
  });

  test('a model of one layer has no turn', () => {
    expect(scoreOf('cot_kinetics', layerPath([1, 0, 2, 1], 2))).toBeCloseTo(-1 / 2, 6);
  });
});

test('every rollout counts', () => {
  const [a, b] = golden.cases.slice(2).map((one) => layerPath(one.states, one.hidden_size));
  for (const name of ['coe_r', 'coe_c', 'cot_kinetics']) {
    const apart = (scoreOf(name, a) + scoreOf(name, b)) / 2;
    expect(scoreOf(name, a, b)).toBeCloseTo(apart, 10);
  }
});
