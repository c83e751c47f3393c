/**
 * What an uncertainty estimator sees and gives. Knows nothing of routes, budgets or the database.
 */
import type { PivotSummary as TraceSummary } from '../trace/pivots.ts';
import type { SignalName } from '../trace/types.ts';

/** How a response's mean hidden state moves from the embeddings through the L layers. */
export interface LayerPath {
  /** Length of each step between layers as a share of the distance from first to last, [L]. */
  magnitudes: Float32Array;
  /** Angle between the states of neighbouring layers as a share of that between first and last, [L]. */
  angles: Float32Array;
  /** Angle between one step and the next, radians 0..pi, [L - 1]. */
  turns: Float32Array;
}

/** One rollout of a prompt, boiled down to numbers; NaN where a token statistic is not known. */
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
  /** There where hidden states were pooled. */
  layerPath?: LayerPath;
}

/** The pivots of one trace, as far as scores need them. */
export type PivotSummary = Pick<TraceSummary, 'count' | 'density' | 'excess'>;

/** All that was seen of one prompt, without its answer. */
export interface PromptObservation {
  promptId: string;
  rollouts: readonly RolloutSummary[];
  /** Pivots of the configured signal, one entry per traced rollout; empty where nothing was traced. */
  pivots: readonly PivotSummary[];
  /** Pivots of other signals that were kept, each at its own threshold; one entry per traced rollout. */
  signalPivots?: Partial<Record<SignalName, readonly PivotSummary[]>>;
  /**
   * Mean of every signal that was kept, over the response's tokens and the kept heads, in the signal's unit; one
   * entry per traced rollout.
   */
  signalMeans?: Partial<Record<SignalName, readonly number[]>>;
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
  /** Pass rate of every prompt of the pool, 0..1; only the oracle reads them. */
  passRates?: ReadonlyMap<string, number>;
  /** Called by estimators that fit something, with what they fitted. */
  onFit?: (fit: FusedFit) => void;
}

/** The numbers of a rollout that come from the distributions of its tokens. */
export type TokenStatistic = 'meanEntropy' | 'maxEntropy' | 'meanSelfCertainty' | 'meanLogprob';

/** What an estimator reads. */
export interface Needs {
  /** Rollouts per prompt at least. */
  samples: number;
  /** Token statistics, which responses from elsewhere need not have. */
  statistics?: readonly TokenStatistic[];
  /** Pivots of the configured signal. */
  traces?: boolean;
  /** Pivots of this signal, kept beside the configured one. */
  pivotsOf?: SignalName;
  /** The mean of this signal. */
  meanOf?: SignalName;
  /** Layer paths of the rollouts. */
  layerPaths?: boolean;
  /** Labelled probes. */
  labels?: boolean;
  /** The pass rate of every prompt, which nobody has before labelling all of them. */
  passRates?: boolean;
}

export interface Estimator {
  readonly name: string;
  readonly needs: Needs;
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
  /** Logistic: the penalty that held-out probes chose; null for isotonic, which has none. */
  ridge: number | null;
  /** Logistic: coefficient per standardised feature. Isotonic: share of each calibrated feature in the mean. */
  weights: Record<string, number>;
  /** Logistic intercept; 0 for isotonic. */
  intercept: number;
  /** Cross-validated rank correlation of the score with the pass rate (negative is good); null where undefined. */
  spearman: number | null;
  /** Cross-validated Brier score of the predicted pass rate; null where nothing was held out. */
  brier: number | null;
}
