/**
 * Shapes of dynamic routing: settings, what a training step tells, and the state a checkpoint keeps.
 */
import type { PromptState } from './types.ts';

export interface DynamicSettings {
  /** Labels that may be used in all: those owned, those waiting, and those queued later. */
  labels: number;
  /** No transition before this step (cold start: scores are short and flat). */
  warmupSteps: number;
  /** Weight of the old value when a prompt's score is refreshed, 0..1. */
  scoreDecay: number;
  /** Weight of the old value when a threshold moves, per step, 0..1. */
  thresholdDecay: number;
  /** Weight of the old value when the common drift of all scores is followed, per step, 0..1. */
  driftDecay: number;
  /** Hysteresis on either side of a threshold, in interquartile ranges of the scores. */
  margin: number;
  /** Visits in a row beyond the margin before a prompt moves. */
  patience: number;
  /** Unanimous visits in a row after which a prompt counts as mastered. */
  masteredVisits: number;
  /** A group whose majority share is below this, and that is not unanimous, disagrees. */
  agreeShare: number;
  /** Disagreeing visits in a row before a label is queued; a label is never unbought, so 1 cannot flap. */
  disagreeVisits: number;
  /** Share of draws that revisits discarded prompts. */
  explore: number;
  /** Draws go with U^power, U = E[mu (1 - mu)]; and this share of them is uniform. */
  power: number;
  uniform: number;
  /** Strength of the plan's expected pass rate, in rollouts. */
  priorStrength: number;
  /** Decay of the observed rollouts' weight per step, 0..1: the policy moves. */
  countDecay: number;
  /** Scores whose interquartile range is at most this share of their scale are flat. */
  flatness: number;
}

/** What a training step saw of one prompt. */
export interface Visit {
  promptId: string;
  /** The plan's estimator on this step's rollouts; left out where they were not traced. */
  score?: number;
  /** Verified share of right answers, for prompts with a label. */
  passRate?: number;
  /** Share of the majority answer, 0..1. */
  voteShare?: number;
  /** Rollouts in the group; 8 when left out. */
  samples?: number;
}

/** One prompt's memory. */
export interface PromptMemory {
  promptId: string;
  state: PromptState;
  /** Moving average of the score, less the common drift. */
  score: number;
  visits: number;
  /** Visits in a row: beyond the lower or upper margin, unanimous, disagreeing. */
  below: number;
  above: number;
  unanimous: number;
  disagreeing: number;
  /** Decayed rollouts that agreed with the label (or the majority), and that did not. */
  hits: number;
  misses: number;
  /** Step of the last decay of hits and misses. */
  seen: number;
  /** Its label is owned, also while it is discarded. */
  owned: boolean;
  /** The label source has no answer: never asked again. */
  refused: boolean;
  /** Prior pass rate of the plan, 0..1. */
  prior: number;
}

/** JSON-serialisable; the same state and inputs give the same decisions. */
export interface DynamicState {
  version: 1;
  plan: string;
  round: number;
  /** The last step that was observed; -1 = none. */
  step: number;
  /** Common drift of the scores since the plan; scores and thresholds below are less this. */
  shift: number;
  thresholds: { low: number; high: number };
  /** Where in the sorted scores the plan cut, 0..1; null = the plan made no such cut. */
  quantiles: { low: number | null; high: number | null };
  /** The plan's scores carry no information (random): only what groups say moves prompts. */
  uninformed: boolean;
  /** Steps since warm-up at which the scores were too flat to cut. */
  flatSteps: number;
  queued: number;
  prompts: PromptMemory[];
}

export interface DynamicReport {
  step: number;
  counts: Record<PromptState, number>;
  thresholds: { low: number; high: number };
  labels: { owned: number; waiting: number; left: number };
  /** Labels queued by the router, over and above the plan's. */
  queued: number;
  coldStart: { warmingUp: boolean; flat: boolean; flatSteps: number; message: string | null };
}
