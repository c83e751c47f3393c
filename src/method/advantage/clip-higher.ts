/** DAPO's clip-higher (arXiv 2503.14476, section 3.1, eq. 10). */
import { z } from 'zod';
import { defineMethod } from '../define.ts';

/** A wider upper bound of the ratio lets unlikely tokens that earned a reward grow faster: entropy falls more slowly. */
export const clipHigher = defineMethod({
  name: 'clip_higher',
  surface: 'advantage',
  summary: 'Lets the probability ratio rise further than it may fall',
  source: 'DAPO, arXiv 2503.14476, section 3.1',
  settings: z.strictObject({
    high: z.number().min(0).default(0.28).describe('Upper clip of the probability ratio: 1 + high'),
  }),
  create: ({ high }) => ({ clip: ({ low }) => ({ low, high }) }),
});
