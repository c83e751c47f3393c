import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { stream } from '../core/random.ts';
import {
  bcaInterval,
  bootstrapInterval,
  pairedBootstrap,
  percentileInterval,
} from './bootstrap.ts';
import { auroc, brier, ece } from './classification.ts';
import { partialSpearman } from './correlation.ts';
import { isotonicAt, isotonicFit, poolAdjacentViolators } from './isotonic.ts';
import { fitLogistic, logisticAt } from './logistic.ts';
import { meanInterval, pairedT, studentCdf, studentQuantile } from './student.ts';

const numbers = z.array(z.number());
const golden = z
  .object({
    auroc: z.array(
      z.object({ scores: numbers, positive: z.array(z.boolean()), auroc: z.number() }),
    ),
    probability: z.object({
      predicted: numbers,
      outcome: numbers,
      brier: z.number(),
      ece: z.number(),
    }),
    isotonic: z.array(
      z.object({
        x: numbers,
        y: numbers,
        weights: numbers,
        direction: z.enum(['rising', 'falling']),
        at: numbers,
        fitted: numbers,
      }),
    ),
    partial: z.object({ a: numbers, b: numbers, c: numbers, value: z.number() }),
    student: z.array(z.object({ t: z.number(), df: z.number(), cdf: z.number() })),
    student_quantile: z.array(z.object({ p: z.number(), df: z.number(), t: z.number() })),
    paired: z.object({
      a: numbers,
      b: numbers,
      t: z.number(),
      p: z.number(),
      low: z.number(),
      high: z.number(),
      mean_low: z.number(),
      mean_high: z.number(),
    }),
    logistic: z.array(
      z.object({
        rows: z.array(numbers),
        targets: numbers,
        weights: numbers,
        ridge: z.number(),
        coefficients: numbers,
        intercept: z.number(),
      }),
    ),
    bootstrap: z.object({ values: numbers, low: z.number(), high: z.number() }),
  })
  .parse(
    JSON.parse(readFileSync(new URL('../../test/golden/stats.json', import.meta.url), 'utf8')),
  );

/** Agreement with SciPy and scikit-learn, relative to values above 1. */
function near(found: number, wanted: number, tolerance = 1e-6): void {
  expect(Math.abs(found - wanted), `found ${found}, wanted ${wanted}`).toBeLessThanOrEqual(
    tolerance * Math.max(1, Math.abs(wanted)),
  );
}

describe('against SciPy and scikit-learn', () => {
  test.each(golden.auroc)('AUROC with ties, case %#', (c) => {
    near(auroc(c.scores, c.positive), c.auroc);
  });

  test('Brier score and calibration error', () => {
    const { predicted, outcome } = golden.probability;
    near(brier(predicted, outcome), golden.probability.brier);
    near(ece(predicted, outcome), golden.probability.ece);
  });

  test.each(golden.isotonic)('weighted isotonic regression, case %#', (c) => {
    const fit = isotonicFit(c.x, c.y, c.direction, c.weights);
    for (const [i, at] of c.at.entries()) near(isotonicAt(fit, at), c.fitted[i]);
  });

  test('partial Spearman', () => {
    const { a, b, c, value } = golden.partial;
    near(partialSpearman(a, b, c), value);
  });

  test("Student's t", () => {
    for (const { t, df, cdf } of golden.student) near(studentCdf(t, df), cdf, 1e-9);
    for (const { p, df, t } of golden.student_quantile) near(studentQuantile(p, df), t);
  });

  test('paired t test and t interval', () => {
    const { a, b, t, p, low, high, mean_low, mean_high } = golden.paired;
    const found = pairedT(a, b);
    near(found.t, t);
    near(found.p, p);
    near(found.difference.low, low);
    near(found.difference.high, high);
    near(meanInterval(a).low, mean_low);
    near(meanInterval(a).high, mean_high);
  });

  test.each(golden.logistic)('ridge logistic regression, case %#', (c) => {
    const model = fitLogistic(c.rows, c.targets, c);
    for (const [j, wanted] of c.coefficients.entries()) near(model.coefficients[j], wanted);
    near(model.intercept, c.intercept);
  });

  test('percentile bootstrap of a mean, up to its own noise', () => {
    const { values, low, high } = golden.bootstrap;
    const mean = (indices: Int32Array): number =>
      indices.reduce((sum, i) => sum + values[i], 0) / indices.length;
    const options = { resamples: 20_000, level: 0.9, random: stream(1, 'golden') };
    const found = bootstrapInterval(values.length, mean, options);
    near(found?.low ?? Number.NaN, low, 0.015);
    near(found?.high ?? Number.NaN, high, 0.015);
  });
});

