/** Rollout groups of one step: rewarded against their targets, turned into sequences with advantages. */
import type { Methods } from '../method/methods.ts';
import type { Group } from '../method/types.ts';
import { advantagesOf } from '../reward/advantages.ts';
import type { GroupReward, Seen, Target, VerifierOf } from '../reward/types.ts';
import { verifiedReward } from '../reward/verified.ts';
import type { Sequence } from './learner.ts';
import type { TrainSettings } from './types.ts';

export interface RewardRules {
  verifierOf: VerifierOf;
  methods: Pick<Methods, 'retarget' | 'reward'>;
  settings: Pick<TrainSettings, 'undecided' | 'selfWeight' | 'advantage'>;
}

/**
 * The group with its reward: the verifier against a label, the methods' reward where the target is a vote (the
 * majority unless one says otherwise), none without a target. Methods may put another target in place of `given`.
 */
export async function rewardGroup(
  step: number,
  seen: Seen,
  given: Target,
  rules: RewardRules,
): Promise<Group> {
  const { settings, methods } = rules;
  const target = await methods.retarget(step, seen, given);
  const reward = await rewardOf(step, seen, target, rules);
  const { values, mean, std, gradient } = advantagesOf(reward, seen.responses.length, {
    scale: settings.advantage,
    weight: target.kind === 'label' ? 1 : settings.selfWeight,
  });
  return { ...seen, target, reward, advantages: values, mean, std, active: gradient };
}

async function rewardOf(
  step: number,
  seen: Seen,
  target: Target,
  { verifierOf, methods, settings }: RewardRules,
): Promise<GroupReward> {
  switch (target.kind) {
    case 'label':
      return await verifiedReward(
        seen,
        target.answer,
        verifierOf(seen.promptId),
        settings.undecided,
      );
    case 'vote':
      return await methods.reward(step, seen);
    case 'none':
      return { kind: 'majority', rewards: null, reason: 'no target', undecided: [] };
  }
}

/** The groups with their advantages times `factors`; a group with factor 0 moves nothing. */
export function weighed(groups: readonly Group[], factors: ArrayLike<number>): Group[] {
  return groups.map((group, i) => {
    const factor = factors[i];
    if (!(factor >= 0) || !Number.isFinite(factor))
      throw new RangeError(`a group's factor must be a number from 0, not ${factor}`);
    if (factor === 1) return group;
    const advantages = group.advantages.map((value) => value * factor);
    return { ...group, advantages, active: group.active && factor > 0 };
  });
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
