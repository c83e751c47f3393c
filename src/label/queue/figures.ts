/** How the queue, its annotators and their agreement stand. */
import {
  cohenKappa,
  fleissKappa,
  krippendorffAlpha,
  percentAgreement,
} from '../../stats/agreement.ts';
import { wilson } from '../../stats/proportion.ts';
import type { AnnotationRecord } from '../../store/desk.ts';
import { annotationOf, type QueueContext, taskOf } from './context.ts';
import { categories } from './judging.ts';
import type { Agreement, AnnotatorFigures, Dispute, LabelChecks, QueueProgress } from './types.ts';

/** Prompts whose answers are judged side by side. */
const atOnce = 16;

export async function progressOf({ store, settings, clock }: QueueContext): Promise<QueueProgress> {
  const counts = await store.desk.counts(settings.account, clock());
  return { ...counts, budget: settings.budget };
}

/** By name. */
export async function figuresOf({
  store,
  settings,
  nameOf,
}: QueueContext): Promise<AnnotatorFigures[]> {
  const rows = await store.desk.figures(settings.account);
  const figures = await Promise.all(
    rows.map(async ({ goldAnswered, goldRight, ...row }) => ({
      ...row,
      name: await nameOf(row.annotator),
      gold: { answered: goldAnswered, right: goldRight },
    })),
  );
  return figures.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** By source. */
export async function checksOf({ store, settings }: QueueContext): Promise<LabelChecks[]> {
  const rows = await store.desk.checks(settings.account);
  return rows.map(({ source, checked, differing, ruled, wrong }) => {
    const open = differing - ruled;
    const decided = checked - open;
    const rate = decided === 0 ? null : { value: wrong / decided, ...wilson(wrong, decided) };
    return { source, checked, differing, open, wrong, rate };
  });
}

/** Disputes in the order in which their questions were handed out, each with its answers. */
export async function disputesOf(
  { store, settings: { account } }: QueueContext,
  limit: number,
): Promise<{ disputes: Dispute[]; total: number }> {
  const { tasks, total } = await store.desk.disputed(account, limit);
  const ids = tasks.map(({ promptId }) => promptId);
  const given = byPrompt(await store.desk.standing(account, ids));
  const labels = byPrompt(await store.labels.owned(account, ids));
  const disputes = tasks.map((task) => ({
    task: taskOf(task),
    annotations: (given.get(task.promptId) ?? []).map(annotationOf),
    // What the task's own annotators said stands there already.
    labels: (labels.get(task.promptId) ?? [])
      .filter(({ source }) => source !== task.labelSource)
      .map(({ source, answer }) => ({ source, answer })),
  }));
  return { disputes, total };
}

/**
 * Agreement over all questions that two people or more answered, gold ones among them; to say that a question has no
 * answer is an answer. Fleiss' kappa, which needs equally many answers to each, is over the questions with the
 * commonest number of answers. null where no question has two.
 */
export async function agreementOf({
  store,
  settings,
  judge,
}: QueueContext): Promise<Agreement | null> {
  const standing = await store.desk.standing(settings.account);
  const answers = standing.filter(({ kind, adjudicates }) => kind !== 'skip' && !adjudicates);
  const questions = [...byPrompt(answers)].filter(([, given]) => given.length >= 2);
  if (questions.length === 0) return null;
  const ratings: string[][] = [];
  for (let at = 0; at < questions.length; at += atOnce) {
    const some = questions.slice(at, at + atOnce);
    ratings.push(...(await Promise.all(some.map(([id, given]) => categories(judge, id, given)))));
  }
  return {
    questions: questions.length,
    percent: percentAgreement(ratings) ?? 0,
    cohen: cohenOf(
      questions.map(([, given]) => given),
      ratings,
    ),
    fleiss: fleissKappa(commonestLength(ratings)),
    krippendorff: krippendorffAlpha(ratings),
  };
}

/** null unless the same two people answered all of them. */
function cohenOf(questions: readonly AnnotationRecord[][], ratings: string[][]): number | null {
  const people = new Set(questions.flat().map(({ annotator }) => annotator));
  if (people.size !== 2) return null;
  const [first] = people;
  const pairs = questions.map((given, i): [string, string] =>
    given[0].annotator === first ? [ratings[i][0], ratings[i][1]] : [ratings[i][1], ratings[i][0]],
  );
  return cohenKappa(pairs);
}

/** Those lists that have the commonest length, the longer one of two equally common. */
function commonestLength<T>(lists: readonly T[][]): T[][] {
  const counts = new Map<number, number>();
  for (const { length } of lists) counts.set(length, (counts.get(length) ?? 0) + 1);
  const [commonest] = [...counts].sort(([a, m], [b, n]) => n - m || b - a);
  return lists.filter(({ length }) => length === commonest?.[0]);
}

function byPrompt<T extends { promptId: string }>(records: readonly T[]): Map<string, T[]> {
  const prompts = new Map<string, T[]>();
  for (const one of records) {
    const list = prompts.get(one.promptId);
    if (list === undefined) prompts.set(one.promptId, [one]);
    else list.push(one);
  }
  return prompts;
}
