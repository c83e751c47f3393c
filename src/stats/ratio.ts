/**
 * Ratios over pairs, such as runs that share a seed: of two means, and of what it cost to reach a target that some
 * runs never reach. Knows nothing of what was counted.
 */
import { mean, sampleCovariance } from 'simple-statistics';
import { meanInterval, meanLowerBound, studentQuantile } from './student.ts';
import type { Interval } from './types.ts';

/**
 * mean(a) / mean(b) over pairs with Fieller's interval (Fieller 1954): the ratios q for which a paired t test does
 * not tell a from q b. It is exact for pairs that are normally distributed, and needs no resampling, which is
 * unreliable with a handful of pairs. Where the mean of b is not told from 0 at this level nothing bounds the ratio,
 * and the ends are infinite; so they are for one pair. NaN when empty. RangeError for lists of different lengths.
 */
export function ratioOfMeans(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  level: number = 0.95,
): Interval {
  const [above, below] = [Array.from(a), Array.from(b)];
  const n = above.length;
  if (n !== below.length) throw new RangeError(`ratioOfMeans: ${n} and ${below.length} values`);
  if (n === 0) return { estimate: Number.NaN, low: Number.NaN, high: Number.NaN, level };
  const [meanA, meanB] = [mean(above), mean(below)];
  const estimate = meanA / meanB;
  if (n === 1) return { estimate, low: -Infinity, high: Infinity, level };
  const factor = studentQuantile((1 + level) / 2, n - 1) ** 2 / n;
  // Roots of square * q^2 - 2 * cross * q + rest = 0.
  const square = meanB ** 2 - factor * sampleCovariance(below, below);
  const cross = meanA * meanB - factor * sampleCovariance(above, below);
  const rest = meanA ** 2 - factor * sampleCovariance(above, above);
  if (!(square > 0)) return { estimate, low: -Infinity, high: Infinity, level };
  // The estimate solves the inequality, so that only rounding makes this negative.
  const root = Math.sqrt(Math.max(0, cross ** 2 - square * rest));
  return { estimate, low: (cross - root) / square, high: (cross + root) / square, level };
}

/** What a run spent until it reached the target; without `reached`, all that it spent and in vain. */
export interface CostToTarget {
  /** More than 0. */
  cost: number;
  reached: boolean;
}

export interface CostRatio {
  pairs: number;
  /** Runs that did not reach the target. */
  censored: { reference: number; arm: number };
  /**
   * Geometric mean of reference cost / arm cost, above 1 where the arm is cheaper, with its t interval on the
   * logarithms. Where runs are censored a side that they leave open ends at 0 or Infinity; see `estimateIs`.
   */
  geometric: Interval;
  /** One-sided lower confidence bound of the geometric mean, at the same level; 0 where an arm's run is censored. */
  geometricLower: number;
  /** How `geometric.estimate` compares with what it would be had every run reached the target; NaN for `unknown`. */
  estimateIs: 'known' | 'at least' | 'at most' | 'unknown';
  /** Median of the ratios; NaN where censored runs hide it. */
  median: number;
  /**
   * One-sided lower confidence bound of the median ratio, by the sign test: free of any distribution, and above 0
   * even if a few runs of the arm are censored. 0 when there are too few pairs for the level (under 5 at 95 %).
   */
  medianLower: number;
}

/**
 * How many times cheaper an arm reaches a target than its reference, over runs paired by position (seed).
 *
 * A run that never reached the target is right-censored: its cost is more than what it spent. Its pair's ratio is
 * then known from one side only, from below for the reference and from above, 0 being possible, for the arm. Such a
 * pair is never left out, which would count the lucky seeds only: every lower bound takes the least value that a
 * ratio can have, every upper end the greatest, so that both hold whatever the censored costs are.
 *
 * RangeError for lists of different lengths and for costs that are not positive.
 */
export function costRatio(
  reference: readonly CostToTarget[],
  arm: readonly CostToTarget[],
  level: number = 0.95,
): CostRatio {
  if (reference.length !== arm.length) {
    throw new RangeError(`costRatio: ${reference.length} and ${arm.length} runs`);
  }
  for (const { cost } of [...reference, ...arm]) {
    if (!(cost > 0 && cost < Infinity)) throw new RangeError(`costRatio: a cost of ${cost}`);
  }
  const ratios = reference.map(({ cost }, i) => cost / arm[i].cost);
  const least = ratios.map((ratio, i) => (arm[i].reached ? ratio : 0));
  const greatest = ratios.map((ratio, i) => (reference[i].reached ? ratio : Infinity));
  return {
    pairs: ratios.length,
    censored: { reference: missed(reference), arm: missed(arm) },
    ...geometricPart(least, greatest, level),
    median: knownMedian(least, greatest),
    medianLower: medianLowerBound(least, level),
  };
}

function missed(runs: readonly CostToTarget[]): number {
  return runs.filter(({ reached }) => !reached).length;
}

function geometricPart(
  least: readonly number[],
  greatest: readonly number[],
  level: number,
): Pick<CostRatio, 'geometric' | 'geometricLower' | 'estimateIs'> {
  const lowOpen = least.includes(0);
  const highOpen = greatest.includes(Infinity);
  const logs = { least: least.map(Math.log), greatest: greatest.map(Math.log) };
  const bounds = {
    level,
    low: lowOpen ? 0 : Math.exp(meanInterval(logs.least, level).low),
    high: highOpen ? Infinity : Math.exp(meanInterval(logs.greatest, level).high),
  };
  const geometricLower = lowOpen ? 0 : Math.exp(meanLowerBound(logs.least, level));
  if (lowOpen && highOpen) {
    return {
      geometric: { ...bounds, estimate: Number.NaN },
      geometricLower,
      estimateIs: 'unknown',
    };
  }
  const estimate = Math.exp(meanInterval(lowOpen ? logs.greatest : logs.least, level).estimate);
  const estimateIs = lowOpen ? 'at most' : highOpen ? 'at least' : 'known';
  return { geometric: { ...bounds, estimate }, geometricLower, estimateIs };
}

/** The median where censoring does not matter to it; of an even number the geometric mean of the middle two. */
function knownMedian(least: readonly number[], greatest: readonly number[]): number {
  if (least.length === 0) return Number.NaN;
  const [low, high] = [least, greatest].map((ratios) => {
    const sorted = ascending(ratios);
    const [left, right] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
    return left === right ? left : Math.sqrt(left) * Math.sqrt(right);
  });
  return low === high ? low : Number.NaN;
}

/** The largest order statistic that exceeds the population's median with a chance of at most 1 - level. */
function medianLowerBound(values: readonly number[], level: number): number {
  const sorted = ascending(values);
  const n = sorted.length;
  let bound = 0;
  let chance = 0.5 ** n; // that exactly k values lie below the median
  let tail = chance; // that at most k do
  for (let k = 0; k < n && tail <= 1 - level; k++) {
    bound = sorted[k];
    chance *= (n - k) / (k + 1);
    tail += chance;
  }
  return bound;
}

function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}
