/**
 * Reads files of {"id", "answer"} records (JSONL, or CSV with a header), each with its line.
 *
 * Knows nothing of pools, accounts or who may see the answers.
 */
import { createReadStream } from 'node:fs';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { CsvError, parse } from 'csv-parse';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { errorCode } from '../core/files.ts';

export interface AnswerRecord {
  id: string;
  answer: string;
  /** Counts from 1. */
  line: number;
}

const textSchema = z.union([z.string(), z.number()]).transform((value) => String(value).trim());
const recordSchema = z.object({ id: textSchema, answer: textSchema });

/**
 * All records of the file at `path`, in its order. UserError with the line for what is no record, for
 * an empty answer, and for an id that comes twice with different answers; an exact repetition is dropped.
 */
export async function readAnswers(path: string): Promise<AnswerRecord[]> {
  const rows = extname(path).toLowerCase() === '.csv' ? csvRows(path) : jsonRows(path);
  const records = new Map<string, AnswerRecord>();
  try {
    for await (const { value, line } of rows) {
      const record = { ...recordOf(value, path, line), line };
      const before = records.get(record.id);
      if (before !== undefined && before.answer !== record.answer) {
        throw new UserError({
          wanted: 'one answer per id',
          found: `'${record.id}' with another answer than in line ${before.line}`,
          where: `${path}:${line}`,
          fix: 'Keep the right one of the two lines.',
        });
      }
      if (before === undefined) records.set(record.id, record);
    }
  } catch (error) {
    throw readable(error, path);
  }
  return [...records.values()];
}

interface Row {
  value: unknown;
  line: number;
}

async function* jsonRows(path: string): AsyncIterable<Row> {
  const lines = createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  let line = 0;
  for await (const text of lines) {
    line++;
    if (text.trim() === '') continue;
    try {
      yield { value: JSON.parse(text.replace(/^\uFEFF/, '')), line };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw badRecord(path, line, 'no JSON');
    }
  }
}

const csvRowSchema = z.object({ record: z.unknown(), info: z.object({ lines: z.int() }) });

async function* csvRows(path: string): AsyncIterable<Row> {
  const parser = createReadStream(path).pipe(
    parse({ bom: true, columns: true, info: true, skip_empty_lines: true }),
  );
  for await (const row of parser) {
    const { record, info } = csvRowSchema.parse(row);
    yield { value: record, line: info.lines };
  }
}

function recordOf(value: unknown, path: string, line: number): { id: string; answer: string } {
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success) {
    const found = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw badRecord(path, line, found.join('; '));
  }
  if (parsed.data.id === '') throw badRecord(path, line, 'an empty id');
  if (parsed.data.answer === '') throw badRecord(path, line, 'an empty answer');
  return parsed.data;
}

function badRecord(path: string, line: number, found: string): UserError {
  return new UserError({
    wanted: 'a record with "id" and "answer"',
    found,
    where: `${path}:${line}`,
    fix: 'Correct the line and give the command again; nothing was taken from the file.',
  });
}

function readable(error: unknown, path: string): unknown {
  if (error instanceof UserError) return error;
  if (error instanceof CsvError) {
    return new UserError({ wanted: 'a CSV file', found: error.message, where: path });
  }
  if (error instanceof Error && 'code' in error) {
    return new UserError(
      { wanted: 'a readable file of answers', found: errorCode(error), where: path },
      { cause: error },
    );
  }
  return error;
}
