/** EM-RL-token: the negative entropy of a response's token distributions (arXiv 2505.15134, eqs. 2 and 4). */
import { z } from 'zod';
import { defineMethod } from '../define.ts';
import { intrinsicReward, pooling, tokensSetting } from './intrinsic.ts';

/**
 * - sum_t H(p_t) in nats, at most 0 (eq. 4), or its mean over the tokens, which is what the authors' code
 * computes and RENT proposes (arXiv 2505.22660): the sum pays for stopping early.
 */
export const tokenEntropy = defineMethod({
  name: 'token_entropy',
  surface: 'reward',
  summary: 'Rewards responses whose token distributions have little entropy (EM-RL-token)',
  source: 'EM-RL, arXiv 2505.15134, section 3.2, eq. 4',
  settings: z.strictObject({ tokens: tokensSetting }),
  create: ({ tokens }) => ({
    reward: async (_step, seen) =>
      intrinsicReward(seen, ({ entropies }) => -pooling[tokens](entropies), 'negative entropy'),
  }),
});
