/**
 * Reads files of {"id", "answer"} records (JSONL, or CSV with a header), each with its line.
 *
 * Knows nothing of pools, accounts or who may see the answers.
 */
import { extname } from 'node:path';
import { UserError } from '../core/errors.ts';
import { badItem, itemsOf } from './formats/container.ts';
import type { Item } from './formats/types.ts';
import { answerOf, BadItem, idOf, shown } from './formats/values.ts';

export interface AnswerRecord {
  id: string;
  answer: string;
  /** Counts from 1. */
  line: number;
}

/**
 * All records of the file at `path`, in its order. UserError with the line for what is no record, for
 * an empty answer, and for an id that comes twice with different answers; an exact repetition is dropped.
 */
export async function readAnswers(path: string): Promise<AnswerRecord[]> {
  const container = extname(path).toLowerCase() === '.csv' ? 'csv' : 'lines';
  const records = new Map<string, AnswerRecord>();
  for await (const { item, place } of itemsOf(path, container)) {
    const { line } = place;
    const record = { ...recordOf(item, `${path}:${line}`), line };
    const before = records.get(record.id);
    if (before !== undefined && before.answer !== record.answer) {
      throw new UserError({
        wanted: 'one answer per id',
        found: `'${shown(record.id)}' with another answer than in line ${before.line}`,
        where: `${path}:${line}`,
        fix: 'Keep the right one of the two lines.',
      });
    }
    if (before === undefined) records.set(record.id, record);
  }
  return [...records.values()];
}

function recordOf(item: Item, where: string): { id: string; answer: string } {
  try {
    const id = idOf(item.id, 'id');
    const answer = answerOf(item.answer);
    if (answer === null) {
      throw new BadItem(item.answer === undefined ? 'no "answer"' : 'an empty answer');
    }
    return { id, answer };
  } catch (error) {
    if (!(error instanceof BadItem)) throw error;
    throw badItem(error.message, where);
  }
}
