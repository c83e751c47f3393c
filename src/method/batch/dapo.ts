/** DAPO's dynamic sampling (arXiv 2503.14476, section 3.2, eq. 11). */
import { z } from 'zod';
import { defineMethod } from '../define.ts';

/** Groups that are all right or all wrong have no gradient: they are replaced by other prompts, and their rollouts counted. */
export const dapo = defineMethod({
  name: 'dapo',
  surface: 'batch',
  summary: 'Replaces groups whose rewards are all equal by other prompts',
  source: 'DAPO, arXiv 2503.14476, section 3.2',
  settings: z.strictObject({
    rounds: z.int().min(1).default(3).describe('Times in a step that groups may be replaced'),
  }),
  create({ rounds }) {
    return { rounds, counts: ({ active }) => active };
  },
});
