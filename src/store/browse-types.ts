/**
 * What people who look around read from the database: pages and sums, never a whole table. Nothing here writes.
 *
 * Knows nothing of SQL, of pages in a browser or of what the values mean.
 */
import type { Evidence, Transition } from '../triage/types.ts';
import type { StoredTrace } from './types.ts';

/** A round that was traced. */
export interface TracedRound {
  round: number;
  traces: number;
  /** Response tokens. */
  tokens: number;
}

export interface PromptOrigin {
  id: string;
  source: string;
  metadata: unknown;
}

/** A place in the order of traced responses: by prompt, then sample. */
export interface TracedPlace {
  position: number;
  sample: number;
}

export interface TracedQuery {
  round: number;
  /** The plan whose routes are told. */
  plan: string;
  /** Only of this prompt. */
  promptId: string | null;
  finish: 'stop' | 'length' | null;
  /** State of the prompt in the plan. */
  route: string | null;
  /** Looked for in the id, the prompt and the response, upper and lower case alike; null = everything. */
  text: string | null;
  /** What comes behind this place; null = from the start. */
  after: TracedPlace | null;
  /** Rows at most. */
  limit: number;
  /** Responses looked through at most for one page: what a search may cost. */
  scan: number;
}

export interface TracedRow extends TracedPlace {
  promptId: string;
  source: string;
  /** Response tokens. */
  length: number;
  finish: 'stop' | 'length';
  answer: string | null;
  /** State of the prompt in the plan; null where it has none. */
  route: string | null;
  /** The first 240 characters of the response. */
  beginning: string;
  /** d_t per token; null until the signal was chosen. */
  changes: Float32Array | null;
}

export interface TracedPage {
  rows: TracedRow[];
  /** Where to go on; null at the end. A page may be short, even empty, and yet have more behind it. */
  next: TracedPlace | null;
}

/** Prompts of the pool in one bin of scores, in one state. */
export interface ScoreBin {
  /** Counts from 0. */
  bin: number;
  state: string;
  prompts: number;
}

export interface ScoreHistogram {
  /** Bins are of equal width between the two; the last one also has what lies above. */
  low: number;
  high: number;
  bins: ScoreBin[];
}

/** A prompt whose pass rate was measured before training. */
export interface ProbeOnMap {
  promptId: string;
  score: number;
  passRate: number;
  voteRight: boolean | null;
  state: string | null;
}

/** A prompt that moved while training, as its latest move found it. */
export interface MovedOnMap {
  promptId: string;
  score: number;
  step: number;
  evidence: Evidence;
  state: string | null;
}

export interface TransitionQuery {
  plan: string | null;
  promptId: string | null;
  rule: string | null;
  /** Ordinal to go on from; null = the newest (descending) or the oldest (ascending). */
  from: number | null;
  order: 'newest' | 'oldest';
  limit: number;
}

export interface TransitionEntry extends Transition {
  /** Counts up over all plans. */
  ordinal: number;
  revision: number;
}

/** Labels of one source that were bought at one step of a run; `run` and `step` null before training. */
export interface LabelUse {
  run: string | null;
  step: number | null;
  source: string;
  labels: number;
  cost: number;
}

export interface LabelEntry {
  ordinal: number;
  promptId: string;
  answer: string;
  source: string;
  cost: number;
  run: string | null;
  step: number | null;
}

/** Everything sampled in a round. */
export interface SampledRound {
  round: number;
  prompts: number;
  rollouts: number;
  /** Response tokens. */
  tokens: number;
}

/** Reads for people who look around. */
export interface Browse {
  tracedRounds(): Promise<TracedRound[]>;
  traced(query: TracedQuery): Promise<TracedPage>;
  /** Samples of a prompt that were traced, ascending. */
  tracedSamples(round: number, promptId: string): Promise<number[]>;
  trace(round: number, promptId: string, sample: number): Promise<StoredTrace | undefined>;
  /** Every estimator's score of one prompt, by name. */
  scoresOf(round: number, promptId: string): Promise<{ estimator: string; value: number }[]>;
  /** How often a plan was saved with another body; null where there is none. */
  planRevision(name: string): Promise<number | null>;
  /** A saved plan as JSON with an empty list of decisions: what does not grow with the pool. */
  planWithoutDecisions(name: string): Promise<{ revision: number; body: unknown } | undefined>;
  /** What prompts are told apart by, in the order of the pool, a page at a time. */
  origins(): AsyncIterable<PromptOrigin[]>;
  /** How many prompts come from each source, in the order in which the sources came in. */
  sources(): Promise<{ source: string; prompts: number }[]>;
  /** Where a prompt stands in a plan; null where it has no state there. */
  stateOf(plan: string, promptId: string): Promise<string | null>;
  /** How many prompts of a plan are in each state. */
  states(plan: string): Promise<{ state: string; prompts: number }[]>;
  /** null where the round has no such score. */
  histogram(
    plan: string,
    round: number,
    estimator: string,
    bins: number,
  ): Promise<ScoreHistogram | null>;
  probes(plan: string, round: number, estimator: string, limit: number): Promise<ProbeOnMap[]>;
  /** Prompts that a run moved, the ones moved last first. */
  moved(plan: string, round: number, estimator: string, limit: number): Promise<MovedOnMap[]>;
  transitions(query: TransitionQuery): Promise<TransitionEntry[]>;
  /** Rules under which prompts of a plan (null: any) moved, and how often. */
  rules(plan: string | null): Promise<{ rule: string; moves: number }[]>;
  /** Names that transitions are filed under, whether or not a plan was saved. */
  transitionPlans(): Promise<string[]>;
  /** By run and step, those before training first. */
  labelUse(account: string): Promise<LabelUse[]>;
  /** What people and teachers answered from `since` on, in spans of `width`, both in milliseconds; skips and undone ones left out. */
  answersByTime(
    account: string,
    since: number,
    width: number,
  ): Promise<{ at: number; answers: number }[]>;
  /** Labels of an account behind `after`, in the order in which they came. */
  labels(account: string, after: number, limit: number): Promise<LabelEntry[]>;
  sampledRounds(): Promise<SampledRound[]>;
}
