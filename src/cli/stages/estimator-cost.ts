/**
 * What each score costs by itself: the responses it reads, what was sampled to choose heads, and the time of both.
 * Scores that read the same responses share them. Knows nothing of how good a score is.
 */
import type { EstimatorCost } from '../../report/data.ts';
import { estimatorByName } from '../../uncertainty/registry.ts';
import type { FusedFit, Needs } from '../../uncertainty/types.ts';

/** Costs of the parts that scores are made from. */
export interface ScoringCosts {
  /** The responses that scores read; seconds with the tracing that is done while they are sampled. */
  sampled: EstimatorCost;
  /** The responses on which the heads were chosen. */
  heads: EstimatorCost;
  /** Seconds of the forward pass that pools hidden states; null where none was made. */
  hiddenSeconds: number | null;
}

const free: Readonly<EstimatorCost> = { responses: 0, tokens: 0, seconds: 0 };

/** The cost of the estimator `name`; of a fitted one, that of all the scores that have a weight in it. */
export function estimatorCost(
  name: string,
  { sampled, heads, hiddenSeconds }: ScoringCosts,
  fit: FusedFit | undefined,
): EstimatorCost {
  const weighted = Object.entries(fit?.weights ?? {}).filter(([, weight]) => weight !== 0);
  const parts = weighted.map(([part]) => part);
  const needs = [name, ...parts].map((one) => estimatorByName(one).needs);
  const hidden = { ...free, seconds: hiddenSeconds };
  const costs = [
    ...(needs.some(readsResponses) ? [sampled] : []),
    ...(needs.some(readsAttention) ? [heads] : []),
    ...(needs.some(({ layerPaths }) => layerPaths === true) ? [hidden] : []),
  ];
  return costs.reduce(plus, free);
}

function readsAttention({ traces, pivotsOf, meanOf }: Needs): boolean {
  return traces === true || pivotsOf !== undefined || meanOf !== undefined;
}

function readsResponses(needs: Needs): boolean {
  return needs.samples > 0 || needs.layerPaths === true || readsAttention(needs);
}

/** What is not known of one is not known of the sum. */
function plus(a: EstimatorCost, b: EstimatorCost): EstimatorCost {
  const sum = (x: number | null, y: number | null) => (x === null || y === null ? null : x + y);
  return {
    responses: sum(a.responses, b.responses),
    tokens: sum(a.tokens, b.tokens),
    seconds: sum(a.seconds, b.seconds),
  };
}
