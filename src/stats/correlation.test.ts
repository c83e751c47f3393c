import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pearson } from '../core/ranks.ts';
import { pointBiserial } from './correlation.ts';

const rated = fc.array(
  fc.tuple(
    fc.oneof(fc.double({ min: 1, max: 50, noNaN: true }), fc.integer({ min: 1, max: 4 })),
    fc.integer({ min: 0, max: 1 }),
  ),
  { maxLength: 30 },
);

describe('point-biserial correlation', () => {
  test('as SciPy has it', () => {
    const found = pointBiserial([3.1, 4.0, 2.7, 1.9, 2.2, 2.8, 1.4], [0, 0, 0, 1, 1, 1, 1]);
    expect(found).toBeCloseTo(-0.7482092799396591, 12);
  });

  test('equals the Pearson correlation, and is null exactly where that is undefined', () => {
    let undefinedOnes = 0;
    fc.assert(
      fc.property(rated, (pairs) => {
        const u = pairs.map(([value]) => value);
        const r = pairs.map(([, outcome]) => outcome);
        const found = pointBiserial(u, r);
        const wanted = pearson(u, r);
        if (found === null) {
          expect(wanted).toBeNaN();
          undefinedOnes++;
        } else expect(found).toBeCloseTo(wanted, 9);
      }),
      { seed: 4, numRuns: 300 },
    );
    expect(undefinedOnes).toBeGreaterThan(0);
  });

  test('turns its sign with the outcomes, and ignores scale and origin', () => {
    const u = [2, 3, 5, 4, 9];
    const r = [1, 1, 0, 1, 0];
    const found = pointBiserial(u, r) ?? Number.NaN;
    expect(found).toBeLessThan(0);
    expect(
      pointBiserial(
        Float64Array.from(u, (x) => 7 - 3 * x),
        r,
      ),
    ).toBeCloseTo(-found, 12);
    const turned = r.map((outcome) => 1 - outcome);
    expect(pointBiserial(u, turned)).toBeCloseTo(-found, 12);
    for (const scale of [1e300, 1e-200]) {
      const scaled = u.map((x) => x * scale);
      expect(pointBiserial(scaled, r)).toBeCloseTo(found, 12);
    }
  });

  test('is undefined where all agree or all values are equal', () => {
    expect(pointBiserial([1, 2, 3], [1, 1, 1])).toBeNull();
    expect(pointBiserial([1, 2, 3], [0, 0, 0])).toBeNull();
    expect(pointBiserial([0.1, 0.1, 0.1], [0, 1, 0])).toBeNull();
    expect(pointBiserial([], [])).toBeNull();
    expect(pointBiserial([1, 2], [0, 1])).toBe(1);
  });

  test('refuses what is no outcome and no value', () => {
    expect(() => pointBiserial([1, 2], [0])).toThrow(RangeError);
    expect(() => pointBiserial([1, 2], [0, 0.5])).toThrow('outcome 1');
    expect(() => pointBiserial([1, Infinity], [0, 1])).toThrow('value 1');
  });
});
