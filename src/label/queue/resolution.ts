/** How a task ends: the label that it makes, and whose it is. */
import type { TaskRecord } from '../../store/desk.ts';
import type { Repositories } from '../../store/types.ts';
import type { Said } from './judging.ts';
import type { Outcome } from './types.ts';

export interface Resolution {
  outcome: Outcome;
  /** null: it ends without one. */
  label: { answer: string; source: string } | null;
}

/** What a task comes to when `said` is the last word. Not for skips. */
export function resolved({ kind, answer }: Said, source: string): Resolution {
  if (kind === 'skip') throw new Error('a skipped question is not decided');
  if (kind !== 'answer') return { outcome: kind, label: null };
  if (answer === null) throw new Error('an answer without text');
  return { outcome: 'labelled', label: { answer, source } };
}

/** Writes the label of a resolution, if it has one. BudgetExceeded where the account may hold no more. */
export async function labelFor(
  { labels }: Repositories,
  { account, promptId, run, step }: TaskRecord,
  { label }: Resolution,
  budget: number | null,
): Promise<void> {
  if (label === null) return;
  const record = { promptId, ...label, cost: 1, noisy: false, run, step };
  await labels.add(account, [record], budget ?? undefined);
}

const longestSource = 100;

/**
 * The source of a label that several people made: their names in order, joined, as 'ada+bob'. Where that is longer
 * than 100 characters, the first ones and how many more there are, as 'ada+bob+3 more'.
 */
export function sourceOf(names: readonly string[]): string {
  const sorted = [...names].sort();
  for (let shown = sorted.length; shown > 0; shown--) {
    const more = sorted.length - shown;
    const source = [...sorted.slice(0, shown), ...(more > 0 ? [`${more} more`] : [])].join('+');
    if (source.length <= longestSource || shown === 1) return source;
  }
  throw new Error('a label that nobody made');
}
