/**
 * Seeded percentile bootstrap (Efron 1979). Knows nothing of the statistic: it hands out resampled
 * indices and reads off quantiles.
 */
import { quantileSorted } from 'simple-statistics';
import type { RandomStream } from '../core/random.ts';
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
  const sorted = Array.from(draws).filter(Number.isFinite);
  if (sorted.length === 0) return undefined;
  sorted.sort((a, b) => a - b);
  const tail = (1 - level) / 2;
  return {
    estimate,
    low: quantileSorted(sorted, tail),
    high: quantileSorted(sorted, 1 - tail),
    level,
  };
}

export interface BootstrapOptions {
  resamples: number;
  level: number;
  random: RandomStream;
}

/**
 * Percentile interval of `statistic` over n items. Resamples on which it is undefined (NaN) are left
 * out. undefined when it is undefined on the sample itself.
 */
export function bootstrapInterval(
  n: number,
  statistic: (indices: Int32Array) => number,
  options: BootstrapOptions,
): Interval | undefined {
  const estimate = statistic(Int32Array.from({ length: n }, (_, i) => i));
  if (!Number.isFinite(estimate)) return undefined;
  const draws = new Float64Array(options.resamples);
  for (let r = 0; r < draws.length; r++) draws[r] = statistic(resampleIndices(n, options.random));
  return percentileInterval(estimate, draws, options.level);
}

/** Percentile interval of the mean of a - b over pairs; undefined when there are no pairs. */
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
