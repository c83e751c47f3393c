/** Verdicts on a file of answers: judged in batches, written beside the output and renamed when whole, resumed after a stop. */
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
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { errorCode, fileHash, makeFolders, writeWhole } from '../../core/files.ts';
import { type Progress, stopHere } from '../../core/progress.ts';
import { cutRecords } from '../../pool/lines.ts';
import type { Verdict } from '../../verify/types.ts';
import type { Verifiers } from '../../verify/verifiers.ts';
import { type Row, rowsOf } from './verdict-rows.ts';

/** How often each expectation (`none` without one) met each verdict. */
export type Confusion = Record<string, Record<Verdict['verdict'], number>>;

export interface VerdictJob {
  verifiers: Pick<Verifiers, 'of'>;
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

/** How often the verdicts of a slow batch are written down, in milliseconds. */
const keepMs = 1000;

/**
 * Writes {"id","verdict","reason","rung"} for every row of {"id","gold","response"}, in order. Rows are kept in
 * `OUTPUT.part` until all are there; the same command goes on from it while input and settings are the same. UserError
 * with the line of the first row that is none, before anything is written; UserError for an output that would destroy
 * the input. Interrupted after a stop: what was judged by then is kept.
 */
export async function judgeFile(job: VerdictJob): Promise<VerdictSummary> {
  const kept: Kept = { part: `${job.output}.part`, job: `${job.output}.part.json` };
  checkPlaces(job, kept);
  const total = await countedRows(job);
  const identity = { input: await fileHash(job.input), settings: hashOf(job.settings) };
  makeFolder(job.output);
  const done = await keptVerdicts(kept, identity);
  const confusion: Confusion = {};
  let rows = 0;
  job.progress.start('verdicts', total, 'rows');
  const file = await open(kept.part, 'a');
  try {
    for await (const batch of batches(job.input)) {
      const known = done.slice(rows, rows + batch.length);
      const write = (lines: readonly Line[]) => file.appendFile(lines.map(lineText).join(''));
      const fresh = await judged(batch.slice(known.length), job, write);
      for (const [i, verdict] of [...known, ...fresh].entries()) {
        count(confusion, batch[i].expected, verdict);
      }
      rows += known.length + fresh.length;
      stopHere(job.stop, `Judging ${job.input} (${rows} of ${total} rows are done)`);
      job.progress.update(Math.max(rows, done.length));
    }
    await file.sync();
  } finally {
    await file.close();
  }
  job.progress.finish(`${rows} rows`);
  renameSync(kept.part, job.output);
  rmSync(kept.job);
  return { rows, resumed: done.length, confusion };
}

/** One line of the output; `id` is JSON already. */
interface Line extends Verdict {
  id: string;
}

function lineText({ id, verdict, reason, rung }: Line): string {
  return `{"id":${id},${JSON.stringify({ verdict, reason, rung }).slice(1)}\n`;
}

/** Writes the verdicts in order as they come; gives those that were written, which are all unless a stop was asked for. */
async function judged(
  batch: readonly Row[],
  { verifiers, stop }: VerdictJob,
  write: (lines: readonly Line[]) => ReturnType<FileHandle['appendFile']>,
): Promise<Verdict['verdict'][]> {
  const lines: (Line | undefined)[] = batch.map(() => undefined);
  const work = Promise.all(
    batch.map(async ({ id, gold, response, source }, i) => {
      const [{ verdict, reason, rung }] = await verifiers
        .of(source ?? undefined)
        .verify(gold, [response]);
      lines[i] = { id, verdict, reason, rung };
    }),
  );
  const written: Line[] = [];
  do {
    await aWhile(work, stop);
    const next = lines.indexOf(undefined, written.length);
    const fresh = lines
      .slice(written.length, next < 0 ? undefined : next)
      .flatMap((line) => line ?? []);
    await write(fresh);
    written.push(...fresh);
  } while (written.length < batch.length && !stop.aborted);
  return written.map(({ verdict }) => verdict);
}

/** Until `work` is done, a stop is asked for, or what there is should be written down. */
async function aWhile(work: Promise<unknown>, stop: AbortSignal): Promise<void> {
  const done = new AbortController();
  const signal = AbortSignal.any([stop, done.signal]);
  await Promise.race([work, wait(keepMs, undefined, { signal }).catch(() => {})]);
  done.abort();
}

function count(
  confusion: Confusion,
  expected: string | null | undefined,
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
async function countedRows({ input, stop }: VerdictJob): Promise<number> {
  let rows = 0;
  for await (const _ of rowsOf(input)) {
    stopHere(stop, `Reading ${input}`);
    rows++;
  }
  return rows;
}

/** What an unfinished job leaves beside its output: the verdicts, and what they are verdicts on. */
interface Kept {
  part: string;
  job: string;
}

/** The input may not be what is written or removed, under whatever name. */
function checkPlaces({ input, output }: VerdictJob, kept: Kept): void {
  const taken = [output, kept.part, kept.job].find((path) => isSameFile(input, path));
  if (taken !== undefined) {
    throw new UserError({
      wanted: 'an output beside the input',
      found: `the input itself, which would be ${taken === output ? 'overwritten' : 'removed'}`,
      where: `--out ${output}`,
      fix: 'Name another file.',
    });
  }
  if (existsSync(output) && !statSync(output).isFile()) {
    throw new UserError({ wanted: 'a file to write', found: 'no file', where: `--out ${output}` });
  }
}

function isSameFile(one: string, other: string): boolean {
  if (!existsSync(one) || !existsSync(other)) return false;
  const [a, b] = [one, other].map((path) => statSync(path, { bigint: true }));
  return a.dev === b.dev && a.ino === b.ino;
}

function makeFolder(output: string): void {
  const folder = dirname(output);
  const wanted = 'a folder for the verdicts';
  try {
    makeFolders(folder);
  } catch (error) {
    throw new UserError({ wanted, found: errorCode(error), where: folder }, { cause: error });
  }
  if (statSync(folder).isDirectory()) return;
  throw new UserError({ wanted, found: 'a file', where: folder });
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

const lineSchema = z.object({ verdict: z.enum(['right', 'wrong', 'undecided']) });

/**
 * What an interrupted run of the same job left; from the first line on that is not whole it is cut off. What another
 * job left is thrown away.
 */
async function keptVerdicts(
  kept: Kept,
  identity: Record<string, string>,
): Promise<Verdict['verdict'][]> {
  const text = JSON.stringify(identity);
  if (!existsSync(kept.job) || !existsSync(kept.part) || readFileSync(kept.job, 'utf8') !== text) {
    rmSync(kept.part, { force: true });
    writeWhole(kept.job, text);
    return [];
  }
  const verdicts: Verdict['verdict'][] = [];
  const { size } = statSync(kept.part);
  let whole = 0;
  const settings = { maxBytes: maxKeptBytes, quoted: false, delimiter: 44 };
  for await (const { bytes } of cutRecords(createReadStream(kept.part), settings)) {
    const line = lineSchema.safeParse(parsed(bytes.toString('utf8')));
    if (!line.success || whole + bytes.length + 1 > size) break;
    whole += bytes.length + 1;
    verdicts.push(line.data.verdict);
  }
  truncateSync(kept.part, whole);
  return verdicts;
}

/** An id may be as long as a line of the input, six times that when it is escaped. */
const maxKeptBytes = 128 * 2 ** 20;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
