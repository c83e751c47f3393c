/**
 * Labels that people give as a file: all of it goes into an account, or nothing.
 *
 * Knows nothing of sealed answers; the file is the person's own.
 */
import { UserError } from '../core/errors.ts';
import type { OwnedLabel, Store } from '../store/types.ts';
import { type AnswerRecord, readAnswers } from './records.ts';

export interface ImportSettings {
  /** JSONL of {"id", "answer"}, or CSV with these two columns. */
  path: string;
  account: string;
  /** Name of the annotator. Default 'people'. */
  source?: string;
  /** Labels that the account may own in all; null or absent = no limit. */
  budget?: number | null;
}

export interface Imported {
  added: number;
  /** Were there already with the same answer. */
  unchanged: number;
}

const listed = 10;

/**
 * Imports labels. UserError, with nothing written, when a line is no record, names an unknown prompt,
 * contradicts another line or a label of the same source, or when the budget does not allow all of them.
 */
export async function importLabels(
  store: Pick<Store, 'transaction'>,
  { path, account, source = 'people', budget = null }: ImportSettings,
): Promise<Imported> {
  const records = await readAnswers(path);
  return store.transaction(async ({ prompts, labels }) => {
    const ids = records.map((record) => record.id);
    refuseUnknown(records, new Set(await prompts.unknown(ids)), path);
    const owned = await labels.owned(account, ids);
    refuseContradictions(records, owned, source, path);
    refuseOverspending(records, owned, await labels.count(account), budget, path);
    const added = await labels.add(
      account,
      records.map(({ id, answer }) => ({
        promptId: id,
        answer,
        source,
        cost: 1,
        noisy: false,
        run: null,
        step: null,
      })),
    );
    return { added, unchanged: records.length - added };
  });
}

function refuseUnknown(
  records: readonly AnswerRecord[],
  unknown: ReadonlySet<string>,
  path: string,
): void {
  const lines = records.filter((record) => unknown.has(record.id));
  if (lines.length === 0) return;
  throw new UserError({
    wanted: 'ids of prompts in the pool',
    found: `${lines.length} unknown: ${listOf(lines.map((r) => `'${r.id}' (line ${r.line})`))}`,
    where: `${path}:${lines[0].line}`,
    fix: 'Correct the ids, or add the prompts to the pool first.',
  });
}

function refuseContradictions(
  records: readonly AnswerRecord[],
  owned: readonly OwnedLabel[],
  source: string,
  path: string,
): void {
  const before = new Map(
    owned.filter((label) => label.source === source).map((label) => [label.promptId, label.answer]),
  );
  const lines = records.filter(({ id, answer }) => (before.get(id) ?? answer) !== answer);
  if (lines.length === 0) return;
  throw new UserError({
    wanted: `answers that agree with the labels of '${source}' in the store`,
    found: `other answers for ${listOf(lines.map((r) => `'${r.id}' (line ${r.line})`))}`,
    where: `${path}:${lines[0].line}`,
    fix: 'Remove these lines, or give the labels another source name.',
  });
}

function refuseOverspending(
  records: readonly AnswerRecord[],
  owned: readonly OwnedLabel[],
  count: number,
  budget: number | null,
  path: string,
): void {
  const labelled = new Set(owned.map((label) => label.promptId));
  const total = count + records.filter((record) => !labelled.has(record.id)).length;
  if (budget === null || total <= budget) return;
  throw new UserError({
    wanted: `at most ${budget} labels in all`,
    found: `${total} with this file`,
    where: path,
    fix: 'Raise the budget, or import fewer labels.',
  });
}

function listOf(items: readonly string[]): string {
  const more = items.length - listed;
  return items.slice(0, listed).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
