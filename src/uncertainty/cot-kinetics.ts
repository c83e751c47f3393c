/**
 * CoT-Kinetics (Bi et al., arXiv 2505.13408): the response as a particle that the layers move. Its semantic
 * momentum carries a sound line of thought forward, its curvature is what is lost in turning; the score is the
 * negative energy, averaged over the rollouts.
 *
 * Of the paper only these ingredients could be had, not its energy equation (section 2.2.2). The form here is ours:
 *
 *   E = mean_l (L m_l)^2 / 2 - mean_l kappa_l^2 / 2
 *
 * m_l is the length of step l as a share of the distance from first to last layer (a straight and even path has
 * L m_l = 1 throughout), kappa_l the angle in radians between steps l and l + 1 (0 on a straight path).
 */
import { mean, meanOverPaths, scoreEach } from './observe.ts';
import type { Estimator, LayerPath } from './types.ts';

const name = 'cot_kinetics';
const needs = { samples: 1, layerPaths: true };

export const cotKinetics: Estimator = {
  name,
  needs,
  tieBreakers: ['mean_entropy'],
  score: (observations) =>
    scoreEach({ name, needs }, observations, (one) => -meanOverPaths(one, energy)),
};

function energy({ magnitudes, turns }: LayerPath): number {
  const momentum = mean(magnitudes.map((size) => (magnitudes.length * size) ** 2));
  // A model of one layer has no turn.
  const curvature = turns.length === 0 ? 0 : mean(turns.map((turn) => turn ** 2));
  return (momentum - curvature) / 2;
}
