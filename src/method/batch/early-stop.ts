/** Groups that are of one mind after a few rollouts are not made whole. */
import { z } from 'zod';
import { defineMethod } from '../define.ts';

/**
 * A group whose rewards are all equal has no gradient, so rollouts that only confirm an agreement are spent for nothing.
 * What is lost are groups in which a single dissenter or two would have come later: (1 - mu^(G - n)) of the groups that
 * agree after n rollouts, for a prompt with pass rate mu.
 */
export const earlyStop = defineMethod({
  name: 'early_stop',
  surface: 'batch',
  summary: 'Gives no more rollouts to a group that is of one mind after the first few',
  source: 'own; a sequential form of the filter of DAPO, arXiv 2503.14476, section 3.2',
  settings: z.strictObject({
    pilot: z.int().min(2).default(4).describe('Rollouts that every group gets'),
  }),
  create: ({ pilot }) => ({ pilot }),
});
