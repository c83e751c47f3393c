/**
 * What a bench page is made from: one plain object. Conventions as in ../data.ts: shares and accuracies are 0..1,
 * times are seconds, null means not measured or not known.
 *
 * Rollouts, tokens, seconds and labels of an arm are everything it spent, before training and in it. Intervals are
 * 95 % t intervals over seeds; with one seed they are null.
 */
import type { Estimate } from '../data.ts';

export interface BenchData {
  name: string;
  generatedAt: string | null;
  /** The command that makes the figures again. */
  command: string;
  machine: string | null;
  version: string;
  /** Arms that the others are held against: full supervision, and random choice (null = none named). */
  reference: string;
  random: string | null;
  seeds: number[];
  /** Rollouts that every arm could spend; null = each arm ran its steps. */
  budget: number | null;
  /** Samples per test prompt, and test prompts. */
  k: number | null;
  testPrompts: number | null;
  pools: PoolResult[];
  /** Cells of the matrix without a result. */
  missing: { pool: string; arm: string; seed: number }[];
  /** Settings of all arms. */
  base: Setting[];
}

export type Setting = readonly [key: string, value: string];

export interface PoolResult {
  id: string;
  title: string;
  /** Share of prompts that are mastered or hopeless, as the bench file says; null = it does not say. */
  redundancy: number | null;
  prompts: number | null;
  settings: Setting[];
  /** Mean final accuracy of the reference: what `convergence` asks for; null where it was not run. */
  target: number | null;
  arms: ArmResult[];
}

export interface ArmResult {
  id: string;
  title: string;
  note: string | null;
  group: string | null;
  seeds: number[];
  settings: Setting[];
  /** Mean avg@k before the first step. */
  start: number | null;
  /** Mean avg@k at the last evaluation within the budget. */
  final: Estimate;
  greedy: Estimate | null;
  /** Final greedy accuracy minus that before the first step, paired by seed. */
  greedyChange: Estimate | null;
  /** Means over seeds, at the final evaluation. */
  labels: number;
  /** Labels whose prompt was drawn at least once; null where a run does not say. */
  labelsVisited: number | null;
  /** Labels as a share of the pool. */
  labelShare: number;
  steps: number;
  rollouts: number;
  /** Of the rollouts, those made before training. */
  rolloutsBefore: number;
  /** Made before training and not among the rollouts: the arm was told not to count them. */
  rolloutsUncounted: number;
  tokens: number;
  seconds: number;
  minusReference: Paired | null;
  minusRandom: Paired | null;
  curve: CurvePoint[];
  convergence: Convergence | null;
}

/** A difference in final accuracy, paired by seed. */
export interface Paired {
  difference: Estimate;
  /** One-sided 95 % lower bound of the difference. */
  bound: number | null;
  /** Two-sided, paired t test; `holm` adjusted over the arms of the pool. */
  p: number | null;
  holm: number | null;
  /** Two-sided, exact: all sign patterns of the differences. */
  signFlip: number | null;
  seeds: number;
}

/** Means over seeds at so many rollouts; between evaluations by linear interpolation. */
export interface CurvePoint {
  rollouts: number;
  accuracy: Estimate;
  labels: number;
}

/** How many times less than the reference an arm spent until it had the reference's final accuracy. */
export interface Convergence {
  /** Geometric mean over seeds of reference / arm, a seed that never had it counted at all that it spent. */
  rollouts: Estimate;
  steps: Estimate | null;
  seconds: Estimate | null;
  /** 95 % one-sided lower bound that holds whatever those seeds would have needed; 0 where an arm's seed is one. */
  strictBound: number | null;
  /** The same ratio of the two mean curves, with a jackknife interval over seeds; null where one never has it. */
  onMeanCurve: Estimate | null;
  /** Mean spent until then, a seed that never had it counted at all that it spent. */
  at: { rollouts: number; steps: number; seconds: number };
  seeds: number;
  /** Seeds that had it, of the arm and of the reference. */
  reached: number;
  referenceReached: number;
}
