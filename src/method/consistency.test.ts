// Uncertainty consistency: what the two metrics are, and how they hang together.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pearson } from '../core/ranks.ts';
import { pointBiserial } from '../stats/correlation.ts';
import { judged, keptOf, onlineConsistency, perplexityOf } from './consistency.ts';
import { groupOf, label, vote } from './testing/groups.ts';

const SEED = { seed: 11, numRuns: 400 };

/** Perplexities that are apart, so that no rank hangs on rounding. */
const perplexity = fc.integer({ min: 100, max: 2000 }).map((x) => x / 100);
const mixed = fc
  .array(fc.record({ u: perplexity, right: fc.boolean() }), { minLength: 2, maxLength: 12 })
  .filter((list) => new Set(list.map(({ right }) => right)).size === 2)
  .filter((list) => new Set(list.map(({ u }) => u)).size > 1);
const gammas = fc.constantFrom(0, 0.1, 0.5, 1, 2);

type List = readonly { u: number; right: boolean }[];
const sides = (list: List) => ({
  perplexities: Float64Array.from(list, ({ u }) => u),
  correct: Float64Array.from(list, ({ right }) => Number(right)),
});
function offline(list: List): number {
  const { perplexities, correct } = sides(list);
  return pointBiserial(perplexities, correct) ?? Number.NaN;
}
const online = (list: List, gamma: number) => onlineConsistency(sides(list), gamma) ?? Number.NaN;
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('perplexity', () => {
  it('is exp of the mean negative log-likelihood', () => {
    const logprobs = Float32Array.of(Math.log(0.5), Math.log(0.125));
    expect(perplexityOf({ logprobs })).toBeCloseTo(4, 5);
    expect(perplexityOf({ logprobs: new Float32Array(0) })).toBe(1);
  });
});

describe('the offline metric', () => {
  it('is the Pearson correlation of U and R', () => {
    fc.assert(
      fc.property(mixed, (list) => {
        const { perplexities, correct } = sides(list);
        expect(offline(list)).toBeCloseTo(pearson(perplexities, correct), 9);
      }),
      SEED,
    );
  });
});

describe('the online metric', () => {
  it('is c sqrt(p (1 - p)) (h1 - gamma h0)', () => {
    fc.assert(
      fc.property(mixed, gammas, (list, gamma) => {
        const inverse = (side: boolean) =>
          mean(list.filter(({ right }) => right === side).map(({ u }) => 1 / u));
        const p = list.filter(({ right }) => right).length / list.length;
        const c = Math.sqrt((list.length - 1) / list.length);
        const wanted = c * Math.sqrt(p * (1 - p)) * (inverse(true) - gamma * inverse(false));
        expect(online(list, gamma)).toBeCloseTo(wanted, 5);
      }),
      SEED,
    );
  });

  it('is undefined where all agree', () => {
    for (const right of [true, false]) {
      expect(onlineConsistency(sides([1, 2, 3].map((u) => ({ u, right }))), 0.1)).toBeNull();
    }
    expect(onlineConsistency(sides([]), 0.1)).toBeNull();
    expect(onlineConsistency(sides([{ u: 2, right: true }]), 0.1)).toBeNull();
  });

  it('falls strictly as r_pb rises, the mark "right" moving to a more uncertain rollout', () => {
    fc.assert(
      fc.property(mixed, gammas, fc.nat(), fc.nat(), (list, gamma, a, b) => {
        const rights = list.flatMap(({ right }, i) => (right ? [i] : []));
        const wrongs = list.flatMap(({ right }, i) => (right ? [] : [i]));
        const [i, j] = [rights[a % rights.length], wrongs[b % wrongs.length]];
        fc.pre(list[i].u < list[j].u);
        const moved = list.map((one, k) =>
          k === i || k === j ? { ...one, right: !one.right } : one,
        );
        expect(offline(moved)).toBeGreaterThan(offline(list));
        expect(online(moved, gamma)).toBeLessThan(online(list, gamma));
      }),
      SEED,
    );
  });

  it('falls strictly as r_pb rises, the right growing more and the wrong less uncertain, s the same', () => {
    const growth = fc.integer({ min: 10, max: 500 }).map((x) => x / 100);
    fc.assert(
      fc.property(mixed, gammas, growth, (list, gamma, t) => {
        const i = list.findIndex(({ right }) => right);
        const j = list.findIndex(({ right }) => !right);
        const u = fallThatKeepsSpread(
          list.map((one) => one.u),
          i,
          j,
          t,
        );
        fc.pre(u > 0.01 && list[j].u - u >= 1);
        const moved = list.map((one, k) => ({
          ...one,
          u: one.u + (k === i ? t : k === j ? -u : 0),
        }));
        expect(offline(moved)).toBeGreaterThan(offline(list));
        expect(online(moved, gamma)).toBeLessThan(online(list, gamma));
      }),
      SEED,
    );
  });

  it('need not fall where the third condition fails: a wide spread among the right ones counts for it', () => {
    const of = (right: number[], wrong: number[]) => [
      ...right.map((u) => ({ u, right: true })),
      ...wrong.map((u) => ({ u, right: false })),
    ];
    const before = of([6, 7], [2, 12]);
    const after = of([2, 12], [6, 7]);
    expect(offline(after)).toBeGreaterThan(offline(before));
    expect(online(after, 0.1)).toBeGreaterThan(online(before, 0.1));
  });

  it('hears wrong responses by gamma alone', () => {
    const sure = [
      { u: 2, right: true },
      { u: 1.1, right: false },
    ];
    const unsure = [
      { u: 2.2, right: true },
      { u: 8, right: false },
    ];
    expect(online(sure, 0)).toBeGreaterThan(online(unsure, 0));
    expect(online(sure, 0.1)).toBeLessThan(online(unsure, 0.1));
  });
});

