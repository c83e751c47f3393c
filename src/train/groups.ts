/** Rollout groups of one step: sampled, rewarded, turned into sequences with advantages. */
import { advantagesOf } from '../reward/advantages.ts';
import { majorityReward } from '../reward/majority.ts';
import type { GroupReward, VerifierOf } from '../reward/types.ts';
import { verifiedReward } from '../reward/verified.ts';
import type { Sequence } from './learner.ts';
import type { Response } from './policy.ts';
import type { TrainSettings } from './types.ts';

export interface Group {
  promptId: string;
  responses: Response[];
  reward: GroupReward;
  advantages: Float64Array;
  mean: number;
  std: number;
  /** Whether it moves the policy. */
  active: boolean;
}

export interface RewardRules {
  labels: ReadonlyMap<string, string>;
  targetOf(promptId: string): 'label' | 'vote' | 'none';
  verifierOf: VerifierOf;
  settings: Pick<TrainSettings, 'undecided' | 'minVoteShare' | 'selfWeight' | 'advantage'>;
}

/**
 * The group of one prompt: the verifier against its label where it has one, else the majority of its answers;
 * never both, and never a label that was not bought.
 */
export async function rewardGroup(
  promptId: string,
  responses: Response[],
  rules: RewardRules,
): Promise<Group> {
  const { labels, settings, verifierOf } = rules;
  const labelled = rules.targetOf(promptId) === 'label' && labels.has(promptId);
  const reward = labelled
    ? verifiedReward((id) => labels.get(id), verifierOf, { undecided: settings.undecided })
    : majorityReward(verifierOf, { minShare: settings.minVoteShare });
  const scored = await reward.score({
    promptId,
    responses: responses.map(({ text }) => text),
    weight: labelled ? 1 : settings.selfWeight,
  });
  const { values, mean, std, gradient } = advantagesOf(scored, responses.length, {
    scale: settings.advantage,
  });
  return { promptId, responses, reward: scored, advantages: values, mean, std, active: gradient };
}

/**
 * The responses that move the policy as sequences of the loss. Weights add up to 1 over all tokens
 * (`token`) or over responses (`sequence`) of the part that one update sees.
 */
export function sequencesOf(groups: readonly Group[], loss: TrainSettings['loss']): Sequence[] {
  const chosen = groups.flatMap(({ responses, advantages, active }) =>
    active ? responses.map((response, i) => ({ response, advantage: advantages[i] })) : [],
  );
  const tokens = chosen.reduce((sum, { response }) => sum + response.tokens.length, 0);
  return chosen
    .filter(({ advantage }) => advantage !== 0)
    .map(({ response, advantage }) => ({
      tokens: Int32Array.from([...response.promptTokens, ...response.tokens]),
      from: response.promptTokens.length,
      weight: loss === 'token' ? 1 / tokens : 1 / (chosen.length * response.tokens.length),
      advantage,
      old: response.logprobs,
    }));
}
