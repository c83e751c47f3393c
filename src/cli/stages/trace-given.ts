/**
 * Tracing responses that were generated elsewhere, from a file. What a batch of lines gave is in the database before
 * the next is read; a job that was stopped reads the file again and goes on with the lines that are missing.
 */
import { rmSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { type Progress, stopHere } from '../../core/progress.ts';
import { WholeFile } from '../../pool/output.ts';
import type { Place, Prompt } from '../../pool/types.ts';
import type { SensitivityRow, TraceManifest } from '../../trace/index.ts';
import type { Policy } from '../../train/policy.ts';
import {
  type Backend,
  type NumberedResponse,
  withoutWeights,
  withWeights,
} from './given-backends.ts';
import {
  type GivenRow,
  givenRows,
  inBatches,
  PromptMatcher,
  type Refuse,
  SampleNumbers,
} from './given-rows.ts';
import { poolPrompts } from './observations.ts';
import { spread } from './trace-profile.ts';
import type { RecordStage } from './trace-record.ts';
import { keepTraceSource, type TraceSource } from './trace-source.ts';

export interface GivenStage extends RecordStage {
  /** null: there are no weights, and what came along with the responses is all that is known of them. */
  policy: Policy | null;
  progress: Progress;
  stop: AbortSignal;
  file: string;
  /** Where the file came from. */
  source: Pick<TraceSource, 'engine' | 'name'>;
  /** Responses from this number on are recorded and not traced; left out: all are traced. */
  untracedFrom?: number;
}

export interface GivenOutcome {
  /** null: nothing was traced. */
  manifest: TraceManifest | null;
  sensitivity: SensitivityRow[];
  /** Prompts with a response in the file. */
  prompts: number;
  /** Responses and tokens of this call; what was there before is not counted. */
  responses: number;
  tokens: number;
  /** Prompts of the pool without a response in the file, and one of them. */
  without: { count: number; example: string | null };
  /** Prompts with fewer responses than `trace.traces_per_prompt`, those without one among them. */
  short: number;
  rejected: number;
  /** The first few of them. */
  rejects: { at: Place; reason: string }[];
  rejectsFile: string | null;
  /** As in TraceSource. */
  models: Record<string, number>;
  /** As in Backend. */
  drift: number | null;
}

/** Lines that are read at a time. */
const BATCH = 64;
/** Tokens after which what was traced is written: what is lost at most when the job is killed. */
const CHUNK_TOKENS = 32_768;
const SHOWN_REJECTS = 5;
/** Refused lines that are held in memory. */
const MOST_REFUSED = 10_000;

/**
 * Traces the responses in `file` that are not there yet, sets the threshold over the whole round and writes the
 * manifest. UserError where no line is a response to a prompt of the pool, and where a response was traced before under
 * the number of another.
 */
export async function traceRollouts(stage: GivenStage): Promise<GivenOutcome> {
  const { policy, progress, store, round, source } = stage;
  const prompts = await poolPrompts(stage.store);
  const matcher = new PromptMatcher(prompts);
  const first = await survey(stage, matcher);
  const backend =
    policy === null
      ? withoutWeights(stage)
      : await withWeights(stage, policy, () => profileRows(stage, matcher, prompts, first.lines));
  // Who wants more responses has to know where these are from, also when this call is killed.
  const begun = { ...source, weights: policy !== null, models: {}, without: 0 };
  await keepTraceSource(store, round, begun);
  const pass = new Pass(stage, backend);
  progress.start(policy === null ? 'record' : 'trace', first.rows, 'responses');
  const done = await pass.all(givenRows(stage.file, matcher, ...pass.limits()));
  const manifest = await backend.finish();
  const counts = prompts.map(({ id }) => pass.numbers.count(id));
  const missing = prompts.filter((_, i) => counts[i] === 0);
  const { traces_per_prompt: wanted } = stage.config.trace;
  await keepTraceSource(store, round, { ...begun, models: done.models, without: missing.length });
  const taken = Object.values(done.models).reduce((sum, count) => sum + count, 0);
  progress.finish(`${taken} responses from ${source.name}`);
  return {
    ...done,
    manifest,
    sensitivity: backend.sensitivity,
    drift: backend.drift(),
    prompts: prompts.length - missing.length,
    without: { count: missing.length, example: missing.at(0)?.id ?? null },
    short: counts.filter((count) => count < wanted).length,
  };
}

/** Records the responses to these prompts that are not there; the threshold of the round stays as it is. */
export async function recordMore(stage: GivenStage, promptIds: ReadonlySet<string>): Promise<void> {
  const { policy, progress } = stage;
  const matcher = new PromptMatcher(await poolPrompts(stage.store));
  const backend =
    policy === null ? withoutWeights(stage) : await withWeights(stage, policy, async () => []);
  const pass = new Pass(stage, backend);
  const rows = givenRows(stage.file, matcher, ...pass.limits());
  progress.start('record', undefined, 'responses');
  const { responses } = await pass.all(only(rows, promptIds));
  progress.finish(`${responses} more responses of ${promptIds.size} prompts`);
}

async function* only(
  rows: AsyncIterable<GivenRow>,
  promptIds: ReadonlySet<string>,
): AsyncGenerator<GivenRow> {
  for await (const row of rows) if (promptIds.has(row.prompt.id)) yield row;
}

/** How many rows are responses to prompts of the pool, and the line of the first of each prompt. */
async function survey(
  { file, config }: GivenStage,
  matcher: PromptMatcher,
): Promise<{ rows: number; lines: Map<string, number> }> {
  const lines = new Map<string, number>();
  const refused: string[] = [];
  let bad = 0;
  const refuse: Refuse = ({ line }, reason) => {
    bad++;
    if (refused.length < SHOWN_REJECTS) refused.push(`line ${line}: ${reason}`);
  };
  let rows = 0;
  for await (const { prompt, at } of givenRows(file, matcher, config.pool.max_line_bytes, refuse)) {
    rows++;
    if (!lines.has(prompt.id)) lines.set(prompt.id, at.line);
  }
  if (rows > 0) return { rows, lines };
  throw new UserError({
    wanted: 'responses to prompts of the pool',
    found: bad === 0 ? 'an empty file' : `${bad} lines that are none (${refused.join('; ')})`,
    where: file,
    fix: 'A line is {"id": ..., "response": ...}; docs/guide/foreign-rollouts.md tells all of it.',
  });
}

/** One response each of prompts that are spread over the pool. */
async function profileRows(
  { file, config }: GivenStage,
  matcher: PromptMatcher,
  prompts: readonly Prompt[],
  lines: ReadonlyMap<string, number>,
): Promise<GivenRow[]> {
  const there = prompts.filter(({ id }) => lines.has(id));
  const chosen = spread(there, config.trace.profile_prompts).map(({ id }) => lines.get(id));
  const wanted = new Set(chosen);
  const rows: GivenRow[] = [];
  for await (const row of givenRows(file, matcher, config.pool.max_line_bytes, () => {})) {
    if (wanted.has(row.at.line)) rows.push(row);
    if (rows.length === wanted.size) break;
  }
  return rows;
}

type Done = Pick<
  GivenOutcome,
  'responses' | 'tokens' | 'models' | 'rejected' | 'rejects' | 'rejectsFile'
>;

/** One reading of the file that records what is not there. */
class Pass {
  readonly numbers = new SampleNumbers();
  private readonly stage: GivenStage;
  private readonly backend: Backend;
  private readonly rejected: WholeFile;
  private readonly done: Done;
  private seen = 0;
  /** Lines that are not yet in the file of rejects. */
  private refused: { at: Place; reason: string; raw: string }[] = [];

  constructor(stage: GivenStage, backend: Backend) {
    this.stage = stage;
    this.backend = backend;
    const path = join(stage.config.workspace, 'rejects', `rollouts-${nameOf(stage.file)}.jsonl`);
    this.rejected = new WholeFile(path, 0o600);
    const counts = { responses: 0, tokens: 0, rejected: 0 };
    this.done = { ...counts, rejects: [], rejectsFile: null, models: {} };
  }

  limits(): [number, Refuse] {
    return [
      this.stage.config.pool.max_line_bytes,
      (at, reason, raw) => this.refuse(at, reason, raw),
    ];
  }

  async all(rows: AsyncIterable<GivenRow>): Promise<Done> {
    try {
      for await (const batch of inBatches(rows, BATCH)) {
        stopHere(this.stage.stop, 'Tracing');
        await this.batch(batch);
      }
      this.setAside();
      if (this.done.rejected > 0) {
        this.rejected.commit();
        this.done.rejectsFile = this.rejected.path;
      } else {
        this.rejected.abort();
        rmSync(this.rejected.path, { force: true });
      }
      return this.done;
    } catch (error) {
      this.rejected.abort();
      throw error;
    }
  }

  private async batch(rows: readonly GivenRow[]): Promise<void> {
    const missing = await this.missing(await this.numbered(rows));
    const { untracedFrom = Number.POSITIVE_INFINITY } = this.stage;
    for (const traced of [true, false]) {
      const own = missing.filter(({ sample }) => sample < untracedFrom === traced);
      for (const chunk of chunksOf(own)) {
        stopHere(this.stage.stop, 'Tracing');
        await this.record(chunk, traced);
      }
    }
    this.setAside();
    this.seen += rows.length;
    this.stage.progress.update(this.seen, { tokens: this.done.tokens });
  }

  private async record(chunk: readonly NumberedResponse[], traced: boolean): Promise<void> {
    const { done } = this;
    const before = done.tokens;
    await this.backend.record(chunk, traced, (count, tokens) => {
      this.stage.progress.update(this.seen + count, { tokens: before + tokens });
    });
    done.responses += chunk.length;
    for (const { row, tokens } of chunk)
      done.tokens += tokens.length > 0 ? tokens.length : (row.response.logprobs?.length ?? 0);
  }

  private async numbered(rows: readonly GivenRow[]): Promise<NumberedResponse[]> {
    const read = await this.backend.read(rows);
    return rows.flatMap((row, i): NumberedResponse[] => {
      const { at, raw, prompt, response } = row;
      const one = read[i];
      if ('reason' in one) {
        this.refuse(at, one.reason, raw);
        return [];
      }
      const sample = this.numbers.take(prompt.id, response.sample);
      if (sample === null) {
        const which = `sample ${response.sample} of ${JSON.stringify(prompt.id)}`;
        this.refuse(at, `${which} came before`, raw);
        return [];
      }
      const model = response.model ?? '';
      this.done.models[model] = (this.done.models[model] ?? 0) + 1;
      return [{ row, sample, ...one }];
    });
  }

  /** Those that are not in the store. UserError where another response is there in place of one. */
  private async missing(given: readonly NumberedResponse[]): Promise<NumberedResponse[]> {
    const { store, round, policy, untracedFrom = Number.POSITIVE_INFINITY } = this.stage;
    const ids = [...new Set(given.map(({ row }) => row.prompt.id))];
    const traced = await store.traces.samples(round, ids);
    const stored = new Map(
      (await store.rollouts.of(round, ids)).map((one) => [keyOf(one.promptId, one.sample), one]),
    );
    return given.filter(({ row, sample, text, tokens }) => {
      const { id } = row.prompt;
      const there = stored.get(keyOf(id, sample));
      if (there === undefined) return true;
      const needsTrace = policy !== null && sample < untracedFrom;
      if (needsTrace && traced.get(id)?.has(sample) !== true) return true;
      const same = policy === null ? there.text === text : equal(there.tokens, tokens);
      if (same) return false;
      throw new UserError({
        wanted: `the response that was recorded before as sample ${sample} of ${JSON.stringify(id)}`,
        found: 'another one',
        where: `${row.at.file}:${row.at.line}`,
        fix: 'With --fresh the traces are forgotten first. Responses that come beside earlier ones need `sample` numbers of their own.',
      });
    });
  }

  private refuse(at: Place, reason: string, raw: string): void {
    this.refused.push({ at, reason, raw: raw.slice(0, 500) });
    if (this.refused.length === MOST_REFUSED) this.setAside();
  }

  /** In the order of the file: a line is read before others are known to be too long. */
  private setAside(): void {
    const { done } = this;
    for (const { at, reason, raw } of this.refused.sort((a, b) => a.at.line - b.at.line)) {
      this.rejected.line({ ...at, reason, raw });
      if (done.rejects.length < SHOWN_REJECTS) done.rejects.push({ at, reason });
    }
    done.rejected += this.refused.length;
    this.refused = [];
  }
}

function* chunksOf(given: readonly NumberedResponse[]): Generator<NumberedResponse[]> {
  let chunk: NumberedResponse[] = [];
  let tokens = 0;
  for (const one of given) {
    chunk.push(one);
    tokens += one.tokens.length;
    if (tokens < CHUNK_TOKENS) continue;
    yield chunk;
    [chunk, tokens] = [[], 0];
  }
  if (chunk.length > 0) yield chunk;
}

const keyOf = (promptId: string, sample: number) => JSON.stringify([promptId, sample]);

function equal(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

/** `out.jsonl` is `out`; characters that no file name should have become dashes. */
function nameOf(file: string): string {
  return basename(file, extname(file))
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 80);
}