describe('edges', () => {
  test('AUROC is undefined with one class, 0.5 when all tie', () => {
    expect(auroc([1, 2], [true, true])).toBeNaN();
    expect(auroc([3, 3, 3], [true, false, true])).toBe(0.5);
  });

  test('partial Spearman is undefined where the covariate determines a side', () => {
    expect(partialSpearman([1, 2, 3, 5], [4, 1, 2, 3], [10, 20, 30, 50])).toBeNaN();
    expect(partialSpearman([1, 1, 1], [1, 2, 3], [3, 1, 2])).toBeNaN();
  });

  test('one value has no interval, none has no mean, equal pairs do not differ', () => {
    expect(meanInterval([2])).toMatchObject({ estimate: 2, low: -Infinity, high: Infinity });
    expect(meanInterval([]).estimate).toBeNaN();
    expect(pairedT([1, 2], [1, 2]).p).toBe(1);
    expect(pairedT([1], [2]).p).toBeNaN();
  });

  test('an empty isotonic fit predicts nothing', () => {
    expect(isotonicAt(isotonicFit([], [], 'rising'), 1)).toBeNaN();
  });

  test('a separable sample stays finite', () => {
    const model = fitLogistic([[-1e3], [1e3]], [0, 1], { ridge: 1e-6 });
    expect(logisticAt(model, [1e3])).toBeGreaterThan(0.99);
    expect(Number.isFinite(model.coefficients[0])).toBe(true);
  });

  test('the same seed gives the same interval', () => {
    const run = () =>
      pairedBootstrap([1, 2, 5, 3], [1, 1, 2, 2], {
        resamples: 200,
        level: 0.95,
        random: stream(4),
      });
    expect(run()).toEqual(run());
    expect(run()?.estimate).toBe(1.25);
  });
});

describe('BCa intervals', () => {
  const a = [3, 1, 9, 2, 2, 14, 1, 4, 2, 1, 30, 3];
  const b = a.map(() => 1);
  const run = (method: 'percentile' | 'bca') =>
    pairedBootstrap(a, b, { resamples: 2000, level: 0.9, random: stream(12), method });

  test('move toward the long tail, from the same resamples', () => {
    const [plain, corrected] = [run('percentile'), run('bca')];
    expect(corrected?.low).toBeGreaterThan(plain?.low ?? Infinity);
    expect(corrected?.high).toBeGreaterThan(plain?.high ?? Infinity);
    expect(corrected?.estimate).toBe(plain?.estimate);
  });

  test('of draws without bias or skewness are percentile intervals', () => {
    const draws = Array.from({ length: 1001 }, (_, i) => (i - 500) / 100);
    const found = bcaInterval(0, draws, [-1, 0, 1], 0.95);
    expect(found?.low).toBeCloseTo(-4.75, 9);
    expect(found?.high).toBeCloseTo(4.75, 9);
  });

  test('count draws that equal the estimate half, up to rounding', () => {
    // A third below the estimate, a third at it, a third above.
    const around = (equal: number) =>
      Array.from({ length: 900 }, (_, i) => (i % 3 === 0 ? equal : 0.3 + (i % 3 === 1 ? i : -i)));
    const exact = bcaInterval(0.3, around(0.3), [1, 2], 0.8);
    const { low, high } = exact ?? { low: Number.NaN, high: Number.NaN };
    for (const [estimate, draw] of [
      [0.3, 0.1 + 0.2],
      [0.1 + 0.2, 0.3],
    ]) {
      expect(bcaInterval(estimate, around(draw), [1, 2], 0.8)).toEqual({
        ...{ estimate, low, high },
        level: 0.8,
      });
    }
    // No bias, no skewness: the plain percentiles.
    const plain = percentileInterval(0.3, around(0.3), 0.8);
    expect(low).toBeCloseTo(plain?.low ?? Number.NaN, 9);
    expect(high).toBeCloseTo(plain?.high ?? Number.NaN, 9);
  });

  test('are undefined where the correction is, and of no width where nothing varies', () => {
    expect(bcaInterval(5, [1, 2, 3], [1, 2], 0.9)).toBeUndefined();
    expect(bcaInterval(2, [], [1, 2], 0.9)).toBeUndefined();
    expect(bcaInterval(2, [1, 2, 3], [1, Number.NaN], 0.9)).toBeUndefined();
    expect(bcaInterval(2, [2, 2, 2], [2, 2], 0.9)).toEqual({
      ...{ estimate: 2, low: 2, high: 2 },
      level: 0.9,
    });
  });
});

const reals = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), {
  minLength: 1,
  maxLength: 40,
});

describe('properties', () => {
  test('pooling gives a monotone fit with the same mean, and leaves a monotone one alone', () => {
    fc.assert(
      fc.property(reals, (values) => {
        const fitted = poolAdjacentViolators(values);
        for (let i = 1; i < fitted.length; i++)
          expect(fitted[i]).toBeGreaterThanOrEqual(fitted[i - 1]);
        const sum = (list: ArrayLike<number>) => Array.from(list).reduce((a, b) => a + b, 0);
        expect(sum(fitted)).toBeCloseTo(sum(values), 6);
        expect([...poolAdjacentViolators(fitted)]).toEqual([...fitted]);
      }),
    );
  });

  test('AUROC of negated scores is the complement', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { minLength: 2 }),
        (pairs) => {
          const positive = pairs.map(([, p]) => p);
          const up = auroc(
            pairs.map(([s]) => s),
            positive,
          );
          const down = auroc(
            pairs.map(([s]) => -s),
            positive,
          );
          if (Number.isNaN(up)) expect(down).toBeNaN();
          else expect(up + down).toBeCloseTo(1, 12);
        },
      ),
    );
  });

  test('the logistic fit is a stationary point', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.double({ min: -5, max: 5, noNaN: true }),
            fc.double({ min: 0, max: 1, noNaN: true }),
          ),
          {
            minLength: 2,
            maxLength: 30,
          },
        ),
        (pairs) => {
          const rows = pairs.map(([x]) => [x]);
          const model = fitLogistic(
            rows,
            pairs.map(([, y]) => y),
            { ridge: 0.1 },
          );
          let slope = 0.1 * model.coefficients[0];
          for (const [x, y] of pairs) slope += (logisticAt(model, [x]) - y) * x;
          expect(Math.abs(slope)).toBeLessThan(1e-6);
        },
      ),
    );
  });
});
