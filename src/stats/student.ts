/**
 * Student's t: intervals of a mean and the paired test. Knows nothing of what was measured.
 */
import { gammaln, mean, sampleStandardDeviation } from 'simple-statistics';
import { symmetricQuantile } from './quantile.ts';
import type { Interval } from './types.ts';

/** P(T <= t) for Student's t with `df` > 0 degrees of freedom, to about 1e-10. */
export function studentCdf(t: number, df: number): number {
  if (t === 0) return 0.5;
  const tail = 0.5 * incompleteBeta(df / (df + t * t), df / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** The t with P(T <= t) = p, for 0 <= p <= 1; infinite at the ends. RangeError for any other p. */
export function studentQuantile(p: number, df: number): number {
  return symmetricQuantile(p, (t) => studentCdf(t, df));
}

/** Mean with its t interval. One value has no spread: its interval is infinite. NaN when empty. */
export function meanInterval(values: ArrayLike<number>, level: number = 0.95): Interval {
  const list = Array.from(values);
  if (list.length === 0) return { estimate: Number.NaN, low: Number.NaN, high: Number.NaN, level };
  const estimate = mean(list);
  if (list.length === 1) return { estimate, low: -Infinity, high: Infinity, level };
  const standardError = sampleStandardDeviation(list) / Math.sqrt(list.length);
  const half = studentQuantile((1 + level) / 2, list.length - 1) * standardError;
  return { estimate, low: estimate - half, high: estimate + half, level };
}

/**
 * One-sided lower confidence bound of the mean: the mean lies above it with confidence `level`, by Student's t.
 * -Infinity for one value, NaN when empty.
 */
export function meanLowerBound(values: ArrayLike<number>, level: number = 0.95): number {
  // The lower end of the two-sided interval that leaves out 1 - level on each side.
  return meanInterval(values, 2 * level - 1).low;
}

export interface PairedTest {
  /** Mean of a - b with its two-sided t interval. */
  difference: Interval;
  /** One-sided lower confidence bound of the mean of a - b, at the same level. */
  lower: number;
  t: number;
  df: number;
  /** Two-sided. NaN for fewer than two pairs; 1 when all differences are 0. */
  p: number;
  /** One-sided, for the alternative that a exceeds b. NaN for fewer than two pairs; 0.5 when all differences are 0. */
  pGreater: number;
}

/** Paired t test of a against b. The other one-sided p is 1 - pGreater. RangeError for lists of different lengths. */
export function pairedT(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  level: number = 0.95,
): PairedTest {
  if (a.length !== b.length) throw new RangeError(`pairedT: ${a.length} and ${b.length} values`);
  const differences = Array.from(a, (value, i) => value - b[i]);
  const difference = meanInterval(differences, level);
  const lower = meanLowerBound(differences, level);
  const df = Math.max(0, differences.length - 1);
  if (df === 0)
    return { difference, lower, df, t: Number.NaN, p: Number.NaN, pGreater: Number.NaN };
  const standardError = sampleStandardDeviation(differences) / Math.sqrt(differences.length);
  const t = difference.estimate === 0 ? 0 : difference.estimate / standardError;
  const tail = studentCdf(-Math.abs(t), df);
  return { difference, lower, df, t, p: 2 * tail, pGreater: studentCdf(-t, df) };
}

/** Regularised incomplete beta function I_x(a, b), continued fraction of DLMF 8.17.22 (Lentz). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast only on this side; the other is its mirror image.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const logFront =
    a * Math.log(x) + b * Math.log1p(-x) - Math.log(a) - (gammaln(a) + gammaln(b) - gammaln(a + b));
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1), tiny);
  let fraction = d;
  for (let m = 1; m <= 1000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let step = 1;
    for (const numerator of [even, odd]) {
      d = 1 / nonZero(1 + numerator * d, tiny);
      c = nonZero(1 + numerator / c, tiny);
      step = d * c;
      fraction *= step;
    }
    if (Math.abs(step - 1) < 1e-15) break;
  }
  return Math.exp(logFront) * fraction;
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}
