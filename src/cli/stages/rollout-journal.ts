/**
 * Responses as an endpoint makes them, a line each in a file that grows: nothing that was paid for is asked for again.
 * The lines are those of docs/guide/foreign-rollouts.md. Knows nothing of how they are made.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { z } from 'zod';
import { differences } from '../../core/differences.ts';
import { UserError } from '../../core/errors.ts';
import { readJson, writeWhole } from '../../core/files.ts';
import { readObjects } from '../../pool/read.ts';

export interface JournalLine {
  id: string;
  sample: number;
  response: string;
  tokens?: readonly number[];
  logprobs?: readonly number[];
  entropies?: readonly number[];
  finish: 'stop' | 'length';
  model: string;
}

const keySchema = z.object({ id: z.string(), sample: z.int() });

export class RolloutJournal {
  readonly path: string;
  private readonly file: number;
  private readonly there: Map<string, Set<number>>;

  private constructor(path: string, file: number, there: Map<string, Set<number>>) {
    this.path = path;
    this.file = file;
    this.there = there;
  }

  /**
   * Opens the journal of responses that were `asked` for like this; begins a new one where `fresh` is and the old one
   * was asked for otherwise. UserError for an old one that was asked for otherwise, with the difference.
   */
  static async open(
    path: string,
    asked: Readonly<Record<string, unknown>>,
    fresh: boolean,
  ): Promise<RolloutJournal> {
    const about = `${path}.asked.json`;
    const before = existsSync(path) && existsSync(about) ? readJson(about) : undefined;
    const changed = before === undefined ? [] : differences(before, asked);
    if (changed.length > 0 && !fresh) {
      throw new UserError({
        wanted: 'the endpoint and sampling that the responses there were made with',
        found: changed.slice(0, 5).join('; '),
        where: path,
        fix: '`pivottrace trace --engine endpoint --fresh` begins again and pays again.',
      });
    }
    if (changed.length > 0) rmSync(path, { force: true });
    if (before === undefined || changed.length > 0) writeWhole(about, `${JSON.stringify(asked)}\n`);
    const file = openSync(path, 'a+', 0o600);
    cutTornLine(file);
    return new RolloutJournal(path, file, await keysIn(path));
  }

  /** Sample numbers of the prompt that are there. */
  samples(promptId: string): ReadonlySet<number> {
    return this.there.get(promptId) ?? new Set();
  }

  /** Prompts with a response. */
  get size(): number {
    return this.there.size;
  }

  /** Adds lines, which are on the disk when this returns. */
  append(lines: readonly JournalLine[]): void {
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), 'utf8');
    for (let at = 0; at < bytes.length; ) at += writeSync(this.file, bytes, at);
    fsyncSync(this.file);
    for (const { id, sample } of lines)
      this.there.set(id, (this.there.get(id) ?? new Set()).add(sample));
  }

  close(): void {
    closeSync(this.file);
  }
}

/** A process that was killed may have left half a line. */
function cutTornLine(file: number): void {
  const { size } = fstatSync(file);
  const tail = Buffer.alloc(64 * 1024);
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - tail.length);
    const count = readSync(file, tail, 0, end - from, from);
    const at = tail.subarray(0, count).lastIndexOf(0x0a);
    if (at >= 0 || from === 0) {
      const whole = from + at + 1;
      if (whole < size) ftruncateSync(file, whole);
      return;
    }
    end = from;
  }
}

async function keysIn(path: string): Promise<Map<string, Set<number>>> {
  const there = new Map<string, Set<number>>();
  for await (const entry of readObjects(path, { maxLineBytes: 2 ** 30 })) {
    const key = keySchema.safeParse(entry.kind === 'object' ? entry.row : null);
    if (!key.success) continue;
    const { id, sample } = key.data;
    there.set(id, (there.get(id) ?? new Set()).add(sample));
  }
  return there;
}
