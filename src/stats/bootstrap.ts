/**
 * Seeded bootstrap intervals: percentile (Efron 1979) and BCa (Efron 1987). Knows nothing of the statistic: it hands
 * out resampled indices and reads off quantiles.
 *
 * With fewer than about ten items either interval is too short; a t interval (student.ts) is safer there.
 */
import { quantileSorted } from 'simple-statistics';
import type { RandomStream } from '../core/random.ts';
import { normalCdf, normalQuantile } from './normal.ts';
import { ROUNDING } from './rounding.ts';
import type { Interval } from './types.ts';

/** n indices drawn from 0..n-1 with replacement. */
export function resampleIndices(n: number, random: RandomStream): Int32Array {
  const indices = new Int32Array(n);
  for (let i = 0; i < n; i++) indices[i] = random.below(n);
  return indices;
}

/** The central interval of `level` of the finite values among `draws`; undefined where there are none. */
export function percentileInterval(
  estimate: number,
  draws: ArrayLike<number>,
  level: number,
): Interval | undefined {
  const tail = (1 - level) / 2;
  return betweenQuantiles(finiteSorted(draws), { estimate, level }, [tail, 1 - tail]);
}

/**
 * Bias-corrected and accelerated interval (Efron and Tibshirani 1993, equations 14.9 to 14.15) from the statistic on
 * resamples (`draws`, finite ones count) and on the sample without each of its items in turn (`jackknife`).
 * undefined where the correction is: the estimate lies beyond every draw, or the statistic needs all of the items.
 */
export function bcaInterval(
  estimate: number,
  draws: ArrayLike<number>,
  jackknife: ArrayLike<number>,
  level: number,
): Interval | undefined {
  const sorted = finiteSorted(draws);
  if (sorted.length === 0) return undefined;
  // Draws that equal the estimate lie half on either side of it. A statistic of few items often has some: of the
  // same items in another order, which changes its last digits.
  const slack = ROUNDING * sorted.reduce((most, draw) => Math.max(most, Math.abs(draw)), 0);
  const below = sorted.filter((draw) => draw < estimate - slack).length;
  const upTo = sorted.filter((draw) => draw <= estimate + slack).length;
  const bias = normalQuantile((below + upTo) / (2 * sorted.length));
  const skew = acceleration(jackknife);
  if (!Number.isFinite(bias) || !Number.isFinite(skew)) return undefined;
  const corrected = (p: number): number => {
    const z = bias + normalQuantile(p);
    return normalCdf(bias + z / (1 - skew * z));
  };
  const tail = (1 - level) / 2;
  return betweenQuantiles(sorted, { estimate, level }, [corrected(tail), corrected(1 - tail)]);
}

/** A sixth of the skewness of the jackknife's influences, at most 1/6 in size; 0 when nothing has influence. */
function acceleration(jackknife: ArrayLike<number>): number {
  const values = Float64Array.from(jackknife);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const influences = values.map((value) => mean - value);
  const squares = influences.reduce((sum, value) => sum + value ** 2, 0);
  const cubes = influences.reduce((sum, value) => sum + value ** 3, 0);
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

function finiteSorted(draws: ArrayLike<number>): number[] {
  return Array.from(draws)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
}

function betweenQuantiles(
  sorted: number[],
  of: Pick<Interval, 'estimate' | 'level'>,
  [low, high]: readonly [number, number],
): Interval | undefined {
  if (sorted.length === 0) return undefined;
  return { ...of, low: quantileSorted(sorted, low), high: quantileSorted(sorted, high) };
}

export interface BootstrapOptions {
  resamples: number;
  level: number;
  random: RandomStream;
  /** `percentile` when left out. `bca` corrects for bias and skewness, at the price of n more evaluations. */
  method?: 'percentile' | 'bca';
}

/**
 * Bootstrap interval of `statistic` over n items. Resamples on which it is undefined (NaN) are left
 * out. undefined when it is undefined on the sample itself, or the method's correction is.
 */
export function bootstrapInterval(
  n: number,
  statistic: (indices: Int32Array) => number,
  { resamples, level, random, method = 'percentile' }: BootstrapOptions,
): Interval | undefined {
  const all = Int32Array.from({ length: n }, (_, i) => i);
  const estimate = statistic(all);
  if (!Number.isFinite(estimate)) return undefined;
  const draws = new Float64Array(resamples);
  for (let r = 0; r < draws.length; r++) draws[r] = statistic(resampleIndices(n, random));
  if (method === 'percentile') return percentileInterval(estimate, draws, level);
  const jackknife = Float64Array.from(all, (left) => statistic(all.filter((i) => i !== left)));
  return bcaInterval(estimate, draws, jackknife, level);
}

/** Bootstrap interval of the mean of a - b over pairs; undefined when there are no pairs. */
export function pairedBootstrap(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: BootstrapOptions,
): Interval | undefined {
  if (a.length !== b.length) throw new RangeError(`pairedBootstrap: ${a.length} and ${b.length}`);
  const meanDifference = (indices: Int32Array): number => {
    let sum = 0;
    for (const i of indices) sum += a[i] - b[i];
    return sum / indices.length;
  };
  return bootstrapInterval(a.length, meanDifference, options);
}