/** How far values[j] must fall for the sum of squares around the mean to stay when values[i] rises by t; NaN: it cannot. */
function fallThatKeepsSpread(values: readonly number[], i: number, j: number, t: number): number {
  const n = values.length;
  const sum = mean(values) * n;
  const b = -2 * values[j] + (2 * (sum + t)) / n;
  const c = 2 * values[i] * t + t * t - ((sum + t) ** 2 - sum ** 2) / n;
  const a = 1 - 1 / n;
  return (-b + Math.sqrt(b * b - 4 * a * c)) / (2 * a);
}

describe('what is judged', () => {
  it('is the label where there is one, the vote as a proxy where there is none', async () => {
    const answers = ['3', '3', '4'];
    const labelled = judged(await groupOf('p', answers, label('4'), [2, 3, 4]));
    expect(labelled?.proxy).toBe(false);
    expect([...(labelled?.correct ?? [])]).toEqual([0, 0, 1]);
    expect([...(labelled?.perplexities ?? [])]).toEqual([2, 3, 4].map((u) => expect.closeTo(u, 5)));
    const voted = judged(await groupOf('p', answers));
    expect(voted?.proxy).toBe(true);
    expect([...(voted?.correct ?? [])]).toEqual([1, 1, 0]);
  });

  it('leaves out what the verifier left out, and groups with nothing to go by', async () => {
    const group = await groupOf('p', ['3', '4', '4'], label('4'));
    const rewards = Float64Array.of(0, Number.NaN, 1);
    const some = judged({ ...group, reward: { ...group.reward, rewards } });
    expect([...(some?.correct ?? [])]).toEqual([0, 1]);
    expect(judged({ ...group, reward: { ...group.reward, rewards: null } })).toBeNull();
    expect(judged(await groupOf('p', ['3', '4'], vote))).toBeNull();
    expect(judged(await groupOf('p', ['3', '3'], { kind: 'none' }))).toBeNull();
  });
});

it('keeps at least one of any, to the nearest', () => {
  expect([0, 1, 2, 8, 10].map((n) => keptOf(n, 0.3))).toEqual([0, 1, 1, 2, 3]);
});
