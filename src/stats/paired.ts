/**
 * Tests of paired samples that assume no normal distribution: Wilcoxon's signed ranks and sign flips. Both ask
 * whether the differences a - b are spread symmetrically around 0. The paired t test is in student.ts. Knows nothing
 * of what was measured.
 *
 * Few pairs bound what any such test can show: of n differences that all point one way, the one-sided p is 2^-n and
 * the two-sided one 2^(1-n), for 5 pairs .031 and .063.
 */

import type { RandomStream } from '../core/random.ts';
import { averageRanks } from '../core/ranks.ts';
import { normalCdf } from './normal.ts';
import { ROUNDING } from './rounding.ts';

/**
 * Wilcoxon: up to so many pairs the null distribution is enumerated; beyond them a one-sided p of its normal limit is
 * off by less than .001.
 */
const EXACT_RANKS = 100;

/** Sign flips: up to so many pairs all 2^n sums are formed. */
const EXACT_FLIPS = 20;

interface Difference {
  value: number;
  /** How much of it may be rounding. */
  rounding: number;
}

export interface SignedRankTest {
  /** Pairs that differ; the others, `zeros`, say nothing about the direction and are left out (Wilcoxon 1945). */
  n: number;
  zeros: number;
  /** Sum of the ranks of |a - b|, ties by average ranks, over the pairs with a > b; 0..n(n+1)/2. */
  statistic: number;
  /** Two-sided: twice the smaller one-sided p, at most 1. 1 when no pair differs, NaN without pairs. */
  p: number;
  /** One-sided, for the alternative that a - b lies above 0. */
  pGreater: number;
  /** The exact distribution of the statistic given the (tied) ranks, or its normal limit for more than 100 pairs. */
  method: 'exact' | 'normal';
}

/**
 * Wilcoxon's signed-rank test of a against b. RangeError for lists of different lengths and values that are not
 * finite.
 */
export function wilcoxonSignedRank(a: ArrayLike<number>, b: ArrayLike<number>): SignedRankTest {
  const all = differencesOf('wilcoxonSignedRank', a, b);
  const differences = all.filter(({ value }) => value !== 0);
  const n = differences.length;
  const ranks = averageRanks(tiedSizes(differences));
  const statistic = ranks.reduce(
    (sum, rank, i) => (differences[i].value > 0 ? sum + rank : sum),
    0,
  );
  const method = n <= EXACT_RANKS ? 'exact' : 'normal';
  const rest = { n, zeros: all.length - n, statistic, method } as const;
  if (all.length === 0) return { ...rest, p: Number.NaN, pGreater: Number.NaN };
  const tails = method === 'exact' ? exactTails(ranks, statistic) : normalTails(ranks, statistic);
  return { ...rest, p: twoSided(tails), pGreater: tails.greater };
}

export interface SignFlipTest {
  /** Mean of a - b. */
  difference: number;
  /** Two-sided: twice the smaller one-sided p, at most 1. 1 when no pair differs, NaN without pairs. */
  p: number;
  /** One-sided, for the alternative that a - b lies above 0. */
  pGreater: number;
  /** Sign patterns that p rests on: all 2^n of the n pairs that differ, or `resamples` random ones. */
  flips: number;
  method: 'exact' | 'random';
}

/**
 * Permutation test of paired samples: under the null hypothesis each a - b might as well have had the other sign
 * (Fisher 1935). All sign patterns up to 20 pairs that differ; beyond that `resamples` random ones, the observed one
 * counted among them so that p is valid and never 0 (Phipson and Smyth 2010). RangeError for lists of different
 * lengths and values that are not finite.
 */
export function signFlipTest(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: { resamples: number; random: RandomStream },
): SignFlipTest {
  const all = differencesOf('signFlipTest', a, b);
  const sizes = all.flatMap(({ value }) => (value === 0 ? [] : [Math.abs(value)]));
  const observed = all.reduce((sum, { value }) => sum + value, 0);
  const slack = all.reduce((sum, { rounding }) => sum + rounding, 0);
  const isExact = sizes.length <= EXACT_FLIPS;
  const sums = isExact ? everySum(sizes) : randomSums(sizes, options);
  const extra = isExact ? 0 : 1;
  const flips = sums.length + extra;
  const method = isExact ? 'exact' : 'random';
  const rest = { difference: observed / all.length, flips, method } as const;
  if (all.length === 0) return { ...rest, p: Number.NaN, pGreater: Number.NaN };
  let [greater, less] = [extra, extra];
  for (const sum of sums) {
    if (sum >= observed - slack) greater++;
    if (sum <= observed + slack) less++;
  }
  const tails = { greater: greater / flips, less: less / flips };
  return { ...rest, p: twoSided(tails), pGreater: tails.greater };
}

