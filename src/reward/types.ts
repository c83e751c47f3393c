// What a reward is given and what it hands to the trainer, for one group of rollouts. Knows nothing of advantages,
// optimisers or where labels come from.
import type { Response } from '../rollout/types.ts';
import type { Verifier } from '../verify/types.ts';
import type { Vote } from './votes.ts';

/** One rollout group as it was sampled: the G responses that one prompt got, and how they vote. */
export interface Seen {
  promptId: string;
  /** [G] */
  responses: readonly Response[];
  vote: Vote;
  /** Responses of a slow teacher, or to the prompt in other words, where the reward asked for them. */
  second?: readonly Response[];
}

/** What a group is held against: a label that was bought, its own answers, or nothing (no gradient). */
export type Target = { kind: 'label'; answer: string } | { kind: 'vote' } | { kind: 'none' };

/** What a reward says of one group. `rewards` null means: the group gives no gradient, for the `reason` given. */
export interface GroupReward {
  /** One finite reward per rollout; NaN leaves that rollout out of its group. Null: no gradient. [G] */
  rewards: Float64Array | null;
  /** `majority`: a target made of answers; `intrinsic`: what the policy thinks of its own tokens. */
  kind: 'verified' | 'majority' | 'intrinsic';
  /** Why the rewards are what they are, for a person. */
  reason: string;
  /** The rollouts that the verifier could not judge. Empty where there was no label to judge them by. */
  undecided: readonly Doubt[];
}

/** A rollout of a group that could not be judged, and why. */
export interface Doubt {
  rollout: number;
  reason: string;
  rung: string;
}

/**
 * What an `undecided` response gets, which is never a reward: 0, or out of its group; with `ask` it is out of its group
 * and put before a person.
 */
export type UndecidedPolicy = 'zero' | 'drop' | 'ask';

/** The verifier that reads the answers of a prompt. */
export type VerifierOf = (promptId: string) => Verifier;
