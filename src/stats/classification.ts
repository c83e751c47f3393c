/**
 * How well a score or a predicted probability tells two classes apart. Knows nothing of prompts.
 */
import { averageRanks } from '../core/ranks.ts';

/**
 * Area under the ROC curve: the probability that a positive scores higher than a negative, ties
 * counting one half (Mann-Whitney U / (n+ n-)). NaN unless both classes occur.
 */
export function auroc(scores: ArrayLike<number>, positive: ArrayLike<boolean>): number {
  sameLength('auroc', scores.length, positive.length);
  return aurocOfRanks(averageRanks(scores), positive);
}

/** The same from the ranks of the scores, 1..n with means of ties. */
export function aurocOfRanks(ranks: ArrayLike<number>, positive: ArrayLike<boolean>): number {
  let positives = 0;
  let rankSum = 0;
  for (let i = 0; i < ranks.length; i++) {
    if (!positive[i]) continue;
    positives++;
    rankSum += ranks[i];
  }
  const negatives = ranks.length - positives;
  if (positives === 0 || negatives === 0) return Number.NaN;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Mean squared difference of predicted probabilities and outcomes (0..1); NaN when empty. */
export function brier(predicted: ArrayLike<number>, outcome: ArrayLike<number>): number {
  sameLength('brier', predicted.length, outcome.length);
  let sum = 0;
  for (let i = 0; i < predicted.length; i++) sum += (predicted[i] - outcome[i]) ** 2;
  return sum / predicted.length;
}

/**
 * Expected calibration error over `bins` bins of equal width on [0, 1] (Naeini 2015): the mean
 * distance of predicted and observed mean per bin, weighted by the bin's size. A bin takes its left
 * edge; 1 belongs to the last. NaN when empty.
 */
export function ece(
  predicted: ArrayLike<number>,
  outcome: ArrayLike<number>,
  bins: number = 10,
): number {
  sameLength('ece', predicted.length, outcome.length);
  const gaps = new Float64Array(bins);
  for (let i = 0; i < predicted.length; i++) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(predicted[i] * bins)));
    gaps[bin] += predicted[i] - outcome[i];
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / predicted.length;
}

function sameLength(name: string, a: number, b: number): void {
  if (a !== b) throw new RangeError(`${name}: lists of ${a} and ${b} items`);
}
