/**
 * The estimators by name.
 */
import { UserError } from '../core/errors.ts';
import {
  attentionChange,
  attentionEntropy,
  layerAgreement,
  receivedAttention,
} from './attention-signals.ts';
import { coeC, coeR } from './chain-of-embedding.ts';
import { consistency } from './consistency.ts';
import { cotKinetics } from './cot-kinetics.ts';
import { fusedEstimator } from './fused.ts';
import { length } from './length.ts';
import { maxEntropy } from './max-entropy.ts';
import { meanEntropy } from './mean-entropy.ts';
import { hasWhatItReads } from './observe.ts';
import { passRateOracle } from './oracle.ts';
import { perplexity } from './perplexity.ts';
import {
  distanceCount,
  distanceDensity,
  farMassCount,
  farMassDensity,
  pivotCount,
  pivotDensity,
  pivotExcess,
} from './pivots.ts';
import { random } from './random.ts';
import { selfCertainty } from './self-certainty.ts';
import type { Estimator, PromptObservation } from './types.ts';

/** What every traced rollout gives, pivots and token statistics. */
const always = [pivotDensity, pivotExcess, meanEntropy, maxEntropy, selfCertainty, length];

/** What is there when it was asked for. */
const ifThere = [
  consistency,
  farMassDensity,
  distanceDensity,
  attentionEntropy,
  attentionChange,
  layerAgreement,
  receivedAttention,
  coeR,
  coeC,
  cotKinetics,
];

/** Without the oracle, which reads the answers. */
const selectable: readonly Estimator[] = [
  pivotDensity,
  pivotCount,
  pivotExcess,
  farMassDensity,
  farMassCount,
  distanceDensity,
  distanceCount,
  attentionEntropy,
  attentionChange,
  layerAgreement,
  receivedAttention,
  meanEntropy,
  maxEntropy,
  selfCertainty,
  perplexity,
  coeR,
  coeC,
  cotKinetics,
  consistency,
  length,
  random,
  fusedEstimator('fused', always, ifThere, 'logistic'),
  fusedEstimator('fused_isotonic', always, ifThere, 'isotonic'),
];

/** The estimators that a pool can be ranked by without its answers. */
export const estimatorNames: readonly string[] = selectable.map((estimator) => estimator.name);

/** The estimator of that name, the oracle among them; UserError naming the others otherwise. */
export function estimatorByName(name: string): Estimator {
  const found = [...selectable, passRateOracle].find((estimator) => estimator.name === name);
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
  return selectable.filter(
    (estimator) =>
      hasWhatItReads(estimator, observations) && (estimator.needs.labels !== true || probes > 1),
  );
}
