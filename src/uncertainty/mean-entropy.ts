/**
 * Mean token entropy in nats, averaged per rollout first, so that a long rollout does not outweigh
 * the others.
 */
import { meanOverRollouts, scoreEach } from './observe.ts';
import type { Estimator, Needs } from './types.ts';

const name = 'mean_entropy';
const needs: Needs = { samples: 1, statistics: ['meanEntropy'] };

export const meanEntropy: Estimator = {
  name,
  needs,
  tieBreakers: [],
  score: (observations) =>
    scoreEach({ name, needs }, observations, (one) =>
      meanOverRollouts(one, (rollout) => rollout.meanEntropy),
    ),
};
