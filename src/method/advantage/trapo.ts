/** TraPO (arXiv 2512.13106): pseudo-labels are trusted where a prompt is learnt as labelled prompts are. */
import { z } from 'zod';
import { pearson } from '../../core/ranks.ts';
import { defineMethod } from '../define.ts';
import { passRateOf } from '../pass-rate.ts';
import type { Group } from '../types.ts';

const recordSchema = z.strictObject({
  labelled: z.boolean(),
  /** An unlabelled prompt that passed when it was last weighed. */
  trusted: z.boolean(),
  /** Visits without a label: the share of the majority, and the references' mean pass rate at the time. */
  course: z.array(z.tuple([z.number(), z.number()])),
  /** Its latest pass rate, or share of the majority without a label. */
  rate: z.number(),
});

type PromptRecord = z.output<typeof recordSchema>;
type Records = ReadonlyMap<string, PromptRecord>;

/**
 * Of the groups that train on their own vote, only those count whose pass-rate trajectory resembles that of the
 * references, which are the labelled prompts and those trusted before: weight 1 for the most similar share of the
 * step's and for all from a threshold on, 0 for the rest and during the warm-up. Without labels nothing is ever
 * trusted. Visits of different prompts fall on different steps, so each is set against the mean of the references'
 * latest pass rates at its own time; similarity is the cosine of the two series, both centred (their Pearson
 * correlation), 0 where one of them does not move.
 */
export const trapo = defineMethod({
  name: 'trapo',
  surface: 'advantage',
  summary: 'Trains on a vote only where the pass rate moves as that of labelled prompts does',
  source: 'TraPO, arXiv 2512.13106',
  settings: z.strictObject({
    warmup: z
      .int()
      .min(2)
      .default(3)
      .describe('Visits that a prompt needs before its vote may be trusted'),
    share: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe("Share of the step's votes that is trusted in any case, the most similar"),
    threshold: z
      .number()
      .min(-1)
      .max(1)
      .default(0.4)
      .describe('Similarity from which a vote is trusted'),
  }),
  /** A list, for the order of prompts decides how sums are rounded. */
  state: z.array(z.tuple([z.string(), recordSchema])),
  create({ warmup, share, threshold }, _context, saved) {
    let records: Records = new Map(saved);
    return {
      async weigh(_step, groups) {
        const now = visited(records, groups);
        const candidates = groups
          .filter(({ target }) => target.kind === 'vote')
          .map(({ promptId }) => ({ promptId, course: now.get(promptId)?.course ?? [] }))
          .filter(({ course }) => course.length >= warmup)
          .map(({ promptId, course }) => ({ promptId, similarity: similarityOf(course) }))
          .sort((a, b) => b.similarity - a.similarity);
        const sure = Math.floor(share * candidates.length);
        const trusted = new Set(
          candidates
            .filter(({ similarity }, rank) => rank < sure || similarity >= threshold)
            .map(({ promptId }) => promptId),
        );
        const judged = new Set(groups.map(({ promptId }) => promptId));
        records = new Map(
          [...records].map(([id, record]) => [
            id,
            judged.has(id) ? { ...record, trusted: trusted.has(id) } : record,
          ]),
        );
        return groups.map(({ promptId, target }) =>
          Number(target.kind !== 'vote' || trusted.has(promptId)),
        );
      },
      observe(_step, groups) {
        records = visited(records, groups);
      },
      save: () => [...records],
    };
  },
});

/** The records after these visits. A prompt that got a label begins anew: pass rates are no shares of votes. */
function visited(before: Records, groups: readonly Group[]): Records {
  const records = new Map(before);
  const rated = groups.flatMap((group) => {
    const rate = passRateOf(group);
    return rate === null ? [] : [{ id: group.promptId, rate, kind: group.target.kind }];
  });
  for (const { id, rate, kind } of rated) {
    const labelled = kind === 'label';
    const found = records.get(id);
    const old = found?.labelled === labelled ? found : { labelled, trusted: false, course: [] };
    records.set(id, { ...old, rate });
  }
  const references = [...records.values()].filter(({ labelled, trusted }) => labelled || trusted);
  const sum = references.reduce((total, { rate }) => total + rate, 0);
  for (const { id } of rated) {
    const record = records.get(id);
    if (record === undefined || record.labelled) continue;
    // Nothing is its own reference.
    const others = references.length - Number(record.trusted);
    if (others === 0) continue;
    const mean = (sum - (record.trusted ? record.rate : 0)) / others;
    records.set(id, { ...record, course: [...record.course, [record.rate, mean]] });
  }
  return records;
}

function similarityOf(course: PromptRecord['course']): number {
  const [own, reference] = [0, 1].map((side) => course.map((pair) => pair[side]));
  const cosine = pearson(own, reference);
  return Number.isNaN(cosine) ? 0 : cosine;
}
