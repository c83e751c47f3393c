/** Accuracy over what was spent: final values, means over seeds, and where a target is reached. */
import { poolAdjacentViolators } from '../../../stats/isotonic.ts';
import type { CellResult } from './outcome.ts';

/** One evaluation with everything spent until then, before training included where it counts. */
export interface Point {
  step: number;
  rollouts: number;
  tokens: number;
  seconds: number;
  labels: number;
  accuracy: number;
  greedy: number | null;
}

export type Counter = 'step' | 'rollouts' | 'tokens' | 'seconds' | 'labels' | 'accuracy';

/** Spent on scoring and probing, whether the arm counts it or not. */
export function spentBefore({
  before,
}: CellResult): Pick<Point, 'rollouts' | 'tokens' | 'seconds'> {
  const { scoring, probes, seconds } = before;
  return {
    rollouts: scoring.rollouts + probes.rollouts,
    tokens: scoring.tokens + probes.tokens,
    seconds,
  };
}

/**
 * The evaluations of a cell within `budget` rollouts (null = all). Training ends with the first step that reaches
 * the budget: up to the size of one step of this cell it may be exceeded.
 */
export function pointsOf(cell: CellResult, budget: number | null): Point[] {
  const before = cell.count_scoring ? spentBefore(cell) : { rollouts: 0, tokens: 0, seconds: 0 };
  const points = cell.evaluations.map((one) => ({
    step: one.step,
    rollouts: before.rollouts + one.rollouts,
    tokens: before.tokens + one.tokens,
    seconds: before.seconds + one.seconds,
    // Bought before the first step, but the log of a run begins with none.
    labels: Math.max(cell.before.labels, one.labels),
    accuracy: one.average,
    greedy: one.greedy,
  }));
  const most = budget === null ? Infinity : budget + cell.largest_step;
  // The policy before training is always among them.
  return points.filter(({ rollouts }, i) => i === 0 || rollouts <= most);
}

/**
 * `counter` at `rollouts`, linear between evaluations. Before the first one nothing was trained: its value holds.
 * NaN after the last.
 */
export function valueAt(points: readonly Point[], rollouts: number, counter: Counter): number {
  const next = points.findIndex((point) => point.rollouts >= rollouts);
  if (next < 0) return Number.NaN;
  if (next === 0) return points[0][counter];
  const [from, to] = [points[next - 1], points[next]];
  const share = (rollouts - from.rollouts) / (to.rollouts - from.rollouts);
  return from[counter] + share * (to[counter] - from[counter]);
}

/** What was spent when the target was reached; without `reached`, all that was spent, in vain. */
export interface Crossing {
  rollouts: number;
  step: number;
  seconds: number;
  reached: boolean;
}

/** Means of equal accuracies differ in their last bits; two different accuracies differ by far more. */
const ROUNDING = 1e-9;

/**
 * Where accuracy first has `target`, read off the rising curve that fits the evaluations best (isotonic regression,
 * so that one lucky evaluation is no arrival), linear between evaluations.
 */
export function crossingOf(points: readonly Point[], target: number): Crossing {
  const fitted = poolAdjacentViolators(points.map(({ accuracy }) => accuracy));
  const at = fitted.findIndex((accuracy) => accuracy >= target - ROUNDING);
  if (at <= 0) {
    const { rollouts, step, seconds } = points[at < 0 ? points.length - 1 : 0];
    return { rollouts, step, seconds, reached: at === 0 };
  }
  const share = Math.min(1, (target - fitted[at - 1]) / (fitted[at] - fitted[at - 1]));
  const between = (counter: 'rollouts' | 'step' | 'seconds') =>
    points[at - 1][counter] + share * (points[at][counter] - points[at - 1][counter]);
  return {
    rollouts: between('rollouts'),
    step: between('step'),
    seconds: between('seconds'),
    reached: true,
  };
}

/** So many places along the budget at which means over seeds are taken. */
const PLACES = 121;

/**
 * The mean curve of several seeds, as far as all of them are known: from nothing spent, or the first evaluation of the
 * last of them where a policy before training was not measured, to where the first of them ends.
 */
export function meanCurve(curves: readonly (readonly Point[])[]): Point[] {
  const end = Math.min(...curves.map((points) => points[points.length - 1].rollouts));
  const begin = Math.max(...curves.map(([first]) => (first.step === 0 ? 0 : first.rollouts)));
  const mean = (rollouts: number, counter: Counter): number =>
    curves.reduce((sum, points) => sum + valueAt(points, rollouts, counter), 0) / curves.length;
  return Array.from({ length: PLACES }, (_, i) => {
    const rollouts = i === PLACES - 1 ? end : begin + ((end - begin) * i) / (PLACES - 1);
    return {
      rollouts,
      accuracy: mean(rollouts, 'accuracy'),
      labels: mean(rollouts, 'labels'),
      step: mean(rollouts, 'step'),
      tokens: mean(rollouts, 'tokens'),
      seconds: mean(rollouts, 'seconds'),
      greedy: null,
    };
  });
}
