/** EM-RL-sequence: a response's share of the entropy over whole responses (arXiv 2505.15134, eqs. 1 and 3). */
import { z } from 'zod';
import { defineMethod } from '../define.ts';
import { intrinsicReward, pooling, tokensSetting } from './intrinsic.ts';

/**
 * The entropy of the policy over whole responses is -E[log pi(y)], so that its estimate from samples is lowered
 * by the reward log pi(y) = sum_t log p_t(y_t) in nats, at most 0 (eq. 3). The mean over the tokens is what the
 * authors' code computes.
 */
export const sequenceEntropy = defineMethod({
  name: 'sequence_entropy',
  surface: 'reward',
  summary: 'Rewards responses by their log-probability (EM-RL-sequence)',
  source: 'EM-RL, arXiv 2505.15134, section 3.2, eq. 3',
  settings: z.strictObject({ tokens: tokensSetting }),
  create: ({ tokens }) => ({
    reward: async (_step, seen) =>
      intrinsicReward(seen, ({ logprobs }) => pooling[tokens](logprobs), 'log-probability'),
  }),
});
