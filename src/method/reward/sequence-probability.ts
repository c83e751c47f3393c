/** A response's own probability as its reward (RLSC, arXiv 2506.06395). */
import { z } from 'zod';
import { defineMethod } from '../define.ts';
import { intrinsicReward, pooling, tokensSetting } from './intrinsic.ts';

/**
 * pi(y), 0..1: maximising E[pi(y)] draws the policy to its mode. `mean` takes the geometric mean of the token
 * probabilities; `sum` the probability itself, which is that of the paper and all but 0 for long responses:
 * below e^-745 it is 0, and a group of such responses gives no gradient. Unlike the log-probability
 * (sequence_entropy) it tells likely responses apart and hardly the unlikely ones.
 */
export const sequenceProbability = defineMethod({
  name: 'sequence_probability',
  surface: 'reward',
  summary: 'Rewards responses by their probability (RLSC)',
  source: 'RLSC, arXiv 2506.06395',
  settings: z.strictObject({ tokens: tokensSetting }),
  create: ({ tokens }) => ({
    reward: async (_step, seen) =>
      intrinsicReward(seen, ({ logprobs }) => Math.exp(pooling[tokens](logprobs)), 'probability'),
  }),
});
