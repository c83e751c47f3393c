/**
 * Largest token entropy of a rollout in nats, averaged over the rollouts: one moment of doubt counts,
 * however long the sure rest is.
 */
import { meanOverRollouts, scoreEach } from './observe.ts';
import type { Estimator, Needs } from './types.ts';

const name = 'max_entropy';
const needs: Needs = { samples: 1, statistics: ['maxEntropy'] };

export const maxEntropy: Estimator = {
  name,
  needs,
  tieBreakers: ['mean_entropy'],
  score: (observations) =>
    scoreEach({ name, needs }, observations, (one) =>
      meanOverRollouts(one, (rollout) => rollout.maxEntropy),
    ),
};
