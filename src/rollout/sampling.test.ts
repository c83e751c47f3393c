/** One draw from one row of logits: the kept set, its frequencies, and what is reported of a token. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logSoftmax } from '../../test/reference/decoder.ts';
import { type RandomStream, stream } from '../core/random.ts';
import { TokenSampler } from './sampling.ts';
import type { Sampling } from './types.ts';

const PLAIN: Sampling = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  maxTokens: 8,
  stop: [],
  seed: 1,
  longPrompts: 'refuse',
};
const SIZE = 14;
const GRID = 500;

const logitsOf = (seed: number) => {
  const random = stream(seed, 'logits');
  return Float32Array.from({ length: SIZE }, () => 2 * random.normal());
};

/** Gives one number and no other. */
const saying = (value: number): RandomStream => ({
  uniform: () => value,
  below: () => 0,
  normal: () => 0,
  shuffled: (items) => [...items],
  state: () => [],
});

/** Share of the unit interval that each token owns: inverse transform over an even grid is exact to a cell. */
function shares(settings: Sampling, logits: Float32Array): number[] {
  const sampler = new TokenSampler(settings, SIZE);
  const counts = new Array<number>(SIZE).fill(0);
  for (let i = 0; i < GRID; i++) {
    counts[sampler.draw(logits, 0, saying((i + 0.5) / GRID)).token] += 1;
  }
  return counts.map((count) => count / GRID);
}

/** The sets by definition, each of the whole distribution; a token is kept where all three keep it. */
function keptBy({ topK, topP, minP }: Sampling, p: Float64Array): Set<number> {
  const order = [...p.keys()].sort((a, b) => p[b] - p[a] || a - b);
  const kept = order.filter((id, rank) => {
    const before = order.slice(0, rank).reduce((sum, other) => sum + p[other], 0);
    return (
      (topK === 0 || rank < topK) && (topP >= 1 || before < topP) && p[id] >= minP * p[order[0]]
    );
  });
  return new Set(kept.length === 0 ? [order[0]] : kept);
}

const settingsArbitrary = fc.record({
  temperature: fc.constantFrom(0.5, 1, 1.7),
  topK: fc.constantFrom(0, 1, 2, 5, SIZE, 99),
  topP: fc.constantFrom(0.01, 0.3, 0.55, 0.9, 1),
  minP: fc.constantFrom(0, 0.05, 0.3, 1),
});

describe('TokenSampler', () => {
  it('keeps exactly the tokens that top-k, top-p and min-p leave, at renormalised frequencies', () => {
    fc.assert(
      fc.property(settingsArbitrary, fc.nat(500), (over, seed) => {
        const settings = { ...PLAIN, ...over };
        const logits = logitsOf(seed);
        const p = logSoftmax(Float64Array.from(logits), settings.temperature).map(Math.exp);
        const kept = keptBy(settings, p);
        const mass = [...kept].reduce((sum, id) => sum + p[id], 0);
        const off = shares(settings, logits).map((share, id) =>
          Math.abs(share - (kept.has(id) ? p[id] / mass : 0)),
        );
        expect(Math.max(...off)).toBeLessThan(1.5 / GRID);
      }),
      { numRuns: 30, seed: 3 },
    );
  });

  it('takes the first of the largest logits at temperature 0, whatever the random number', () => {
    const logits = Float32Array.of(1, 4, -2, 4, 0);
    const sampler = new TokenSampler({ ...PLAIN, temperature: 0 }, 5);
    for (const value of [0, 0.5, 0.999999]) {
      expect(sampler.draw(logits, 0, saying(value)).token).toBe(1);
    }
  });

  it('never gives a token outside the row, also at the ends of the unit interval', () => {
    const logits = logitsOf(1);
    for (const over of [{}, { topK: 3 }, { topP: 0.5 }]) {
      const sampler = new TokenSampler({ ...PLAIN, ...over }, SIZE);
      const p = logSoftmax(Float64Array.from(logits)).map(Math.exp);
      for (const value of [0, 1 - 2 ** -53]) {
        const { token } = sampler.draw(logits, 0, saying(value));
        expect(keptBy({ ...PLAIN, ...over }, p).has(token)).toBe(true);
      }
    }
  });

  it.each([0, 0.7, 1, 2])(
    'reports the whole temperature-scaled distribution, before any cut: temperature %d',
    (temperature) => {
      const rows = Float32Array.from([...logitsOf(4), ...logitsOf(5)]);
      const settings = { ...PLAIN, temperature, topK: 2 };
      const sampler = new TokenSampler(settings, SIZE);
      for (const at of [0, SIZE]) {
        const draw = sampler.draw(rows, at, stream(1, 'draw', at));
        const row = Float64Array.from(rows.subarray(at, at + SIZE));
        const logp = logSoftmax(row, temperature === 0 ? 1 : temperature);
        const entropy = -logp.reduce((sum, l) => sum + Math.exp(l) * l, 0);
        const certainty = -logp.reduce((sum, l) => sum + Math.log(SIZE) + l, 0) / SIZE;
        expect(draw.logprob).toBeCloseTo(logp[draw.token], 10);
        expect(draw.entropy).toBeCloseTo(entropy, 10);
        expect(draw.selfCertainty).toBeCloseTo(certainty, 10);
      }
    },
  );
});
