// Takes pool files in: merges duplicates, sets bad rows aside, seals the answers in a file of their own, and hands the
// prompts on. Knows nothing of the store; the sink gets prompts only, never an answer.
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.ts';
import { contentHash, normalSpace } from './content.ts';
import { WholeFile } from './output.ts';
import { readPool } from './read.ts';
import type { Place, PoolOptions, PoolPrompt, PoolReject, PoolRow } from './types.ts';

export interface IngestOptions extends PoolOptions {
  /** Folder for `answers/<name>.jsonl` and `rejects/<name>.jsonl`. */
  workspace: string;
  /** Name of the pool: letters, digits, `.`, `_` and `-`. */
  name: string;
  /** Most prompts handed to the sink at a time. Default 1000; fewer where they are large. */
  batch?: number;
}

/** Takes the prompts, in the order of the rows. Called again only when the last call is done. */
export type PromptSink = (prompts: PoolPrompt[]) => Promise<void>;

/** Two rows with the same content. */
export interface Duplicate {
  /** The prompt that stays: the first one. */
  id: string;
  at: Place;
  /** Both rows have an answer, and they differ as text; the first one stays. */
  conflict: boolean;
}

/** What came in. Lists hold the first 100 entries, counts hold all. */
export interface IngestSummary {
  /** Prompts that went in. */
  rows: number;
  /** Rows that were merged into an earlier one. */
  merged: number;
  /** Merged rows whose answer differs from the one that stays. */
  conflicts: number;
  /** Rows set aside. */
  rejected: number;
  /** Prompts with a sealed answer. */
  answers: number;
  /** Columns kept out of the metadata because they may hold the answer, sorted. */
  withheld: string[];
  duplicates: Duplicate[];
  rejects: PoolReject[];
  answersFile: string;
  /** Null where no row was set aside. */
  rejectsFile: string | null;
}

const maxListed = 100;

/** Characters of prompts, images included, that are held before they are handed on. */
const batchChars = 32 * 2 ** 20;

/**
 * Reads `paths` in order and hands every new prompt to `sink`. Memory: about 200 bytes per prompt for the hashes that
 * find duplicates, and one batch. Both files appear when all is read and the sink has taken everything; on any error
 * neither changes. An earlier file of the same name is replaced. The caller holds the sink's transaction open until this
 * returns; a crash between leaves an answers file that running the same command again replaces.
 *
 * UserError: no row went in, wrong columns, unreadable files, an unwritable workspace.
 */
export async function ingest(
  paths: readonly string[],
  options: IngestOptions,
  sink: PromptSink,
): Promise<IngestSummary> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/u.test(options.name)) {
    throw new UserError({
      wanted: 'a pool name of letters, digits, ".", "_" and "-"',
      found: JSON.stringify(options.name),
    });
  }
  const intake = new Intake(options, sink);
  try {
    for (const path of paths) {
      for await (const entry of readPool(path, options)) {
        if (entry.kind === 'row') await intake.row(entry);
        else intake.reject(entry);
      }
    }
    return await intake.finish(paths);
  } catch (error) {
    intake.abort();
    throw error;
  }
}

/** What is remembered of a prompt that went in. */
interface Known {
  id: string;
  /** Hash of the normalised answer, or undefined where it has none yet. */
  answer: string | undefined;
}

class Intake {
  private readonly answers: WholeFile;
  private readonly rejects: WholeFile;
  private readonly sink: PromptSink;
  private readonly batchSize: number;
  private readonly byContent = new Map<string, Known>();
  private readonly ids = new Set<string>();
  private readonly withheld = new Set<string>();
  private batch: PoolPrompt[] = [];
  private chars = 0;
  private readonly summary: IngestSummary;

  constructor(options: IngestOptions, sink: PromptSink) {
    const file = `${options.name}.jsonl`;
    this.sink = sink;
    this.batchSize = options.batch ?? 1000;
    this.answers = new WholeFile(join(options.workspace, 'answers', file), 0o600);
    try {
      this.rejects = new WholeFile(join(options.workspace, 'rejects', file), 0o600);
    } catch (error) {
      this.answers.abort();
      throw error;
    }
    this.summary = {
      ...{ rows: 0, merged: 0, conflicts: 0, rejected: 0, answers: 0 },
      ...{ withheld: [], duplicates: [], rejects: [] },
      answersFile: this.answers.path,
      rejectsFile: null,
    };
  }

  async row(row: PoolRow): Promise<void> {
    const { prompt, answer, at } = row;
    for (const column of row.withheld) this.withheld.add(column);
    const content = contentHash(prompt.prompt);
    const known = this.byContent.get(content);
    if (known !== undefined) {
      this.merge(known, answer, at);
      return;
    }
    if (this.ids.has(prompt.id)) {
      const reason = `the id ${JSON.stringify(prompt.id)} belongs to another prompt already`;
      this.reject({ kind: 'reject', at, reason, raw: JSON.stringify(prompt).slice(0, 500) });
      return;
    }
    const fresh: Known = { id: prompt.id, answer: undefined };
    this.byContent.set(content, fresh);
    this.ids.add(prompt.id);
    this.seal(fresh, answer);
    this.summary.rows++;
    this.batch.push(prompt);
    this.chars += JSON.stringify(prompt).length;
    if (this.batch.length >= this.batchSize || this.chars >= batchChars) await this.handOn();
  }

  reject(entry: PoolReject): void {
    const { file, line } = entry.at;
    this.rejects.line({ file, line, reason: entry.reason, raw: entry.raw });
    this.summary.rejected++;
    if (this.summary.rejects.length < maxListed) this.summary.rejects.push(entry);
  }

  async finish(paths: readonly string[]): Promise<IngestSummary> {
    const { summary } = this;
    if (summary.rows === 0) throw emptyPool(paths, summary);
    if (this.batch.length > 0) await this.handOn();
    this.answers.commit();
    if (summary.rejected > 0) {
      this.rejects.commit();
      summary.rejectsFile = this.rejects.path;
    } else {
      this.rejects.abort();
      rmSync(this.rejects.path, { force: true });
    }
    return { ...summary, withheld: [...this.withheld].sort() };
  }

  abort(): void {
    this.answers.abort();
    this.rejects.abort();
  }

  private merge(known: Known, answer: string | undefined, at: Place): void {
    const conflict =
      answer !== undefined && known.answer !== undefined && hashed(answer) !== known.answer;
    if (known.answer === undefined) this.seal(known, answer);
    this.summary.merged++;
    if (conflict) this.summary.conflicts++;
    if (this.summary.duplicates.length < maxListed) {
      this.summary.duplicates.push({ id: known.id, at, conflict });
    }
  }

  private seal(known: Known, answer: string | undefined): void {
    if (answer === undefined) return;
    known.answer = hashed(answer);
    this.answers.line({ id: known.id, answer });
    this.summary.answers++;
  }

  private async handOn(): Promise<void> {
    const batch = this.batch;
    this.batch = [];
    this.chars = 0;
    await this.sink(batch);
  }
}

function hashed(answer: string): string {
  return createHash('sha256').update(normalSpace(answer)).digest('base64').slice(0, 22);
}

function emptyPool(paths: readonly string[], summary: IngestSummary): UserError {
  const bad = summary.rejects
    .slice(0, 3)
    .map(({ at, reason }) => `${at.file}:${at.line}: ${reason}`);
  return new UserError({
    wanted: 'a pool with at least one good row',
    found:
      summary.rejected === 0
        ? 'no rows'
        : `only rows that were refused (${summary.rejected}): ${bad.join('; ')}`,
    where: paths.join(', '),
  });
}
