import { describe, expect, test } from 'vitest';
import { stream } from '../core/random.ts';
import { type CostToTarget, costRatio, ratioOfMeans } from './ratio.ts';
import { meanLowerBound, pairedT } from './student.ts';

const spent = (...costs: number[]): CostToTarget[] =>
  costs.map((cost) => ({ cost, reached: true }));
const inVain = (cost: number): CostToTarget => ({ cost, reached: false });

describe("Fieller's interval", () => {
  const a = [5.1, 6.3, 4.8, 5.9, 6.6];
  const b = [2.2, 2.9, 2.1, 2.4, 3.1];

  test('ends where a paired t test of a and q b turns', () => {
    const { estimate, low, high } = ratioOfMeans(a, b);
    expect(estimate).toBeCloseTo(28.7 / 12.7, 12);
    for (const q of [low, high]) {
      const scaled = b.map((value) => q * value);
      expect(pairedT(a, scaled).p).toBeCloseTo(0.05, 9);
    }
    expect(low).toBeLessThan(estimate);
    expect(high).toBeGreaterThan(estimate);
  });

  test('is unbounded where the denominator may be 0, and for one pair', () => {
    const open = { low: -Infinity, high: Infinity };
    expect(ratioOfMeans([1, 2, 3], [-1, 1, 0.2])).toMatchObject(open);
    expect(ratioOfMeans([4], [2])).toMatchObject({ ...open, estimate: 2 });
    expect(ratioOfMeans([], []).estimate).toBeNaN();
    expect(() => ratioOfMeans([1], [])).toThrow(RangeError);
  });

  test('has no width where the ratio is the same in every pair', () => {
    const { low, high } = ratioOfMeans([20, 22, 24], [10, 11, 12]);
    expect([low, high].map((end) => end.toFixed(6))).toEqual(['2.000000', '2.000000']);
  });

  test('covers the ratio as often as it says', () => {
    const random = stream(8, 'fieller');
    const covered = Array.from({ length: 2000 }, () => {
      const shared = Array.from({ length: 6 }, () => random.normal());
      const below = shared.map((value) => 5 + value + random.normal());
      const above = shared.map((value) => 15 + 2 * value + random.normal());
      const { low, high } = ratioOfMeans(above, below, 0.9);
      return low <= 3 && high >= 3;
    });
    const share = covered.filter(Boolean).length / covered.length;
    expect(Math.abs(share - 0.9)).toBeLessThan(0.025);
  });
});

