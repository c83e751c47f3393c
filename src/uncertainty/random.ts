/** A uniform number per prompt from the seed and the prompt's id alone: the uninformed baseline. */
import { stream } from '../core/random.ts';
import { scoreEach } from './observe.ts';
import type { Estimator } from './types.ts';

const name = 'random';
const needs = { samples: 0 };

export const random: Estimator = {
  name,
  needs,
  tieBreakers: [],
  score: (observations, { seed }) =>
    scoreEach({ name, needs }, observations, (one) => randomScore(seed, one.promptId)),
};

/** The random score of one prompt, in [0, 1); the same whatever pool it is in. */
export function randomScore(seed: number, promptId: string): number {
  return stream(seed, 'uncertainty', 'random', promptId).uniform();
}
