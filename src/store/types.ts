/**
 * The database as the rest of the program sees it: one repository per noun, every write in batches
 * and idempotent, so that a job that was killed can repeat its last batch.
 *
 * Knows nothing of SQL or of which engine keeps the rows; it never holds an answer that was not bought.
 */
import type { PoolPrompt } from '../pool/types.ts';
import type { RawTrace } from '../trace/types.ts';
import type { Probe, PromptState, Score, Transition } from '../triage/types.ts';
import type { RolloutSummary } from '../uncertainty/types.ts';
import type { Browse } from './browse-types.ts';
import type { Desk } from './desk.ts';
import type { AuditLog, Invitations, Sessions, Users, Watch } from './users.ts';

/** Which rollout of which prompt. Samples of a prompt in a round count from 0. */
export interface RolloutKey {
  promptId: string;
  sample: number;
}

/** One rollout without its text and tokens. */
export interface RolloutDigest extends RolloutKey, RolloutSummary {
  /** Prompt tokens. */
  promptLength: number;
  /** The final answer read from the text; null where there is none. */
  answer: string | null;
  finish: 'stop' | 'length';
}

/** One whole rollout. */
export interface StoredRollout extends RolloutDigest {
  /** Response text without special tokens. NUL characters are stored as U+FFFD. */
  text: string;
  /** Response tokens, the stop token included; `length` of them. */
  tokens: Int32Array;
}

/** The trace of one rollout, and the changes of its signal where they were computed. */
export interface StoredTrace extends RolloutKey {
  trace: RawTrace;
  /** d_t per response token; null until the signal was chosen. */
  changes: Float32Array | null;
}

export interface TraceChanges extends RolloutKey {
  changes: Float32Array;
}

/** What came of adding prompts. */
export interface AddedPrompts {
  added: number;
  /** Were there already, with the same content. */
  unchanged: number;
  /** Ids that are there with other content; these were not written. */
  conflicts: string[];
}

/** A probe and the round its pass rate was measured in. */
export interface StoredProbe extends Probe {
  round: number;
}

/** Who bought a label, and when. `step` is null before training. */
export interface Purchase {
  run: string | null;
  step: number | null;
}

/** A label in an account. It does not say whether the source erred on purpose: that is for audits. */
export interface OwnedLabel extends Purchase {
  promptId: string;
  answer: string;
  source: string;
  cost: number;
}

/** A label as it is recorded. `noisy`: a simulated annotator gave a wrong answer. */
export interface LabelRecord extends OwnedLabel {
  noisy: boolean;
}

/** A label for the audit. */
export interface AuditedLabel extends LabelRecord {
  /** Milliseconds since 1970; null: it counts. */
  withdrawnAt: number | null;
}

/** The scores of a round as columns, about 8 bytes per score. */
export interface ScoreTable {
  /** All prompts of the pool, in its order. */
  promptIds: string[];
  /** By estimator, in order of name: a value per prompt, NaN where it has none. */
  columns: Map<string, Float64Array>;
}

export interface SavedPlan {
  /** Counts from 1; goes up when the plan is saved with another body. */
  revision: number;
  body: unknown;
}

export type RunStatus = 'running' | 'stopped' | 'done' | 'failed';

/** A training run or another long job. */
export interface Run {
  name: string;
  kind: string;
  status: RunStatus;
  plan: string | null;
  account: string | null;
  config: unknown;
  summary: unknown;
}

export interface Prompts {
  /** Adds prompts that are not there yet, in the order given. */
  add(prompts: readonly PoolPrompt[]): Promise<AddedPrompts>;
  /** All prompts in the order in which they were added, or those of `ids`. */
  list(ids?: readonly string[]): Promise<PoolPrompt[]>;
  /** Those of `ids` that are no prompt of the pool. */
  unknown(ids: readonly string[]): Promise<string[]>;
  count(): Promise<number>;
  /** Ids of those that hold images, in the order in which they were added. */
  withImages(): Promise<string[]>;
}

export interface Rollouts {
  /** Writes or overwrites. */
  put(round: number, rollouts: readonly StoredRollout[]): Promise<void>;
  /** Samples per prompt that are there: what a resumed job need not make again. */
  counts(round: number): Promise<Map<string, number>>;
  /** Responses and their tokens, of the first `samples` of every prompt. */
  totals(round: number, samples: number): Promise<{ responses: number; tokens: number }>;
  /** How many prompts have a sample. */
  sampled(round: number): Promise<number>;
  /** By prompt order, then sample. */
  digests(round: number): Promise<RolloutDigest[]>;
  of(round: number, promptIds: readonly string[]): Promise<StoredRollout[]>;
  /** Forgets a round: rollouts, their traces, and scores. */
  clear(round: number): Promise<void>;
}

export interface Traces {
  /** Writes or overwrites; the rollouts must be there. */
  put(round: number, traces: readonly StoredTrace[]): Promise<void>;
  of(round: number, promptIds: readonly string[]): Promise<StoredTrace[]>;
  /** Traces that have changes, by prompt order, then sample. */
  changes(round: number): Promise<TraceChanges[]>;
  /** Traced rollouts per prompt. */
  counts(round: number): Promise<Map<string, number>>;
  /** Sample numbers of the traced rollouts of these prompts; a prompt without one is left out. */
  samples(round: number, promptIds: readonly string[]): Promise<Map<string, Set<number>>>;
}

