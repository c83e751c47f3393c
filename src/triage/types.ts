/**
 * What triage decides and why, as data. Knows nothing of the database, of labels' texts or of training.
 */
import type { Interval } from '../stats/types.ts';

export type Route = 'discard' | 'self' | 'annotate';
export type RuleName = 'quota' | 'risk' | 'budget';
/** `annotate` waits for a label; `annotated` has one. */
export type PromptState = 'new' | Route | 'annotated';
export type Evidence = Record<string, number | string | boolean>;

/** value: higher = more uncertain. */
export interface Score {
  promptId: string;
  value: number;
}

/** A prompt annotated for calibration. */
export interface Probe {
  promptId: string;
  /** mu, the share of right answers among its rollouts, 0..1. */
  passRate: number;
  /** Was the majority answer right? null where the rollouts gave no majority. */
  voteRight: boolean | null;
}

/** The scores of one estimator over the whole pool; a large pool makes them as they are gone through. */
export interface ScoreColumn {
  estimator: string;
  scores: Iterable<Score>;
}

/** Shares of the pool; they must add up to 1. */
export interface QuotaShares {
  discard: number;
  self: number;
  annotate: number;
}

export interface TriageSettings {
  rule: RuleName;
  /** quota: shares per route; `annotate` includes the probes. */
  quota: QuotaShares;
  /** risk: discard while the lower bound of mu is at least this. */
  hi: number;
  /** risk: self while the majority answer is expected to be right with at least this probability. */
  voteFloor: number;
  /** Most labels that may be used, probes included; null = no cap (the rule `budget` needs a number). */
  labels: number | null;
  /** budget: most prompts that may be trained on (self + annotate); null = no cap. */
  trainPrompts: number | null;
  /** A prompt with mu at or above this counts as mastered in AUROC, Brier score and ECE. */
  masteredAt: number;
  /** Probes in a sliding window at most; a third of them where there are few. */
  window: number;
  /** Nominal coverage of every interval. */
  level: number;
  /** Bootstrap resamples. */
  resamples: number;
  /** Fewer probes than this cannot judge a score. */
  minProbes: number;
  /** Share of the pool in one tie above which bands cannot be told apart. */
  tieLimit: number;
  seed: number;
}

/** How much of the pool a score leaves in ties, after the tie-breakers. */
export interface TieReport {
  /** Distinct values of the score alone, and with its tie-breakers. */
  distinct: number;
  distinctBroken: number;
  /** Prompts that share their value with another, alone and with tie-breakers. */
  tied: number;
  tiedBroken: number;
  /** Share of the pool in the largest tie, alone and with tie-breakers. */
  largest: number;
  largestBroken: number;
  /** Tie-breakers that split at least one tie. */
  brokenBy: string[];
}

/** The calibration curve at one place of the ranking. */
export interface CalibrationPoint {
  /** Share of the pool that is less uncertain, 0..1. */
  position: number;
  score: number;
  /** Sliding-window mean of the probes' pass rate. */
  window: number;
  /** Monotone fit of the pass rate with its bootstrap interval. */
  passRate: Interval;
  /** Monotone fit of "the majority answer is right"; null where no probe had a majority. */
  vote: Interval | null;
  /** sqrt(mu (1 - mu)) at the fitted mu, 0..0.5. */
  utility: number;
}

/** A probe as a dot for plots. */
export interface ProbePoint {
  promptId: string;
  position: number;
  score: number;
  passRate: number;
  voteRight: boolean | null;
}

/** `unknown`: too few probes to tell. */
export type Verdict = 'beats chance' | 'no better than chance' | 'unknown';

/** How well one score predicts difficulty, on the probes. null = undefined there. */
export interface ScoreQuality {
  estimator: string;
  probes: number;
  /** AUROC of "not mastered". */
  auroc: Interval | null;
  /** Of the calibrated pass rate against mu, each probe predicted by a fit that did not see it. */
  brier: number | null;
  ece: number | null;
  /** Spearman of score and mu; negative is good. */
  spearman: Interval | null;
  /** AUROC and Spearman without the tie-breakers. */
  aurocAlone: number | null;
  spearmanAlone: number | null;
  /** The same given response length; and of length alone. */
  spearmanGivenLength: number | null;
  spearmanLength: number | null;
  ties: TieReport;
  verdict: Verdict;
}

export interface CalibrationReport extends ScoreQuality {
  masteredAt: number;
  level: number;
  meanPassRate: number | null;
  /** Share of probes whose majority was right. */
  meanVoteRight: number | null;
  /** Along the ranking, for plots; empty without probes. */
  curve: CalibrationPoint[];
  dots: ProbePoint[];
}

export interface Decision {
  promptId: string;
  score: number;
  /** 0 = least uncertain. */
  rank: number;
  route: Route;
  probe: boolean;
  /** Calibrated mu; null where there are no probes. */
  expectedPassRate: number | null;
  evidence: Evidence;
  rule: string;
}

export interface TriagePlan {
  version: 1;
  name: string;
  round: number;
  /** The score that ranks; `requested` is the one that was asked for. */
  estimator: string;
  requested: string;
  rule: RuleName;
  requestedRule: RuleName;
  /** Why another score or rule was used; null where the plan is as asked. */
  fallback: string | null;
  /** What a person should know before carrying the plan out. */
  warnings: string[];
  /** In units of the score: discard below the one, annotate above the other. Ties at a cut are split by `rank`. */
  thresholds: { discardBelow: number; annotateAbove: number };
  counts: { pool: number; discard: number; self: number; annotate: number; probes: number };
  /** Labels: owned before the plan (probes included), to be bought by it, allowed in all. */
  budget: { owned: number; toBuy: number; labels: number | null; trainPrompts: number | null };
  settings: TriageSettings;
  calibration: CalibrationReport;
  /** The quality of every other score that was offered. */
  alternatives: ScoreQuality[];
  /** By rank. */
  decisions: Decision[];
}

/** One change of one prompt's state; the manifest is a list of these. */
export interface Transition {
  promptId: string;
  from: PromptState | null;
  to: PromptState;
  rule: string;
  evidence: Evidence;
  plan: string;
  round: number;
  /** Training step; null where the change was made before training. */
  step: number | null;
}
