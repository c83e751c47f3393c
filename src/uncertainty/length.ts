/** Mean response length in tokens: the baseline that every other score must be more than. */
import { meanOverRollouts, scoreEach } from './observe.ts';
import type { Estimator } from './types.ts';

const name = 'length';
const needs = { samples: 1 };

export const length: Estimator = {
  name,
  needs,
  tieBreakers: [],
  score: (observations) =>
    scoreEach({ name, needs }, observations, (one) =>
      meanOverRollouts(one, (rollout) => rollout.length),
    ),
};
