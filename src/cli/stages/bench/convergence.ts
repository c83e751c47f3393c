/**
 * How much less an arm spends than the reference until it has the reference's final accuracy.
 *
 * The target is the mean over seeds of the reference's final accuracy, the same for all seeds of a pool. The crossing
 * of the reference is found as every other. About half of its own seeds end a little below their mean: a seed that
 * never has the target is counted at all that it spent, which flatters the arm where the seed is the arm's and the
 * reference where it is the reference's. Both are counted and shown, beside a bound that assumes nothing of them, and
 * the crossing of the mean curves, which averages before it looks.
 */

import type { Convergence } from '../../../report/bench/data.ts';
import type { Estimate } from '../../../report/data.ts';
import { costRatio } from '../../../stats/ratio.ts';
import { meanInterval, studentQuantile } from '../../../stats/student.ts';
import { type Crossing, crossingOf, meanCurve, type Point } from './curves.ts';

/** The evaluations of one seed of an arm and of the reference. */
export interface Pair {
  arm: readonly Point[];
  reference: readonly Point[];
}

/**
 * null where there is no pair, or where a curve begins at the target before anything was spent: then no ratio says
 * anything.
 */
export function convergenceOf(pairs: readonly Pair[], target: number): Convergence | null {
  const arms = pairs.map(({ arm }) => crossingOf(arm, target));
  const references = pairs.map(({ reference }) => crossingOf(reference, target));
  if (pairs.length === 0) return null;
  const rollouts = ratioOf(references, arms, 'rollouts');
  if (rollouts === null) return null;
  const cost = (crossings: readonly Crossing[]) =>
    crossings.map(({ rollouts: spent, reached }) => ({ cost: spent, reached }));
  return {
    rollouts,
    steps: ratioOf(references, arms, 'step'),
    seconds: ratioOf(references, arms, 'seconds'),
    strictBound: known(costRatio(cost(references), cost(arms)).geometricLower),
    onMeanCurve: meanCurveRatio(pairs),
    at: {
      rollouts: mean(arms.map((one) => one.rollouts)),
      steps: mean(arms.map((one) => one.step)),
      seconds: mean(arms.map((one) => one.seconds)),
    },
    seeds: pairs.length,
    reached: arms.filter(({ reached }) => reached).length,
    referenceReached: references.filter(({ reached }) => reached).length,
  };
}

/** Geometric mean of reference / arm with its t interval on the logarithms; null where something cost nothing. */
function ratioOf(
  references: readonly Crossing[],
  arms: readonly Crossing[],
  counter: 'rollouts' | 'step' | 'seconds',
): Estimate | null {
  const logs = references.map((one, i) => Math.log(one[counter] / arms[i][counter]));
  if (!logs.every(Number.isFinite)) return null;
  const { estimate, low, high } = meanInterval(logs);
  return { value: Math.exp(estimate), low: ends(low), high: ends(high) };
}

/** From the logarithm; null where one seed leaves it open. */
function ends(log: number): number | null {
  return Number.isFinite(log) ? Math.exp(log) : null;
}

/**
 * Ratio of the crossings of the two mean curves; the target is the reference's mean final accuracy over the same
 * seeds. The interval leaves out one seed at a time (jackknife, Tukey 1958), by the t distribution on the logarithm.
 */
function meanCurveRatio(pairs: readonly Pair[]): Estimate | null {
  const whole = logRatio(pairs);
  if (whole === null) return null;
  const n = pairs.length;
  const without = pairs.map((_, left) => logRatio(pairs.filter((__, i) => i !== left)));
  const logs = without.filter((log) => log !== null);
  const open = { value: Math.exp(whole), low: null, high: null };
  if (n < 2 || logs.length < n) return open;
  const centre = mean(logs);
  const variance = ((n - 1) / n) * logs.reduce((sum, log) => sum + (log - centre) ** 2, 0);
  const half = studentQuantile(0.975, n - 1) * Math.sqrt(variance);
  return { value: open.value, low: Math.exp(whole - half), high: Math.exp(whole + half) };
}

function logRatio(pairs: readonly Pair[]): number | null {
  if (pairs.length === 0) return null;
  const target = mean(pairs.map(({ reference }) => reference[reference.length - 1].accuracy));
  const reference = crossingOf(meanCurve(pairs.map((pair) => pair.reference)), target);
  const arm = crossingOf(meanCurve(pairs.map((pair) => pair.arm)), target);
  const log = Math.log(reference.rollouts / arm.rollouts);
  return reference.reached && arm.reached && Number.isFinite(log) ? log : null;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
