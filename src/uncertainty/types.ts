/**
 * What an uncertainty estimator sees and gives. Knows nothing of routes, budgets or the database.
 */
import type { PivotSummary as TraceSummary } from '../trace/pivots.ts';

/** One rollout of a prompt, boiled down to numbers. */
export interface RolloutSummary {
  /** Response tokens, the stop token included. */
  length: number;
  /** Mean and largest token entropy, nats. */
  meanEntropy: number;
  maxEntropy: number;
  /** Mean over tokens of KL(uniform || token distribution), nats; higher = more certain. */
  meanSelfCertainty: number;
  /** Mean log-probability of the sampled tokens, nats. */
  meanLogprob: number;
  /** Equivalence class of the final answer within this prompt's samples; -1 = none or unreadable. */
  answerClass: number;
}

/** The pivots of one trace, as far as scores need them. */
export type PivotSummary = Pick<TraceSummary, 'count' | 'density' | 'excess'>;

/** All that was seen of one prompt, without its answer. */
export interface PromptObservation {
  promptId: string;
  rollouts: readonly RolloutSummary[];
  /** One entry per traced rollout; empty where nothing was traced. */
  pivots: readonly PivotSummary[];
}

/** A prompt whose pass rate is known, for estimators that learn from probes. */
export interface LabelledPrompt {
  promptId: string;
  /** Share of right answers among its rollouts, 0..1. */
  passRate: number;
}

export interface EstimatorContext {
  seed: number;
  /** Labelled probes; only estimators with `needs.labels` read them. */
  probes?: readonly LabelledPrompt[];
  /** Called by estimators that fit something, with what they fitted. */
  onFit?: (fit: FusedFit) => void;
}

export interface Estimator {
  readonly name: string;
  /** What it reads: traces, at least so many samples per prompt, labelled probes. */
  readonly needs: { traces?: boolean; samples: number; labels?: boolean };
  /** Estimators that resolve this one's ties, best first. */
  readonly tieBreakers: readonly string[];
  /**
   * One score per observation, in their order; higher = more uncertain; always finite.
   * Throws UserError when an observation lacks what `needs` names.
   */
  score(observations: readonly PromptObservation[], context: EstimatorContext): Float64Array;
}

/** What the fused estimator learnt, for the report. */
export interface FusedFit {
  method: 'logistic' | 'isotonic';
  probes: number;
  folds: number;
  /** Logistic: coefficient per standardised feature. Isotonic: share of each calibrated feature in the mean. */
  weights: Record<string, number>;
  /** Logistic intercept; 0 for isotonic. */
  intercept: number;
  /** Cross-validated rank correlation of the score with the pass rate (negative is good); null where undefined. */
  spearman: number | null;
  /** Cross-validated Brier score of the predicted pass rate; null where nothing was held out. */
  brier: number | null;
}
