/** Intuitor: how far a response's token distributions are from uniform (arXiv 2505.19590, section 3). */
import { z } from 'zod';
import { defineMethod } from '../define.ts';
import { intrinsicReward, mean } from './intrinsic.ts';

/**
 * Mean over the tokens of KL(U || p_t) in nats, at least 0, of the distributions that the response was sampled
 * from: those of the present policy, since a frozen judge is soon outwitted (the paper's own ablation). KL from
 * the uniform side is moved by the unlikely tokens and less by length than log-probabilities are.
 */
export const selfCertainty = defineMethod({
  name: 'self_certainty',
  surface: 'reward',
  summary: 'Rewards responses whose token distributions are far from uniform (Intuitor)',
  source: 'Intuitor, arXiv 2505.19590, section 3',
  settings: z.strictObject({}),
  create: () => ({
    reward: async (_step, seen) =>
      intrinsicReward(seen, (response) => mean(response.selfCertainty), 'self-certainty'),
  }),
});
