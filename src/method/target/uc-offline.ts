/** Uncertainty consistency before training (arXiv 2601.22595; METHOD section 8): which prompts are worth training on. */
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { pointBiserial } from '../../stats/correlation.ts';
import { judged, keptOf } from '../consistency.ts';
import { defineMethod } from '../define.ts';
import type { Group, Lab } from '../types.ts';

/**
 * Samples each prompt before the first step and trains on those alone whose perplexity and correctness go together
 * best: the smallest point-biserial correlations. Where all rollouts agree it is undefined, and the prompt ranks after all
 * others. Ties keep the order of the pool. Prompts without a label are not looked at, and so not trained on, unless
 * `proxy` lets the majority vote stand in for correctness.
 */
export const ucOffline = defineMethod({
  name: 'uc_offline',
  surface: 'target',
  summary: 'Trains on the labelled prompts whose uncertainty agrees best with their errors',
  source: 'Uncertainty consistency, arXiv 2601.22595, offline metric',
  settings: z.strictObject({
    keep: z.number().gt(0).max(1).default(0.3).describe('Share of the prompts that is kept'),
    samples: z.int().min(2).default(8).describe('Responses to each prompt before training'),
    proxy: z
      .boolean()
      .default(false)
      .describe('Judge prompts without labels by their majority vote, a proxy of correctness'),
  }),
  state: z.strictObject({
    /** Kept by their labels, and by the proxy. */
    kept: z.array(z.string()),
    kept_by_proxy: z.array(z.string()),
  }),
  create({ keep, samples, proxy }, _context, saved) {
    let state = saved;
    let admitted = new Set(saved === undefined ? [] : [...saved.kept, ...saved.kept_by_proxy]);
    return {
      async prepare(lab) {
        const ids = proxy ? lab.promptIds : await labelledIn(lab);
        const groups = await lab.sample(ids, samples);
        const kept = mostConsistent(groups, keptOf(groups.length, keep));
        if (kept.length === 0) throw nothingToJudge();
        const idsOf = (some: readonly Group[]) => some.map(({ promptId }) => promptId);
        const [byLabel, byProxy] = [true, false].map((labelled) =>
          idsOf(kept.filter(({ target }) => (target.kind === 'label') === labelled)),
        );
        state = { kept: byLabel, kept_by_proxy: byProxy };
        admitted = new Set(idsOf(kept));
      },
      admits: (promptId) => state === undefined || admitted.has(promptId),
      save: () => state,
    };
  },
});

/** Prompts that have a label. A sample of no responses costs nothing and shows what a prompt is held against. */
async function labelledIn(lab: Lab): Promise<string[]> {
  const groups = await lab.sample(lab.promptIds, 0);
  return groups.filter(({ target }) => target.kind === 'label').map(({ promptId }) => promptId);
}

/** The `count` groups with the smallest r_pb, those without one last. */
function mostConsistent(groups: readonly Group[], count: number): Group[] {
  const scored = groups.map((group) => {
    const seen = judged(group);
    const score = seen === null ? null : pointBiserial(seen.perplexities, seen.correct);
    return { group, score: score ?? Number.POSITIVE_INFINITY };
  });
  // Compared, not subtracted: two infinities have no difference.
  const order = scored.sort((a, b) => (a.score < b.score ? -1 : Number(a.score > b.score)));
  return order.slice(0, count).map(({ group }) => group);
}

function nothingToJudge(): UserError {
  return new UserError({
    wanted: 'prompts with labels for the method uc_offline to judge',
    found: 'none before the first step',
    where: 'train.methods',
    fix: 'Buy labels before training, or set methods.uc_offline.proxy to judge by the majority vote.',
  });
}
