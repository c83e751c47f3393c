/** Verdicts on a file of answers: read in batches, written beside the output and renamed when whole, resumed after a stop. */
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { fileHash, makeFolders, writeWhole } from '../../core/files.ts';
import { type Progress, stopHere } from '../../core/progress.ts';
import { cutRecords } from '../../pool/lines.ts';
import type { Verdict, Verifier } from '../../verify/types.ts';

/** One line of the input. Numbers are taken as they are written. */
const rowSchema = z.object({
  id: z.union([z.string(), z.number()]),
  gold: z.union([z.string(), z.number().transform(String)]),
  response: z.union([z.string(), z.number().transform(String), z.null().transform(() => '')]),
  expected: z.enum(['right', 'wrong', 'undecided']).optional(),
});

type Row = z.infer<typeof rowSchema>;

/** How often each expectation (`none` without one) met each verdict. */
export type Confusion = Record<string, Record<Verdict['verdict'], number>>;

export interface VerdictJob {
  verifier: Verifier;
  /** What makes verdicts comparable: settings that change them. */
  settings: unknown;
  input: string;
  output: string;
  progress: Progress;
  stop: AbortSignal;
}

export interface VerdictSummary {
  rows: number;
  /** Rows that an earlier, interrupted run had done. */
  resumed: number;
  confusion: Confusion;
}

/** Rows that are judged side by side. */
const batchRows = 256;
const maxLineBytes = 16 * 2 ** 20;

/**
 * Writes {"id","verdict","reason","rung"} for every row of {"id","gold","response"}, in order. Rows are kept in
 * `OUTPUT.part` until all are there; the same command goes on from it while input and settings are the same. UserError
 * with the line of the first row that is none; nothing is lost then.
 */
export async function judgeFile(job: VerdictJob): Promise<VerdictSummary> {
  const total = await checkedRows(job.input);
  makeFolders(dirname(job.output));
  const kept = { part: `${job.output}.part`, job: `${job.output}.part.json` };
  const identity = { input: await fileHash(job.input), settings: hashOf(job.settings) };
  const done = keptVerdicts(kept, identity);
  const confusion: Confusion = {};
  let rows = 0;
  job.progress.start('verdicts', total, 'rows');
  const file = await open(kept.part, 'a');
  try {
    for await (const batch of batches(job.input)) {
      stopHere(job.stop, `${rows} of ${total} verdicts are kept in ${kept.part}`);
      const known = done.slice(rows, rows + batch.length);
      const fresh = await judged(batch.slice(known.length), job.verifier);
      await file.write(fresh.map((line) => `${JSON.stringify(line)}\n`).join(''));
      for (const [i, { verdict }] of [...known, ...fresh].entries()) {
        count(confusion, batch[i].expected, verdict);
      }
      rows += batch.length;
      job.progress.update(rows);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  job.progress.finish('verdicts');
  renameSync(kept.part, job.output);
  rmSync(kept.job);
  return { rows, resumed: done.length, confusion };
}

async function judged(batch: readonly Row[], verifier: Verifier): Promise<Line[]> {
  return await Promise.all(
    batch.map(async ({ id, gold, response }) => {
      const [{ verdict, reason, rung }] = await verifier.verify(gold, [response]);
      return { id, verdict, reason, rung };
    }),
  );
}

function count(
  confusion: Confusion,
  expected: string | undefined,
  verdict: Verdict['verdict'],
): void {
  const key = expected ?? 'none';
  confusion[key] ??= { right: 0, wrong: 0, undecided: 0 };
  confusion[key][verdict]++;
}

async function* batches(input: string): AsyncGenerator<Row[]> {
  let batch: Row[] = [];
  for await (const row of rowsOf(input)) {
    batch.push(row);
    if (batch.length < batchRows) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Reads the whole input once, so that a bad row is met before hours of work and not after. */
async function checkedRows(input: string): Promise<number> {
  if (!existsSync(input) || !statSync(input).isFile()) {
    throw new UserError({
      wanted: 'a JSONL file of {"id","gold","response"}',
      found: 'no such file',
      where: input,
    });
  }
  let rows = 0;
  for await (const _ of rowsOf(input)) rows++;
  return rows;
}

async function* rowsOf(input: string): AsyncGenerator<Row> {
  const settings = { maxBytes: maxLineBytes, quoted: false, delimiter: 44 };
  for await (const { line, bytes, refused } of cutRecords(createReadStream(input), settings)) {
    const where = `${input}, line ${line}`;
    if (refused !== undefined) throw badRow(refused, where);
    yield parseRow(bytes.toString('utf8'), where);
  }
}

function parseRow(text: string, where: string): Row {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRow(`no JSON: ${JSON.stringify(text.slice(0, 80))}`, where);
  }
  const parsed = rowSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badRow(`"${issue.path.join('.')}": ${issue.message}`, where);
}

function badRow(found: string, where: string): UserError {
  return new UserError({
    wanted:
      'one object {"id","gold","response"} a line, "expected" (right, wrong or undecided) if known',
    found,
    where,
  });
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

const lineSchema = z.object({
  id: z.union([z.string(), z.number()]),
  verdict: z.enum(['right', 'wrong', 'undecided']),
  reason: z.string(),
  rung: z.string(),
});

/** One line of the output. */
type Line = z.infer<typeof lineSchema>;

/**
 * What an interrupted run of the same job left; a half-written last line is cut off. What another job left is thrown
 * away.
 */
function keptVerdicts(
  kept: { part: string; job: string },
  identity: Record<string, string>,
): Line[] {
  const text = JSON.stringify(identity);
  if (existsSync(kept.job) && existsSync(kept.part) && readFileSync(kept.job, 'utf8') === text) {
    const lines = readFileSync(kept.part, 'utf8');
    const whole = lines.slice(0, lines.lastIndexOf('\n') + 1);
    truncateSync(kept.part, Buffer.byteLength(whole));
    const rows = whole.split('\n').filter((line) => line !== '');
    return rows.map((line) => lineSchema.parse(JSON.parse(line)));
  }
  rmSync(kept.part, { force: true });
  writeWhole(kept.job, text);
  return [];
}
