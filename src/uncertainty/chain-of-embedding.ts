/**
 * Chain of embedding (CoE; Wang et al., arXiv 2410.13640, section 3): through the layers the mean hidden state of
 * a right answer moves far and turns little. Both scores of the paper rise with certainty, so these are their
 * negatives, averaged over the rollouts. Magnitudes and angles are relative to those between the first and the last
 * layer, as in the authors' released code.
 */
import { mean, meanOverPaths, scoreEach } from './observe.ts';
import type { Estimator, LayerPath } from './types.ts';

function chainEstimator(name: string, certainty: (path: LayerPath) => number): Estimator {
  const needs = { samples: 1, layerPaths: true };
  return {
    name,
    needs,
    tieBreakers: ['mean_entropy'],
    score: (observations) =>
      scoreEach({ name, needs }, observations, (one) => -meanOverPaths(one, certainty)),
  };
}

/** CoE-R: mean magnitude less mean angle over the layers. */
export const coeR: Estimator = chainEstimator(
  'coe_r',
  ({ magnitudes, angles }) => mean(magnitudes) - mean(angles),
);

/** CoE-C: length of the mean of the complex numbers magnitude * exp(i angle) over the layers. */
export const coeC: Estimator = chainEstimator('coe_c', ({ magnitudes, angles }) =>
  Math.hypot(
    mean(magnitudes.map((size, layer) => size * Math.cos(angles[layer]))),
    mean(magnitudes.map((size, layer) => size * Math.sin(angles[layer]))),
  ),
);
