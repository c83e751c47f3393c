/** A majority in which sure rollouts weigh more (self-consistency, arXiv 2203.11171, section 2, eq. 1). */
import { z } from 'zod';
import { majorityReward } from '../../reward/majority.ts';
import type { Vote } from '../../reward/votes.ts';
import type { Response } from '../../rollout/types.ts';
import { defineMethod } from '../define.ts';
import { mean } from './intrinsic.ts';

const weights = {
  probability: ({ logprobs }: Response) => Math.exp(mean(logprobs)),
  self_certainty: ({ selfCertainty }: Response) => mean(selfCertainty),
};

/**
 * Each rollout votes with the geometric mean of its token probabilities (eq. 1), or with its self-certainty
 * (arXiv 2502.18581, which uses it in a Borda count). The share that makes a majority usable is that of the
 * weights of ALL rollouts, the unreadable ones included; one sure rollout alone is still no majority.
 */
export const weightedVote = defineMethod({
  name: 'weighted_vote',
  surface: 'reward',
  summary: 'Rewards agreement with the majority, each rollout voting with its confidence',
  source: 'Self-consistency, arXiv 2203.11171, section 2, eq. 1',
  settings: z.strictObject({
    weight: z
      .enum(['probability', 'self_certainty'])
      .default('probability')
      .describe('Geometric mean of the token probabilities, or mean KL from uniform'),
  }),
  create({ weight }, { minVoteShare: minShare }) {
    return {
      async reward(_step, { responses, vote }) {
        const weighed = weigh(vote, responses.map(weights[weight]));
        const given = majorityReward({ vote: weighed }, { minShare });
        const reason = weighed.tied ? 'a tie of weights' : `by weight: ${given.reason}`;
        return { ...given, reason };
      },
    };
  },
});

/** The same vote with the class of the largest weight as its winner. A response without tokens weighs nothing. */
function weigh(vote: Vote, given: readonly number[]): Vote {
  const weightOf = given.map((weight) => (Number.isFinite(weight) ? weight : 0));
  const { answers, classes } = vote;
  const members = new Map<number, number[]>();
  for (const [i, index] of classes.entries()) {
    if (index >= 0) members.set(index, [...(members.get(index) ?? []), i]);
  }
  const totals = [...members].map(([index, of]) => ({
    index,
    votes: of.length,
    weight: total(of.map((i) => weightOf[i])),
  }));
  const best = Math.max(0, ...totals.map(({ weight }) => weight));
  const largest = totals.filter(({ weight }) => weight === best);
  const winner = largest.length === 1 ? largest[0].index : null;
  return {
    answers,
    classes,
    votes: Math.max(0, ...largest.map(({ votes }) => votes)),
    share: best === 0 ? 0 : best / total(weightOf),
    winner,
    answer: winner === null ? null : (answers[classes.indexOf(winner)] ?? null),
    tied: largest.length > 1,
  };
}

/** Summed in order of size, so that neither a tie nor a share depends on the order of the rollouts. */
function total(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b).reduce((sum, value) => sum + value, 0);
}
