/**
 * The pivot scores (METHOD, section 3), each the mean over the prompt's traces.
 *
 * `pivot_*` are those of the configured signal: count, density and their continuous variant. Where the traces
 * kept far mass or mean distance beside it, their pivots at their own thresholds are scores too.
 */
import type { SignalName } from '../trace/types.ts';
import { mean, meanOverTraces, scoreEach } from './observe.ts';
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

function signalPivotEstimator(signal: SignalName, summary: 'density' | 'count'): Estimator {
  const name = `${signal}_${summary}`;
  const needs = { samples: 0, pivotsOf: signal };
  return {
    name,
    needs,
    tieBreakers: ['mean_entropy'],
    score: (observations) =>
      scoreEach({ name, needs }, observations, ({ signalPivots }) =>
        mean((signalPivots?.[signal] ?? []).map((pivots) => pivots[summary])),
      ),
  };
}

/** Pivots of far mass per 100 response tokens, and per trace. */
export const farMassDensity: Estimator = signalPivotEstimator('far_mass', 'density');
export const farMassCount: Estimator = signalPivotEstimator('far_mass', 'count');

/** Pivots of the mean distance per 100 response tokens, and per trace. */
export const distanceDensity: Estimator = signalPivotEstimator('distance', 'density');
export const distanceCount: Estimator = signalPivotEstimator('distance', 'count');
