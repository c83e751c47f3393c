/**
 * What a report is made from: one plain object, filled by the caller from the store and the run
 * directories. This room knows neither of them, and it computes no result of its own: what is not in
 * here is not in the report.
 *
 * Conventions, for every field:
 * - shares, accuracies, pass rates and probabilities are 0..1 (the page prints per cent);
 * - times are seconds of wall clock, sizes are bytes, entropies are nats, lengths are tokens;
 * - `null` means "not measured" or "not known"; it prints as a dash. A number that is not finite is
 *   treated as null. A whole section that is null says which command would fill it;
 * - strings may come from anywhere (prompts, model output, file names): they are only ever text.
 */

/** The three routes of a triage plan, in the order of rising uncertainty. */
export type RouteName = 'discard' | 'self' | 'annotate';

/** A measured value with the ends of its 95 % interval; both ends null when there is no interval. */
export interface Estimate {
  value: number;
  low: number | null;
  high: number | null;
}

export interface ReportData {
  run: RunInfo;
  comparison: Comparison | null;
  triage: TriageSummary | null;
  score: ScoreReport | null;
  sensitivity: Sensitivity | null;
  training: TrainingCurve[] | null;
  routing: RoutingReport | null;
  examples: ExampleTrace[] | null;
  cost: CostReport | null;
}

/** Where the figures come from, and how to get them again. */
export interface RunInfo {
  /** Heading of the page. */
  title: string;
  /** When the report was written, ready to print (the caller formats it). */
  generatedAt: string | null;
  model: { name: string; parameters: number | null; detail: string | null } | null;
  pool: { name: string; prompts: number; testPrompts: number | null } | null;
  seed: number | null;
  /** Name to version, e.g. { pivottrace: '0.1.0', node: '20.19.0' }. */
  versions: Record<string, string>;
  /** Processor, threads, memory, ready to print. */
  machine: string | null;
  /** The command line that makes these figures again. */
  command: string | null;
  /** Anything a reader has to know before reading on; printed as loud notices under the heading. */
  notices: string[];
}

/**
 * The role of an arm. It picks colour, dash pattern and the words of the verdict; arms that are
 * none of the first four are `other` and share the remaining colours in order.
 */
export type ArmKind = 'base' | 'pivottrace' | 'full' | 'random' | 'other';

/** The arms beside each other, all trained for the same number of optimisation steps. */
export interface Comparison {
  /** The k of avg@k: samples per test prompt. */
  k: number;
  testPrompts: number;
  poolPrompts: number;
  /** Id of the arm the others are measured against: full supervision. */
  reference: string;
  /** Every arm that was run, the losing ones too. */
  arms: Arm[];
}

export interface Arm {
  id: string;
  label: string;
  kind: ArmKind;
  /** Mean accuracy over k samples per test prompt; interval over test prompts. */
  avgAtK: Estimate | null;
  /** Accuracy of greedy decoding on the test prompts. */
  greedy: Estimate | null;
  /** Difference in avg@k to the reference arm, paired by test prompt; null for the reference itself. */
  versusReference: Estimate | null;
  /** Difference in avg@k of the first `pivottrace` arm to this one, paired; null when not measured. */
  pivotTraceLead: Estimate | null;
  /** Labels bought, probes included. */
  labelsUsed: number | null;
  /** Prompts of the pool that training could draw from. */
  trainedPrompts: number | null;
  /** Optimisation steps. */
  steps: number | null;
  /** All responses generated for this arm, those for scoring and probing included. */
  rollouts: number | null;
  /**
   * First point at which the arm had the reference's final avg@k: cumulative steps and rollouts;
   * 'not reached' when it never had; null where the question makes no sense (the base policy).
   */
  reached: { steps: number; rollouts: number } | 'not reached' | null;
  wallSeconds: number | null;
  /** Number of training seeds behind the figures. */
  seeds: number;
  /** A remark printed under the arm's name. */
  note: string | null;
}

export interface TriageSummary {
  /** Name of the plan in the store. */
  plan: string;
  rule: 'quota' | 'risk' | 'budget';
  estimator: string;
  /** Why the planned rule or score was replaced, or null when it was not. */
  fallback: string | null;
  /** Labels the plan may spend; null when there is no limit. */
  budget: number | null;
  routes: RouteSummary[];
  /** What `groups` is by, e.g. 'family' or 'source'. */
  groupedBy: string;
  groups: { name: string; counts: Record<RouteName, number>; meanPassRate: number | null }[];
}

export interface RouteSummary {
  route: RouteName;
  prompts: number;
  /** Labels spent on prompts of this route, probes included. */
  labels: number;
  /** Of these labels, the ones bought as probes. */
  probes: number;
  /** Mean pass rate the calibration expects here. */
  expectedPassRate: number | null;
  /** Share of the probes on this route whose majority answer was right. */
  voteRight: number | null;
}

/** How well the score that routed the pool tells hard prompts from easy ones. */
export interface ScoreReport {
  estimator: string;
  poolPrompts: number;
  /** Responses per probe that a pass rate was measured from. */
  rolloutsPerProbe: number;
  probes: ProbePoint[];
  /** Isotonic fit of the pass rate along the ranking with its bootstrap band. Ranks as in ProbePoint. */
  curve: { rank: number; passRate: number; low: number | null; high: number | null }[];
  /** Where a route ends: between `discard` and `self`, and between `self` and `annotate`. */
  thresholds: { rank: number; label: string }[];
  /** Predicted against observed pass rate in bins; `count` probes per bin. */
  reliability: {
    predicted: number;
    observed: number;
    low: number | null;
    high: number | null;
    count: number;
  }[];
  metrics: ScoreMetrics;
  ties: {
    tiedPrompts: number;
    largestTie: number;
    atZero: number;
    /** Scores that ordered equals, and the largest group that they left. */
    brokenBy: string[];
    largestLeft: number;
  } | null;
  /** False when the score ranks no better than chance on the probes; null when not tested. */
  beatsChance: boolean | null;
  /** What was done instead, when the score or the rule was replaced. */
  fallback: string | null;
  /** All estimators on the same probes, the one in use among them. */
  estimators: EstimatorRow[];
  /** What the estimators that learn from the probes have learnt. */
  fits: FittedScore[];
}

