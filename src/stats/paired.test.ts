// Reference values are SciPy 1.17's; test/stats checks many more cases.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stream } from '../core/random.ts';
import { signFlipTest, wilcoxonSignedRank } from './paired.ts';
import { pairedT } from './student.ts';

/** Heights of crossed less self-fertilised maize, eighths of an inch (Darwin 1876; Fisher 1935, section 21). */
const maize = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
const none = maize.map(() => 0);
const noFlips = { resamples: 0, random: stream(0) };

const accuracies = {
  a: [0.774, 0.781, 0.769, 0.79, 0.778, 0.772],
  b: [0.77, 0.772, 0.771, 0.775, 0.774, 0.769],
};

/** The shares of all sign patterns of a - b whose statistic is at least, and at most, the observed one. */
function bruteForce(differences: readonly number[], statistic: (d: readonly number[]) => number) {
  let [greater, less] = [0, 0];
  const patterns = 2 ** differences.length;
  for (let mask = 0; mask < patterns; mask++) {
    const flipped = differences.map((d, i) => (mask & (1 << i) ? -d : d));
    if (statistic(flipped) >= statistic(differences)) greater++;
    if (statistic(flipped) <= statistic(differences)) less++;
  }
  return { greater: greater / patterns, less: less / patterns };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Twice the rank sum of the positive ones, counted by comparing every pair (Tukey's Walsh averages). */
function rankSum(d: readonly number[]): number {
  let total = 0;
  for (const [i, x] of d.entries()) {
    for (const y of d.slice(i)) total += x + y > 0 ? 2 : x + y === 0 && x !== 0 ? 1 : 0;
  }
  return total;
}

describe('paired t', () => {
  test('has a one-sided side', () => {
    const found = pairedT(accuracies.a, accuracies.b);
    expect(found.p).toBeCloseTo(0.06857575483054949, 9);
    expect(found.pGreater).toBeCloseTo(0.034287877415274746, 9);
    expect(found.difference.low).toBeCloseTo(-0.0006102032700577168, 9);
    expect(found.lower).toBeCloseTo(0.0007102846953261251, 9);
    expect(pairedT(accuracies.b, accuracies.a).pGreater).toBeCloseTo(1 - found.pGreater, 12);
  });

  test('of differences without spread', () => {
    expect(pairedT([2, 3], [1, 2])).toMatchObject({ t: Infinity, p: 0, pGreater: 0, lower: 1 });
    expect(pairedT([1, 2], [2, 3])).toMatchObject({ t: -Infinity, p: 0, pGreater: 1 });
    expect(pairedT([1, 2], [1, 2])).toMatchObject({ t: 0, p: 1, pGreater: 0.5, lower: 0 });
    expect(pairedT([1], [0])).toMatchObject({ p: Number.NaN, lower: -Infinity });
  });
});

describe('signed ranks', () => {
  test('of the maize', () => {
    const found = wilcoxonSignedRank(maize, none);
    expect(found).toMatchObject({ n: 15, zeros: 0, statistic: 96, method: 'exact' });
    expect(found.p).toBeCloseTo(0.041259765625, 12);
    expect(found.pGreater).toBeCloseTo(0.0206298828125, 12);
  });

  test('with ties and a zero', () => {
    const x = [125, 115, 130, 140, 140, 115, 140, 125, 140, 135];
    const y = [110, 122, 125, 120, 140, 124, 123, 137, 135, 145];
    const found = wilcoxonSignedRank(x, y);
    expect(found).toMatchObject({ n: 9, zeros: 1, statistic: 27 });
    expect(found.p).toBeCloseTo(0.6328125, 12);
    expect(found.pGreater).toBeCloseTo(0.31640625, 12);
  });

  test('agree with all sign patterns, ties and zeros included', () => {
    const lists = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(lists, (differences) => {
        const kept = differences.filter((d) => d !== 0);
        const { greater, less } = bruteForce(kept, rankSum);
        const found = wilcoxonSignedRank(
          differences,
          differences.map(() => 0),
        );
        expect(found.zeros).toBe(differences.length - kept.length);
        expect(found.pGreater).toBeCloseTo(greater, 12);
        expect(found.p).toBeCloseTo(Math.min(1, 2 * Math.min(greater, less)), 12);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test('take what differs in the last bit for a tie, and for no difference', () => {
    const tenths = wilcoxonSignedRank([0.7, 0.8, 0.3, 0.5], [0.6, 0.7, 0.1 + 0.2, 0.6]);
    expect(tenths).toEqual(wilcoxonSignedRank([7, 8, 3, 5], [6, 7, 3, 6]));
    expect(tenths).toMatchObject({ n: 3, zeros: 1, statistic: 4 });
  });

  test('of nothing, of equal pairs, of few pairs', () => {
    expect(wilcoxonSignedRank([], [])).toMatchObject({ p: Number.NaN, pGreater: Number.NaN });
    expect(wilcoxonSignedRank([1, 2], [1, 2])).toMatchObject({ n: 0, zeros: 2, p: 1, pGreater: 1 });
    expect(wilcoxonSignedRank([2, 3, 4, 5, 6], [1, 1, 1, 1, 1])).toMatchObject({
      p: 1 / 16,
      pGreater: 1 / 32,
    });
    expect(() => wilcoxonSignedRank([1], [])).toThrow(RangeError);
    expect(() => wilcoxonSignedRank([Number.NaN], [1])).toThrow('pair 0');
  });

  test('the normal limit takes over where it has become good', () => {
    const random = stream(5, 'limit');
    const differences = Array.from({ length: 101 }, () => random.normal() + 0.15);
    const test = (n: number) => wilcoxonSignedRank(differences.slice(0, n), new Float64Array(n));
    expect([100, 101].map((n) => test(n).method)).toEqual(['exact', 'normal']);
    // The flips of the ranks themselves, many of them, know nothing of either method.
    const signedRanks = differences.map(
      (d) => Math.sign(d) * differences.filter((e) => Math.abs(e) <= Math.abs(d)).length,
    );
    const flips = { resamples: 40_000, random };
    const flipped = signFlipTest(signedRanks, new Float64Array(101), flips);
    expect(Math.abs(test(101).pGreater - flipped.pGreater)).toBeLessThan(0.005);
  });
});

describe('sign flips', () => {
  test('of the maize, as Fisher counted them', () => {
    const found = signFlipTest(maize, none, noFlips);
    expect(found).toMatchObject({ flips: 32768, method: 'exact' });
    expect(found.pGreater).toBe(863 / 32768);
    expect(found.p).toBe(1726 / 32768);
    expect(found.difference).toBeCloseTo(314 / 15, 12);
  });

  test('agree with all sign patterns', () => {
    const lists = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(lists, (differences) => {
        const { greater, less } = bruteForce(differences, sum);
        const found = signFlipTest(
          differences,
          differences.map(() => 0),
          noFlips,
        );
        expect(found.pGreater).toBeCloseTo(greater, 12);
        expect(found.p).toBeCloseTo(Math.min(1, 2 * Math.min(greater, less)), 12);
      }),
      { seed: 2, numRuns: 60 },
    );
  });

  test('count sums that differ in the last bit as equal', () => {
    // .1 + .2 - .3 is not quite 0, and neither is its opposite.
    expect(signFlipTest([0.1, 0.2, 0], [0, 0, 0.3], noFlips).pGreater).toBe(5 / 8);
    const lists = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 3, maxLength: 8 });
    fc.assert(
      fc.property(lists, (tenths) => {
        const zero = new Float64Array(tenths.length);
        const { p, pGreater } = signFlipTest(tenths, zero, noFlips);
        const shares = tenths.map((d) => d / 10);
        expect(signFlipTest(shares, zero, noFlips)).toMatchObject({ p, pGreater });
        expect(signFlipTest(zero, shares, noFlips).p).toBe(p);
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  test('random ones come near to all of them, and never to 0', () => {
    const random = stream(6, 'flips');
    const differences = Array.from({ length: 21 }, () => random.normal() + 0.4);
    const zero = new Float64Array(21);
    const found = signFlipTest(differences, zero, { resamples: 20_000, random });
    expect(found).toMatchObject({ flips: 20_001, method: 'random' });
    // The t test is the limit of the flips.
    expect(Math.abs(found.pGreater - pairedT(differences, zero).pGreater)).toBeLessThan(0.01);
    const sure = Array.from({ length: 30 }, (_, i) => 1 + i);
    const { p } = signFlipTest(sure, new Float64Array(30), { resamples: 99, random });
    expect(p).toBe(2 / 100);
  });

  test('of nothing and of equal pairs', () => {
    expect(signFlipTest([], [], noFlips)).toMatchObject({ p: Number.NaN, difference: Number.NaN });
    expect(signFlipTest([3, 3], [3, 3], noFlips)).toMatchObject({ p: 1, pGreater: 1, flips: 1 });
  });
});
