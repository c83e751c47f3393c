/**
 * What training runs log, read as it grows: each log from where the last reading ended, up to its last whole line.
 *
 * A log that was cut (a run that goes on from a checkpoint writes it anew) is read from its start under a new epoch.
 * Knows nothing of the database or of HTTP.
 */
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../core/files.ts';

const measured = z
  .number()
  .nullish()
  .transform((value) => value ?? null);

const stepSchema = z.object({
  step: z.int(),
  reward: measured,
  frac_reward_zero_std: measured,
  entropy: measured,
  'completions/mean_length': measured,
  labels_used: measured,
  num_tokens: z.number().catch(0),
  rollouts: z.number().catch(0),
  seconds: z.number().catch(0),
});
export type LoggedStep = z.infer<typeof stepSchema>;

const evaluationSchema = z.object({
  step: z.int(),
  average: measured,
  greedy: measured,
  rollouts: z.number().catch(0),
  labels: z.number().catch(0),
});
export type LoggedEvaluation = z.infer<typeof evaluationSchema>;

/** Names that `train.run` takes; a name from the database becomes part of a path only if it is one. */
const RUN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** A log of JSON lines with a step, ascending. */
class Tail<T extends { step: number }> {
  readonly records: T[] = [];
  /** Goes up when what was read before no longer counts. */
  epoch = 0;
  private offset = 0;
  /** The file that was read: one that replaced it has another inode or time of birth. */
  private file = '';
  private readonly path: string;
  private readonly schema: z.ZodType<T>;

  constructor(path: string, schema: z.ZodType<T>) {
    this.path = path;
    this.schema = schema;
  }

  /** Reads what was added. A log that is not there yet, or no longer, is empty. */
  async refresh(): Promise<void> {
    const found = await stat(this.path).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return null;
      throw error;
    });
    const file = found === null ? '' : `${found.ino}.${found.birthtimeMs}`;
    if (found === null || file !== this.file || found.size < this.offset) this.restart();
    if (found === null) return;
    this.file = file;
    if (found.size > this.offset) this.take(await readFrom(this.path, this.offset, found.size));
  }

  private take(bytes: Buffer): void {
    // The last line may be half written: it is read again when it is whole.
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.offset += end;
    for (const line of bytes.toString('utf8', 0, end).split('\n')) {
      const record = this.schema.safeParse(parseLine(line)).data;
      if (record === undefined) continue;
      const last = this.records.at(-1);
      if (last !== undefined && record.step <= last.step) this.rewind(record.step);
      this.records.push(record);
    }
  }

  /** A step that comes again was made again: what was logged from it on does not count. */
  private rewind(step: number): void {
    const kept = this.records.findIndex((record) => record.step >= step);
    this.records.length = kept;
    this.epoch++;
  }

  private restart(): void {
    if (this.records.length > 0) this.epoch++;
    this.records.length = 0;
    this.offset = 0;
    this.file = '';
  }
}

async function readFrom(path: string, from: number, to: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(to - from);
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, from + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    await file.close();
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** What one run logged so far. The arrays are the reader's own: do not keep them. */
export interface RunCurves {
  steps: readonly LoggedStep[];
  evaluations: readonly LoggedEvaluation[];
  /** Equal versions have equal points; `behind` understands it. */
  version: string;
}

/** Which points come behind a version; null where all of them count anew. */
export function behind(now: string, before: string): { steps: number; evaluations: number } | null {
  const [epoch, ...counts] = before.split(':');
  const [steps, evaluations] = counts.map(Number);
  if (epoch !== now.split(':')[0] || !Number.isInteger(steps) || !Number.isInteger(evaluations)) {
    return null;
  }
  return { steps, evaluations };
}

/** Reads the logs of the runs in a workspace, each reading from where the last one ended. */
export class RunReader {
  private readonly folder: string;
  /** Tells this reader's versions from those of one before it. */
  private readonly born: string;
  private readonly tails = new Map<
    string,
    { metrics: Tail<LoggedStep>; evaluations: Tail<LoggedEvaluation> }
  >();
  private last: Promise<unknown> = Promise.resolve();

  /** `born`: a number that no earlier reader had, such as the time. */
  constructor(workspace: string, born: number) {
    this.folder = join(workspace, 'runs');
    this.born = born.toString(36);
  }

  /** null for a name that no run can have. */
  async read(run: string): Promise<RunCurves | null> {
    if (!RUN_NAME.test(run)) return null;
    const tails = this.tailsOf(run);
    // One reading at a time: two of one log would take the same lines twice.
    const done = this.last.then(async () => {
      await tails.metrics.refresh();
      await tails.evaluations.refresh();
    });
    this.last = done.catch(() => undefined);
    await done;
    const { metrics, evaluations } = tails;
    return {
      steps: metrics.records,
      evaluations: evaluations.records,
      version: `${this.born}-${metrics.epoch}-${evaluations.epoch}:${metrics.records.length}:${evaluations.records.length}`,
    };
  }

  private tailsOf(run: string) {
    const before = this.tails.get(run);
    if (before !== undefined) return before;
    const folder = join(this.folder, run);
    const tails = {
      metrics: new Tail(join(folder, 'metrics.jsonl'), stepSchema),
      evaluations: new Tail(join(folder, 'evaluations.jsonl'), evaluationSchema),
    };
    this.tails.set(run, tails);
    return tails;
  }
}