export interface Scores {
  /** Writes or overwrites. */
  put(round: number, estimator: string, scores: Iterable<Score>): Promise<void>;
  /** By prompt order. */
  of(round: number, estimator: string): Promise<Score[]>;
  estimators(round: number): Promise<string[]>;
  /** The scores of some prompts, by estimator and prompt. */
  among(round: number, promptIds: readonly string[]): Promise<Map<string, Map<string, number>>>;
  /** All scores of a round over the whole pool. */
  table(round: number): Promise<ScoreTable>;
}

export interface Probes {
  put(plan: string, round: number, probes: readonly Probe[]): Promise<void>;
  /** By prompt order. */
  of(plan: string): Promise<StoredProbe[]>;
}

export interface Plans {
  /**
   * Returns the revision: the same body saved again keeps it. The list `decisions` of the body is kept in pages; where it
   * is long it is handed over by itself, to be gone through once, and the body has an empty one in its place.
   */
  save(name: string, body: unknown, decisions?: Iterable<unknown>): Promise<number>;
  get(name: string): Promise<SavedPlan | undefined>;
  names(): Promise<string[]>;
  /** The decisions of a saved plan, a page of them at a time; nothing where there are none. */
  decisions(name: string): AsyncIterable<unknown[]>;
  /** The JSON text of a saved plan in pieces, its decisions last; nothing where there is none. */
  text(name: string): AsyncIterable<string>;
}

export interface Transitions {
  /**
   * Appends changes of state and moves the routes. A change that was recorded before (same plan, revision,
   * prompt, round, step and new state) is left out; a name without a saved plan has revision 0.
   * Returns how many were new. Outside of a transaction they may be gone through more than once.
   */
  append(transitions: Iterable<Transition>): Promise<number>;
  /**
   * As `append`, for changes that may happen again: one is recorded where its prompt stands in the state that it starts
   * from, and left out elsewhere. Returns how many were recorded.
   */
  move(transitions: readonly Transition[]): Promise<number>;
  /** In the order in which they were appended. */
  of(plan: string): Promise<Transition[]>;
  /** The same as lines of JSON (triage/disk.ts), a page of them at a time. */
  lines(plan: string): AsyncIterable<string[]>;
  /** Where every prompt of the plan stands now, by prompt order. */
  routes(plan: string): Promise<Map<string, PromptState>>;
}

/** A purchase that would take an account over its limit; nothing was recorded. */
export class BudgetExceeded extends Error {
  constructor(account: string, limit: number, wouldOwn: number) {
    super(`account '${account}' may own ${limit} labels and would own ${wouldOwn}`);
    this.name = 'BudgetExceeded';
  }
}

export interface Labels {
  /**
   * Records labels in an account. One that is there (same prompt and source) is left as it is.
   * With a `limit` the account never holds more prompts with a label than that: the whole call is
   * refused (BudgetExceeded). Returns how many were new.
   */
  add(account: string, labels: readonly LabelRecord[], limit?: number): Promise<number>;
  /** The labels of an account, or those for `promptIds`, in the order in which they were bought. */
  owned(account: string, promptIds?: readonly string[]): Promise<OwnedLabel[]>;
  /**
   * Takes a label back: it is neither owned nor counted from then on, and stays for the audit. A run that has used it
   * keeps its history. false where there is none.
   */
  withdraw(account: string, promptId: string, source: string, at: number): Promise<boolean>;
  /** Puts back what was taken back from a prompt at this time. Returns how many labels. */
  restore(account: string, promptId: string, at: number): Promise<number>;
  /** How many prompts of the account have a label. */
  count(account: string): Promise<number>;
  /** All that were ever recorded, with `noisy`, for reports about the annotators; no reward may read it. */
  audit(account: string): Promise<AuditedLabel[]>;
  accounts(): Promise<string[]>;
}

export interface Runs {
  /** Writes or overwrites. */
  put(run: Run): Promise<void>;
  get(name: string): Promise<Run | undefined>;
  /** By name. */
  list(): Promise<Run[]>;
}

export interface Meta {
  put(key: string, value: unknown): Promise<void>;
  /** undefined where nothing was put, or null. */
  get(key: string): Promise<unknown>;
}

export interface Repositories {
  readonly prompts: Prompts;
  readonly rollouts: Rollouts;
  readonly traces: Traces;
  readonly scores: Scores;
  readonly probes: Probes;
  readonly plans: Plans;
  readonly transitions: Transitions;
  readonly labels: Labels;
  readonly desk: Desk;
  readonly runs: Runs;
  readonly meta: Meta;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly invitations: Invitations;
  readonly auditLog: AuditLog;
  readonly watch: Watch;
  /** Pages and sums for people who look around. */
  readonly browse: Browse;
}

/** One row of a table as plain JSON; bytes as hexadecimal text. */
export interface DumpedRow {
  table: string;
  row: Record<string, unknown>;
}

export interface Store extends Repositories {
  /**
   * All of `work` or nothing. Inside use only the repositories handed to it: the store itself
   * waits until the transaction is over.
   */
  transaction<T>(work: (repositories: Repositories) => Promise<T>): Promise<T>;
  /**
   * Has the database look at its tables anew: it plans its work by what it last saw of them, and an embedded one never looks by
   * itself. To be called when many rows have come in.
   */
  refresh(): Promise<void>;
  /** Every row of every table, tables by name and rows by key: for comparing databases. */
  dump(): AsyncIterable<DumpedRow>;
  close(): Promise<void>;
}
