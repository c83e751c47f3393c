/** What tests of a policy on the tiny model train, sample and reinforce with. */
import type { OptimizerSettings } from '../../engine/adamw.ts';
import type { Sampling } from '../../rollout/types.ts';
import type { Policy } from '../policy.ts';
import type { Sequence } from '../scorer.ts';

export const ENGINE = { provider: 'cpu', threads: 1 } as const;
export const OPTIMIZER: OptimizerSettings = {
  ...{ lr: 0.05, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0, maxGradNorm: 1 },
  ...{ warmupSteps: 0, schedule: 'constant', totalSteps: 10, minLrRatio: 1 },
};
export const SAMPLING: Sampling = {
  ...{ temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 12, stop: [], seed: 3 },
  longPrompts: 'refuse',
};
export const REQUESTS = ['3 + 4 = ', '12 * 5'].map((prompt, sample) => ({
  ...{ promptId: 'p', sample, prompt },
}));
const SURROGATE = { clipLow: 0.2, clipHigh: 0.2, kl: 0, temperature: 1 };

/** A response of the policy as it is, to be reinforced. */
export async function sequenceOf(policy: Policy): Promise<Sequence> {
  const [response] = await policy.generate(REQUESTS, SAMPLING);
  return {
    tokens: Int32Array.from([...response.promptTokens, ...response.tokens]),
    from: response.promptTokens.length,
    ...{ weight: 1, advantage: 1, old: response.logprobs },
  };
}

/** One update that moves what is trained a good way. */
export async function move(policy: Policy): Promise<void> {
  await policy.step([await sequenceOf(policy)], SURROGATE);
}
