import fc from 'fast-check';
import { expect, test } from 'vitest';
import { averageRanks, pearson, ResampledRanks, spearman } from './ranks.ts';

test('equal values share the mean of their ranks', () => {
  expect([...averageRanks([10, 20, 20, 5, 20])]).toEqual([2, 4, 4, 1, 4]);
  expect([...averageRanks([])]).toEqual([]);
});

test('correlations of a worked example', () => {
  expect(pearson([1, 2, 3], [1, 3, 2])).toBeCloseTo(0.5, 12);
  expect(spearman([1, 2, 3, 4], [1, 10, 100, 1000])).toBeCloseTo(1, 12);
  // Ranks 1 2.5 2.5 4 and 1 3 2 4: covariance 4.5, variances 4.5 and 5.
  expect(spearman([1, 2, 2, 9], [1, 3, 2, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
});

test('a side without variance has no correlation, whatever its rounding', () => {
  expect(pearson([0.1, 0.1, 0.1], [1, 2, 3])).toBeNaN();
  expect(spearman([4], [2])).toBeNaN();
  expect(() => pearson([1, 2], [1])).toThrow(RangeError);
  expect(() => averageRanks([1, Number.NaN])).toThrow('value 1');
});

test('Spearman is unmoved by a monotone map, turned by a falling one, and symmetric', () => {
  const lists = fc
    .array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -50, max: 50 })), {
      minLength: 2,
      maxLength: 40,
    })
    .filter((pairs) => [0, 1].every((k) => new Set(pairs.map((pair) => pair[k])).size > 1));
  fc.assert(
    fc.property(lists, (pairs) => {
      const a = pairs.map((pair) => pair[0]);
      const b = pairs.map((pair) => pair[1]);
      const rho = spearman(a, b);
      expect(Math.abs(rho)).toBeLessThanOrEqual(1);
      expect(spearman(b, a)).toBeCloseTo(rho, 12);
      expect(
        spearman(
          a.map((x) => x ** 3 + 7),
          b,
        ),
      ).toBeCloseTo(rho, 12);
      expect(
        spearman(
          a.map((x) => -x),
          b,
        ),
      ).toBeCloseTo(-rho, 12);
    }),
  );
});

test('resamples get the ranks that they have as lists of their own, bit for bit', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 30 }),
      fc.array(fc.nat(), { maxLength: 40 }),
      (values, draws) => {
        const indices = Int32Array.from(draws, (draw) => draw % values.length);
        const list = Array.from(indices, (i) => values[i] / 3);
        const ranks = new ResampledRanks(values.map((value) => value / 3));
        expect([...ranks.at(indices)]).toEqual([...averageRanks(list)]);
      },
    ),
  );
  expect(() => new ResampledRanks([Number.NaN])).toThrow(RangeError);
});
