/** exp(mean negative log-likelihood) of a rollout's sampled tokens, averaged over the rollouts; at least 1. */
import { meanOverRollouts, scoreEach } from './observe.ts';
import type { Estimator, Needs } from './types.ts';

const name = 'perplexity';
const needs: Needs = { samples: 1, statistics: ['meanLogprob'] };

export const perplexity: Estimator = {
  name,
  needs,
  tieBreakers: [],
  score: (observations) =>
    scoreEach({ name, needs }, observations, (one) =>
      meanOverRollouts(one, (rollout) => Math.exp(-rollout.meanLogprob)),
    ),
};