describe('cost ratio', () => {
  test('of runs that all arrive is the t interval of the logarithms', () => {
    const found = costRatio(spent(800, 600, 900, 400, 1000), spent(200, 300, 300, 200, 200));
    expect(found).toMatchObject({ pairs: 5, estimateIs: 'known', median: 3 });
    expect(found.censored).toEqual({ reference: 0, arm: 0 });
    expect(found.geometric.estimate).toBeCloseTo((4 * 2 * 3 * 2 * 5) ** (1 / 5), 12);
    // exp of scipy.stats.ttest_1samp(log [4, 2, 3, 2, 5], 0).confidence_interval(.95)
    expect(found.geometric.low).toBeCloseTo(1.7986141635619515, 9);
    expect(found.geometric.high).toBeCloseTo(4.979050001555491, 9);
    expect(found.geometricLower).toBeCloseTo(2.0242822557655895, 9);
    expect(found.medianLower).toBe(2);
    const turned = costRatio(spent(200, 300, 300, 200, 200), spent(800, 600, 900, 400, 1000));
    expect(turned.geometric.high).toBeCloseTo(1 / found.geometric.low, 9);
  });

  test('a reference that never arrives leaves the upper end open and raises no bound', () => {
    const reference = [...spent(800, 600, 900, 400), inVain(1000)];
    const found = costRatio(reference, spent(200, 300, 300, 200, 200));
    expect(found).toMatchObject({ estimateIs: 'at least', censored: { reference: 1, arm: 0 } });
    expect(found.geometric.high).toBe(Infinity);
    // As if it had arrived at the last moment.
    const known = costRatio(spent(800, 600, 900, 400, 1000), spent(200, 300, 300, 200, 200));
    expect(found.geometricLower).toBe(known.geometricLower);
    expect(found.geometric.low).toBe(known.geometric.low);
    expect(found.median).toBe(3);
  });

  test('an arm that never arrives may be any number of times dearer', () => {
    const reference = spent(800, 600, 900, 400, 1000, 700, 700, 700);
    const arm = [...spent(200, 300, 300, 200, 200, 350, 200), inVain(900)];
    const found = costRatio(reference, arm);
    expect(found).toMatchObject({ estimateIs: 'at most', censored: { reference: 0, arm: 1 } });
    expect(found.geometric.low).toBe(0);
    expect(found.geometricLower).toBe(0);
    // Ratios 0?, 2, 2, 2, 3, 3.5, 4, 5: P(Binomial(8, 1/2) <= 1) = 9/256, of 2 and less it is 37/256.
    expect(found.medianLower).toBe(2);
    expect(found.median).toBeCloseTo(Math.sqrt(2 * 3), 12);
    const twice = costRatio(reference, [inVain(900), ...arm.slice(1)]);
    expect(twice.medianLower).toBe(0);
    expect(twice.censored.arm).toBe(2);
  });

  test('says so where nothing is known', () => {
    const found = costRatio([inVain(5), ...spent(4)], [inVain(5), ...spent(1)]);
    expect(found).toMatchObject({ estimateIs: 'unknown', median: Number.NaN, medianLower: 0 });
    expect(found.geometric).toMatchObject({ estimate: Number.NaN, low: 0, high: Infinity });
    expect(costRatio([], [])).toMatchObject({ pairs: 0, median: Number.NaN, medianLower: 0 });
    expect(costRatio(spent(2, 4, 2, 3), spent(1, 1, 1, 1)).medianLower).toBe(0);
    expect(() => costRatio(spent(1), [])).toThrow(RangeError);
    expect(() => costRatio(spent(0), spent(1))).toThrow('a cost of 0');
  });

  test('its lower bounds hold under censoring; those without the censored pairs, or at their budgets, do not', () => {
    const random = stream(9, 'censoring');
    const truth = 2;
    const budget = 60; // a third of the arm's runs end in vain
    const wrong = { geometric: 0, median: 0, dropped: 0, taken: 0 };
    const rounds = 1000;
    for (let round = 0; round < rounds; round++) {
      const reference = Array.from({ length: 12 }, () => 100 * Math.exp(0.3 * random.normal()));
      const arm = reference.map(() => (100 / truth) * Math.exp(0.6 * random.normal()));
      const runs = arm.map((cost) => (cost <= budget ? { cost, reached: true } : inVain(budget)));
      const found = costRatio(spent(...reference), runs);
      const logs = reference.map((cost, i) => Math.log(cost / runs[i].cost));
      const arrived = logs.filter((_, i) => runs[i].reached);
      if (found.geometricLower > truth) wrong.geometric++;
      if (found.medianLower > truth) wrong.median++;
      if (meanLowerBound(arrived) > Math.log(truth)) wrong.dropped++;
      if (meanLowerBound(logs) > Math.log(truth)) wrong.taken++;
    }
    expect(wrong.geometric / rounds).toBeLessThan(0.05);
    expect(wrong.median / rounds).toBeLessThan(0.05);
    expect(wrong.median).toBeGreaterThan(0);
    expect(wrong.dropped / rounds).toBeGreaterThan(0.2);
    expect(wrong.taken / rounds).toBeGreaterThan(0.1);
  });

  test('its lower bounds hold, and are no idle ones, where references are censored', () => {
    const random = stream(10, 'reference');
    const truth = 2;
    const rounds = 1000;
    let [wrong, above] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      const arm = Array.from({ length: 6 }, () => 50 * Math.exp(0.3 * random.normal()));
      const reference = arm.map(() => {
        const cost = 100 * Math.exp(0.3 * random.normal());
        return cost <= 120 ? { cost, reached: true } : inVain(120);
      });
      const { geometricLower } = costRatio(reference, spent(...arm));
      if (geometricLower > truth) wrong++;
      if (geometricLower > 1) above++;
    }
    expect(wrong / rounds).toBeLessThan(0.05);
    expect(above / rounds).toBeGreaterThan(0.9);
  });
});
