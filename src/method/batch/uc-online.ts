/** Uncertainty consistency in every step (arXiv 2601.22595; METHOD section 8): which groups are trained on. */
import { z } from 'zod';
import { judged, keptOf, onlineConsistency } from '../consistency.ts';
import { defineMethod } from '../define.ts';
import type { Group } from '../types.ts';

/**
 * Of each step's groups, trains on those with the largest online metric r. Groups whose rollouts all agree have none and
 * rank after all others: they would move nothing. Ties keep the order of the step. Groups without a label are left
 * as they are unless `proxy` lets the majority vote stand in for correctness.
 */
export const ucOnline = defineMethod({
  name: 'uc_online',
  surface: 'batch',
  summary: 'Trains on the groups of a step whose uncertainty agrees best with their errors',
  source: 'Uncertainty consistency, arXiv 2601.22595, online metric',
  settings: z.strictObject({
    keep: z.number().gt(0).max(1).default(0.3).describe('Share of the groups that is kept'),
    gamma: z
      .number()
      .min(0)
      .default(0.1)
      .describe('Weight of wrong responses in the metric (0.1 was best of 0.1 to 2)'),
    proxy: z
      .boolean()
      .default(false)
      .describe('Judge groups without labels by their majority vote, a proxy of correctness'),
  }),
  create({ keep, gamma, proxy }) {
    const isJudged = ({ target }: Group) =>
      target.kind === 'label' || (proxy && target.kind === 'vote');
    const scoreOf = (group: Group) => {
      const seen = judged(group);
      const r = seen === null ? null : onlineConsistency(seen, gamma);
      return r ?? Number.NEGATIVE_INFINITY;
    };
    return {
      keep(_step, groups) {
        const ranked = groups
          .filter(isJudged)
          .map((group) => ({ group, score: scoreOf(group) }))
          // Compared, not subtracted: two infinities have no difference.
          .sort((a, b) => (a.score > b.score ? -1 : Number(a.score < b.score)));
        const chosen = ranked.slice(0, keptOf(ranked.length, keep)).map(({ group }) => group);
        const kept = new Set(chosen);
        return groups.filter((group) => !isJudged(group) || kept.has(group));
      },
    };
  },
});
