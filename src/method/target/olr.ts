/** Online label refinement (OLR, arXiv 2604.03993): wrong labels give way to what the policy steadily finds. */
import { linearRegression } from 'simple-statistics';
import { z } from 'zod';
import type { Seen } from '../../reward/types.ts';
import type { Verifier } from '../../verify/types.ts';
import { defineMethod } from '../define.ts';

const recordSchema = z.strictObject({
  /** Answers that had the majority, one per class, as first written. */
  answers: z.array(z.string()),
  /** Per visit: which of them had it (-1: none alone), and its share of the group. */
  visits: z.array(z.tuple([z.int().min(-1), z.number()])),
  /** The answer that has stood in for the label since `step`. */
  refined: z.strictObject({ label: z.string(), answer: z.string(), step: z.int() }).nullable(),
});

type PromptRecord = z.output<typeof recordSchema>;
type Comparer = Pick<Verifier, 'compare'>;

const settings = z.strictObject({
  share: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Share of the group that a majority must have to replace a label'),
  visits: z
    .int()
    .min(2)
    .default(4)
    .describe('Visits in which its answer must have had the majority'),
  slope: z
    .number()
    .default(0.05)
    .describe("Least growth of the majority's share per visit, by linear regression"),
});

/**
 * A label is replaced in training by a majority answer that contradicts it: one that has a large enough share of the
 * group now, had the majority in enough visits and in more of them than any other, while majorities were growing.
 * The label is back as soon as another answer has had the majority as often. What is replaced is in the saved
 * state; the label itself is never touched.
 */
export const olr = defineMethod({
  name: 'olr',
  surface: 'target',
  summary: 'Replaces labels that a steady and growing majority of answers contradicts',
  source: 'Online Label Refinement, arXiv 2604.03993',
  settings,
  state: z.record(z.string(), recordSchema),
  create(rule, { verifierOf }, saved) {
    const records = new Map(Object.entries(saved ?? {}));
    const recordOf = (promptId: string): PromptRecord =>
      records.get(promptId) ?? { answers: [], visits: [], refined: null };
    return {
      async retarget(step, seen, target) {
        if (target.kind !== 'label') return target;
        const { promptId } = seen;
        const verifier = verifierOf(promptId);
        const record = recordOf(promptId);
        const now = await withVisit(record, seen, verifier);
        const answer = await contradiction(now, target.answer, rule, verifier);
        const stands = answer !== null && answer === record.refined?.answer;
        const found = answer === null ? null : { label: target.answer, answer, step };
        const refined = stands ? record.refined : found;
        records.set(promptId, { ...record, refined });
        return refined === null ? target : { kind: 'label', answer: refined.answer };
      },
      async observe(_step, groups) {
        for (const group of groups) {
          if (group.target.kind !== 'label') continue;
          const { promptId } = group;
          records.set(promptId, await withVisit(recordOf(promptId), group, verifierOf(promptId)));
        }
      },
      save: () => Object.fromEntries(records),
    };
  },
});

/** The record with the visit `vote`; its answer joins the first one that it equals. */
async function withVisit(
  record: PromptRecord,
  { vote }: Pick<Seen, 'vote'>,
  verifier: Comparer,
): Promise<PromptRecord> {
  const answers = [...record.answers];
  let index = -1;
  if (vote.answer !== null) {
    index = await indexOf(vote.answer, answers, verifier);
    if (index < 0) index = answers.push(vote.answer) - 1;
  }
  return { ...record, answers, visits: [...record.visits, [index, vote.share]] };
}

async function indexOf(
  answer: string,
  answers: readonly string[],
  verifier: Comparer,
): Promise<number> {
  for (const [i, known] of answers.entries()) {
    if (known === answer) return i;
    if ((await verifier.compare(known, answer)).verdict === 'right') return i;
  }
  return -1;
}

/** The answer that the visits set against the label, the last visit being the present one; null where there is none. */
async function contradiction(
  { answers, visits, refined }: PromptRecord,
  label: string,
  rule: z.output<typeof settings>,
  verifier: Comparer,
): Promise<string | null> {
  const favourite = favouriteOf(visits);
  if (favourite === null) return null;
  const answer = answers[favourite.index];
  // A majority that cannot grow any more must not lose what it won while growing.
  if (answer === refined?.answer) return answer;
  const [latest, share] = visits[visits.length - 1];
  const growth = linearRegression(visits.map(([, one], i) => [i, one])).m;
  const steady = latest === favourite.index && favourite.times >= rule.visits;
  if (!steady || share < rule.share || growth < rule.slope) return null;
  return (await verifier.compare(label, answer)).verdict === 'wrong' ? answer : null;
}

/** The answer that had the majority more often than any other. */
function favouriteOf(visits: PromptRecord['visits']): { index: number; times: number } | null {
  const counts = new Map<number, number>();
  for (const [index] of visits) if (index >= 0) counts.set(index, (counts.get(index) ?? 0) + 1);
  const times = Math.max(0, ...counts.values());
  const most = [...counts].filter(([, count]) => count === times);
  return most.length === 1 ? { index: most[0][0], times } : null;
}
