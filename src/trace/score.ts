/**
 * Scores of prompts from the pivots of their traces, and how far such scores tie.
 *
 * Knows nothing of pass rates or routes: whether a score predicts anything is asked elsewhere.
 */
import type { PivotSummary } from './pivots.ts';

export const pivotScoreNames = ['count', 'density', 'excess'] as const;

/** Which summary of the pivots is the score. */
export type PivotScoreName = (typeof pivotScoreNames)[number];

/** Means over the traces of one prompt; higher = more uncertain. */
export interface PivotScore {
  /** How many traces were averaged; at least 1. */
  traces: number;
  /** Response tokens per trace. Counts grow with it, so it is kept beside them. */
  tokens: number;
  /** Pivots per trace. */
  count: number;
  /** Pivots per 100 tokens: the mean of the traces' densities, so that each trace weighs the same. */
  density: number;
  /** Change above the threshold per trace. */
  excess: number;
}

/** The score of a prompt from one or more traces; RangeError when there is none. */
export function pivotScore(summaries: readonly PivotSummary[]): PivotScore {
  if (summaries.length === 0) throw new RangeError('a pivot score of no trace');
  const mean = (of: (summary: PivotSummary) => number) =>
    summaries.reduce((sum, summary) => sum + of(summary), 0) / summaries.length;
  return {
    traces: summaries.length,
    tokens: mean((summary) => summary.tokens),
    count: mean((summary) => summary.count),
    density: mean((summary) => summary.density),
    excess: mean((summary) => summary.excess),
  };
}

/** Where a ranking (ascending, lowest score first) is cut, as numbers of prompts. */
export interface RankCuts {
  /** The low band is the first `low` prompts. */
  low: number;
  /** The middle band is the next `middle` prompts. */
  middle: number;
}

/** How far the scores of a pool tie. */
export interface TieReport {
  prompts: number;
  /** Prompts whose score another prompt has too. */
  tied: number;
  /** Prompts whose score is exactly 0. */
  zero: number;
  /** Different scores. */
  distinct: number;
  /** Chance that a prompt of the low and one of the middle band have the same score, 0..1. */
  lowMiddleTie: number;
  /** The score cannot tell the low from the middle band: the chance above is one half or more. */
  indistinguishable: boolean;
  /** One line for people, null when ties do no harm to the bands. */
  warning: string | null;
}

/**
 * Counts ties in `scores` and says whether the cut between the low and the middle band falls into one.
 * At a tie chance of 1/2 the score tells a low from a middle prompt with an AUROC of 0.75 at most.
 */
export function tieReport(scores: ArrayLike<number>, cuts: RankCuts): TieReport {
  const prompts = scores.length;
  if (cuts.low < 0 || cuts.middle < 0 || cuts.low + cuts.middle > prompts) {
    throw new RangeError(`bands of ${cuts.low} and ${cuts.middle} in ${prompts} prompts`);
  }
  const sorted = Float64Array.from(scores).sort();
  const holders = new Map<number, number>();
  for (const score of sorted) holders.set(score, (holders.get(score) ?? 0) + 1);
  const sizes = [...holders.values()];
  const zero = holders.get(0) ?? 0;
  const lowMiddleTie = tieChance(sorted, cuts);
  const indistinguishable = lowMiddleTie >= 0.5;
  return {
    prompts,
    tied: sizes.reduce((sum, size) => sum + (size > 1 ? size : 0), 0),
    zero,
    distinct: holders.size,
    lowMiddleTie,
    indistinguishable,
    warning: indistinguishable
      ? `${percent(zero / prompts)} of ${prompts} prompts score zero and only ${holders.size} scores differ: the low and the middle band cannot be told apart; use more traces per prompt or the excess score.`
      : null,
  };
}

// Sorted, the bands can share one value only: the one at the cut.
function tieChance(sorted: Float64Array, { low, middle }: RankCuts): number {
  if (low === 0 || middle === 0 || sorted[low - 1] !== sorted[low]) return 0;
  const value = sorted[low];
  const tiedLow = sorted.subarray(0, low).filter((score) => score === value).length;
  const tiedMiddle = sorted.subarray(low, low + middle).filter((score) => score === value).length;
  return (tiedLow / low) * (tiedMiddle / middle);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
