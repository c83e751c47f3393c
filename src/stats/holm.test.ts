import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stream } from '../core/random.ts';
import { holm } from './holm.ts';

const rounded = (pValues: number[]) => Array.from(holm(pValues), (p) => Number(p.toFixed(12)));

test('a worked example, in the order of the input', () => {
  // Sorted .005 .01 .03 .04: times 4, 3, 2, 1 is .02 .03 .06 .04, and none below one before it.
  expect(rounded([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
  expect(rounded([0.4, 0.5])).toEqual([0.8, 0.8]);
  expect(rounded([0.6, 0.7, 0.01])).toEqual([1, 1, 0.03]);
});

test('a comparison that could not be made is none', () => {
  expect(rounded([0.01, Number.NaN, 0.02])).toEqual([0.02, Number.NaN, 0.02]);
  expect([...holm([])]).toEqual([]);
  expect(() => holm([1.2])).toThrow(RangeError);
});

test('never below the plain p, never above Bonferroni, in the same order', () => {
  const lists = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(lists, (pValues) => {
      const adjusted = holm(pValues);
      for (const [i, p] of pValues.entries()) {
        expect(adjusted[i]).toBeGreaterThanOrEqual(p);
        expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, p * pValues.length));
        for (const [j, q] of pValues.entries())
          if (p < q) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j]);
      }
    }),
    { seed: 3 },
  );
});

test('keeps the chance of any false rejection', () => {
  const random = stream(11, 'holm');
  let [plain, adjusted] = [0, 0];
  const rounds = 4000;
  for (let round = 0; round < rounds; round++) {
    const pValues = Array.from({ length: 8 }, () => random.uniform());
    if (Math.min(...pValues) <= 0.05) plain++;
    if (Math.min(...holm(pValues)) <= 0.05) adjusted++;
  }
  expect(plain / rounds).toBeGreaterThan(0.3);
  expect(adjusted / rounds).toBeLessThan(0.06);
  expect(adjusted / rounds).toBeGreaterThan(0.035);
});