export interface ProbePoint {
  promptId: string;
  /** Place in the pool's ranking, 0 = most certain, 1 = most uncertain. */
  rank: number;
  score: number;
  passRate: number;
  voteRight: boolean | null;
  route: RouteName | null;
}

export interface ScoreMetrics {
  /** Area under the ROC curve of "not mastered", 0.5 = chance. */
  auroc: Estimate | null;
  /** Mean squared error of the predicted pass rate. */
  brier: number | null;
  /** Expected calibration error. */
  ece: number | null;
  /** Rank correlation of score and pass rate, -1..1; negative is good (a high score is a hard prompt). */
  spearman: Estimate | null;
  /** Rank correlation of plain response length and pass rate. */
  lengthSpearman: Estimate | null;
  /** Rank correlation of score and pass rate with length held fixed. */
  partialGivenLength: Estimate | null;
}

export interface EstimatorRow {
  name: string;
  used: boolean;
  spearman: number | null;
  partialGivenLength: number | null;
  auroc: number | null;
  /** Of the prompts this score would annotate, the share among the hardest by measured pass rate. */
  overlap: number | null;
  cost: EstimatorCost;
}

/** What a score costs by itself; scores that read the same responses share them. */
export interface EstimatorCost {
  /** Responses generated for it, and their tokens. */
  responses: number | null;
  tokens: number | null;
  /** Wall clock of sampling and whatever it needs beyond. */
  seconds: number | null;
}

/** A score that was fitted on the probes. */
export interface FittedScore {
  name: string;
  method: 'logistic' | 'isotonic';
  probes: number;
  /** Parts into which the probes were split for held-out figures; 1 when nothing could be held out. */
  folds: number;
  /** Ridge penalty that held-out probes chose; null for a method without one. */
  ridge: number | null;
  /** Of the held-out probes; the correlation is negative where the score is good. */
  spearman: number | null;
  brier: number | null;
  /** Logistic: coefficients of standardised scores, negative where a high score lowers the pass rate. Isotonic: shares. */
  weights: { name: string; weight: number }[];
}

/** METHOD section 3: how much the ranking depends on the settings of the pivot score. */
export interface Sensitivity {
  /** Number of traces that were scored again. */
  traces: number;
  rows: {
    parameter: 'zeta' | 'psi' | 'Delta';
    /** Percentile for zeta, per cent of heads for psi, tokens for Delta; ready to print with unit. */
    setting: string;
    isDefault: boolean;
    /** Rank correlation of the scores with those of the default setting. */
    withDefault: number | null;
    /** tau under this setting, in the unit of the signal. */
    threshold: number | null;
    /** The similarity to its own default that the paper prints at this value. */
    published: number | null;
  }[];
}

/** What one arm logged while it trained. Points are in order of step; cumulative where it says so. */
export interface TrainingCurve {
  id: string;
  label: string;
  kind: ArmKind;
  evaluations: {
    step: number;
    /** Cumulative, with everything that was generated before step 0 (scoring, probes). */
    rollouts: number;
    /** Cumulative. */
    labelsUsed: number;
    avgAtK: number | null;
    low: number | null;
    high: number | null;
    greedy: number | null;
  }[];
  steps: {
    step: number;
    reward: number | null;
    /** Share of groups in which all rewards were equal: no gradient. */
    fracRewardZeroStd: number | null;
    /** Nats per token. */
    entropy: number | null;
    /** Tokens per response. */
    meanLength: number | null;
    /** Cumulative labels. */
    labelsUsed: number | null;
  }[];
}

export interface RoutingReport {
  /** Label of the arm this was logged in. */
  arm: string;
  /** Steps before the first move was allowed. */
  warmupGroups: number | null;
  /** All moves of the run; `latest` holds the last few of them. */
  total: number;
  /** Moves per interval of steps; `kind` is like 'self -> discard'. Intervals in order of step. */
  moves: { step: number; kind: string; count: number }[];
  latest: {
    step: number;
    promptId: string;
    from: string;
    to: string;
    rule: string;
    evidence: Record<string, number | string | boolean | null>;
  }[];
}

/** One response with its trace, token by token. */
export interface ExampleTrace {
  promptId: string;
  route: RouteName;
  prompt: string;
  /** The signal the colours show, e.g. 'attention distance', and its unit, e.g. 'tokens'. */
  signalName: string;
  unit: string;
  /** tau: changes at or above it may be pivots. */
  threshold: number | null;
  tokens: { text: string; signal: number; change: number; pivot: boolean }[];
  answer: string | null;
  verdict: 'right' | 'wrong' | 'undecided' | null;
  score: number | null;
  /** As in ProbePoint. */
  rank: number | null;
  passRate: number | null;
}

export interface CostReport {
  stages: {
    name: string;
    seconds: number | null;
    rollouts: number | null;
    tokens: number | null;
    labels: number | null;
  }[];
  totalSeconds: number | null;
  peakMemoryBytes: number | null;
}
