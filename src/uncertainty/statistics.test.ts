/** Responses from elsewhere need not have all token statistics: scores that read them are not offered, and say so. */
import { expect, test } from 'vitest';
import { UserError } from '../core/errors.ts';
import { computableEstimators, estimatorByName } from './registry.ts';
import type { PromptObservation, RolloutSummary, TokenStatistic } from './types.ts';

const readers: Readonly<Record<TokenStatistic, string>> = {
  meanEntropy: 'mean_entropy',
  maxEntropy: 'max_entropy',
  meanSelfCertainty: 'self_certainty',
  meanLogprob: 'perplexity',
};

function observed(more: Partial<RolloutSummary>): PromptObservation[] {
  const whole: RolloutSummary = {
    ...{ length: 5, meanEntropy: 0.5, maxEntropy: 2, meanSelfCertainty: 3, meanLogprob: -0.3 },
    answerClass: 0,
  };
  return [
    { promptId: 'a', rollouts: [whole, whole], pivots: [] },
    { promptId: 'b', rollouts: [whole, { ...whole, ...more }], pivots: [] },
  ];
}

test.each(Object.entries(readers))('without %s there is no %s', (statistic, name) => {
  const names = (of: PromptObservation[]) => computableEstimators(of, 0).map((one) => one.name);
  expect(names(observed({}))).toContain(name);
  const without = observed({ [statistic]: Number.NaN });
  expect(names(without)).toEqual(names(observed({})).filter((one) => one !== name));
  const score = () => estimatorByName(name).score(without, { seed: 0 });
  expect(score).toThrow(UserError);
  expect(score).toThrow(/prompt b: wanted the .* of every response .*1 of 2 without.*weights/);
});

test('what is fitted on all of them is not offered either', () => {
  const pivots = [{ count: 1, density: 2, excess: 3 }];
  const traced = (more: Partial<RolloutSummary>) =>
    observed(more).map((one) => ({ ...one, pivots }));
  const offered = (of: PromptObservation[]) =>
    computableEstimators(of, 9).some(({ name }) => name === 'fused');
  expect(offered(traced({}))).toBe(true);
  expect(offered(traced({ meanSelfCertainty: Number.NaN }))).toBe(false);
});
