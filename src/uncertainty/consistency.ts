/**
 * 1 - share of the majority answer over the samples, answers compared by the verifier's classes.
 * Unreadable answers (class -1) agree with nothing, each other included.
 */
import { scoreEach } from './observe.ts';
import type { Estimator, RolloutSummary } from './types.ts';

const name = 'consistency';
const needs = { samples: 2 };

export const consistency: Estimator = {
  name,
  needs,
  tieBreakers: ['mean_entropy'],
  score: (observations) =>
    scoreEach({ name, needs }, observations, (one) => 1 - majorityShare(one.rollouts)),
};

/** Rollouts with the most frequent readable answer, as a share of all; 0 when none is readable. */
export function majorityShare(rollouts: readonly RolloutSummary[]): number {
  const sizes = new Map<number, number>();
  for (const { answerClass } of rollouts) {
    if (answerClass >= 0) sizes.set(answerClass, (sizes.get(answerClass) ?? 0) + 1);
  }
  return Math.max(0, ...sizes.values()) / rollouts.length;
}