/** a - b, exactly 0 where the two differ by rounding only. */
function differencesOf(name: string, a: ArrayLike<number>, b: ArrayLike<number>): Difference[] {
  if (a.length !== b.length) throw new RangeError(`${name}: ${a.length} and ${b.length} values`);
  return Array.from(a, (value, i) => {
    const difference = value - b[i];
    if (Number.isNaN(difference))
      throw new RangeError(`${name}: pair ${i} is ${value} and ${b[i]}`);
    const rounding = ROUNDING * Math.max(Math.abs(value), Math.abs(b[i]));
    return { value: Math.abs(difference) <= rounding ? 0 : difference, rounding };
  });
}

/** Sizes of the differences, equal where they differ by rounding only. */
function tiedSizes(differences: readonly Difference[]): Float64Array {
  const sizes = Float64Array.from(differences, ({ value }) => Math.abs(value));
  const order = Array.from(sizes.keys()).sort((i, j) => sizes[i] - sizes[j]);
  let first = order[0]; // of the tie that is being gathered
  for (const i of order) {
    const rounding = Math.max(differences[i].rounding, differences[first].rounding);
    if (sizes[i] - sizes[first] <= rounding) sizes[i] = sizes[first];
    else first = i;
  }
  return sizes;
}

/** P(T >= t) and P(T <= t) under the null hypothesis. */
interface Tails {
  greater: number;
  less: number;
}

function twoSided({ greater, less }: Tails): number {
  return Math.min(1, 2 * Math.min(greater, less));
}

/** From the chance of every sum of ranks whose signs are tossed; average ranks are whole when doubled. */
function exactTails(ranks: Float64Array, statistic: number): Tails {
  const steps = ranks.map((rank) => 2 * rank);
  const chance = new Float64Array(steps.reduce((sum, step) => sum + step, 1));
  chance[0] = 1;
  for (const step of steps) {
    for (let sum = chance.length - 1; sum >= 0; sum--) {
      chance[sum] = (chance[sum] + (sum >= step ? chance[sum - step] : 0)) / 2;
    }
  }
  const total = (part: Float64Array) =>
    Math.min(
      1,
      part.reduce((sum, value) => sum + value, 0),
    );
  const at = 2 * statistic;
  return { greater: total(chance.subarray(at)), less: total(chance.subarray(0, at + 1)) };
}

/**
 * With continuity correction, since the statistic moves in steps of 1; the variance, sum of rank^2 / 4, contains the
 * correction for ties.
 */
function normalTails(ranks: Float64Array, statistic: number): Tails {
  const mean = ranks.reduce((sum, rank) => sum + rank, 0) / 2;
  const deviation = Math.sqrt(ranks.reduce((sum, rank) => sum + rank * rank, 0)) / 2;
  return {
    greater: normalCdf((mean - statistic + 0.5) / deviation),
    less: normalCdf((statistic - mean + 0.5) / deviation),
  };
}

/** The sums of +-size under all 2^n sign patterns. */
function everySum(sizes: readonly number[]): Float64Array {
  const sums = new Float64Array(2 ** sizes.length);
  let filled = 1;
  for (const size of sizes) {
    for (let i = 0; i < filled; i++) {
      sums[filled + i] = sums[i] - size;
      sums[i] += size;
    }
    filled *= 2;
  }
  return sums;
}

function randomSums(
  sizes: readonly number[],
  { resamples, random }: { resamples: number; random: RandomStream },
): Float64Array {
  return new Float64Array(resamples).map(() =>
    sizes.reduce((sum, size) => (random.uniform() < 0.5 ? sum - size : sum + size), 0),
  );
}
