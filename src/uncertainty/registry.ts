/**
 * The estimators by name.
 */
import { UserError } from '../core/errors.ts';
import { consistency } from './consistency.ts';
import { fusedEstimator } from './fused.ts';
import { length } from './length.ts';
import { maxEntropy } from './max-entropy.ts';
import { meanEntropy } from './mean-entropy.ts';
import { perplexity } from './perplexity.ts';
import { pivotCount, pivotDensity, pivotExcess } from './pivots.ts';
import { random } from './random.ts';
import { selfCertainty } from './self-certainty.ts';
import type { Estimator, PromptObservation } from './types.ts';

/** What one trace per prompt gives, pivots and token statistics. */
const singleTraceParts = [
  pivotDensity,
  pivotExcess,
  meanEntropy,
  maxEntropy,
  selfCertainty,
  length,
];

const all: readonly Estimator[] = [
  pivotDensity,
  pivotCount,
  pivotExcess,
  meanEntropy,
  maxEntropy,
  selfCertainty,
  perplexity,
  consistency,
  length,
  random,
  fusedEstimator('fused', singleTraceParts, 'logistic'),
  fusedEstimator('fused_isotonic', singleTraceParts, 'isotonic'),
];

export const estimatorNames: readonly string[] = all.map((estimator) => estimator.name);

/** The estimator of that name; UserError naming the known ones otherwise. */
export function estimatorByName(name: string): Estimator {
  const found = all.find((estimator) => estimator.name === name);
  if (found !== undefined) return found;
  throw new UserError({
    wanted: `an estimator (${estimatorNames.join(', ')})`,
    found: `"${name}"`,
  });
}

/** The estimators that these observations (and probes, if any) suffice for. */
export function computableEstimators(
  observations: readonly PromptObservation[],
  probes: number,
): Estimator[] {
  const samples = Math.min(...observations.map((one) => one.rollouts.length));
  const traced = observations.every((one) => one.pivots.length > 0);
  return all.filter(
    ({ needs }) =>
      needs.samples <= samples &&
      (needs.traces !== true || traced) &&
      (needs.labels !== true || probes > 1),
  );
}
