import { expect, test } from 'vitest';
import { normalCdf, normalQuantile } from './normal.ts';
import { studentCdf, studentQuantile } from './student.ts';

// scipy.stats.norm
const cdf = [
  [-8, 6.22096057427174e-16],
  [-3, 0.0013498980316300933],
  [-1, 0.15865525393145707],
  [0.5, 0.6914624612740131],
  [2, 0.9772498680518208],
  [6, 0.9999999990134123],
];
const quantiles = [
  [1e-300, -37.0470962993612],
  [1e-10, -6.361340902404056],
  [0.025, -1.9599639845400545],
  [0.3, -0.5244005127080409],
  [0.975, 1.959963984540054],
];

test('the normal distribution, far into its tails', () => {
  for (const [z, p] of cdf) expect(normalCdf(z) / p).toBeCloseTo(1, 12);
  for (const [p, z] of quantiles) expect(normalQuantile(p) / z).toBeCloseTo(1, 12);
  expect(normalCdf(-Infinity)).toBe(0);
  expect(normalCdf(Infinity)).toBe(1);
});

test('quantiles end at infinity and exist for probabilities only', () => {
  for (const quantile of [normalQuantile, (p: number) => studentQuantile(p, 3)]) {
    expect([0, 0.5, 1].map(quantile)).toEqual([-Infinity, 0, Infinity]);
    for (const p of [-0.1, 1.1, Number.NaN]) expect(() => quantile(p)).toThrow(RangeError);
  }
});

test("quantiles of Student's t keep their precision in the tails", () => {
  for (const p of [1e-200, 1e-30, 1e-12]) {
    expect(studentCdf(studentQuantile(p, 4), 4) / p).toBeCloseTo(1, 9);
  }
});
