/**
 * Self-certainty (Kang et al. 2025): mean KL of the uniform distribution to the token distribution.
 * High means certain, so the score is its negative.
 */
import { meanOverRollouts, scoreEach } from './observe.ts';
import type { Estimator, Needs } from './types.ts';

const name = 'self_certainty';
const needs: Needs = { samples: 1, statistics: ['meanSelfCertainty'] };

export const selfCertainty: Estimator = {
  name,
  needs,
  tieBreakers: [],
  score: (observations) =>
    scoreEach(
      { name, needs },
      observations,
      (one) => -meanOverRollouts(one, (rollout) => rollout.meanSelfCertainty),
    ),
};
