/**
 * The pivot scores (METHOD, section 3): count, density and their continuous variant, each the mean
 * over the prompt's traces.
 */
import { meanOverTraces, scoreEach } from './observe.ts';
import type { Estimator, PivotSummary } from './types.ts';

function pivotEstimator(
  name: string,
  tieBreakers: readonly string[],
  read: (pivots: PivotSummary) => number,
): Estimator {
  const needs = { traces: true, samples: 0 };
  return {
    name,
    needs,
    tieBreakers,
    score: (observations) =>
      scoreEach({ name, needs }, observations, (one) => meanOverTraces(one, read)),
  };
}

/** Pivots per 100 response tokens. */
export const pivotDensity: Estimator = pivotEstimator(
  'pivot_density',
  ['pivot_excess', 'mean_entropy'],
  (pivots) => pivots.density,
);

/** Pivots per trace; grows with length. */
export const pivotCount: Estimator = pivotEstimator(
  'pivot_count',
  ['pivot_excess', 'mean_entropy'],
  (pivots) => pivots.count,
);

/** How far the changes stand above the threshold: few ties where counts are all zero or one. */
export const pivotExcess: Estimator = pivotEstimator(
  'pivot_excess',
  ['mean_entropy'],
  (pivots) => pivots.excess,
);
