// What a reward hands to the trainer for one group of rollouts. Knows nothing of advantages, optimisers or where labels
// come from.
import type { Verifier } from '../verify/types.ts';

/** One rollout group: the responses that one prompt got, and how much the prompt counts. */
export interface Group {
  promptId: string;
  /** Response texts, one per rollout. */
  responses: readonly string[];
  /** Weight of the prompt in the loss, in [0, 1]. */
  weight: number;
}

/** What a reward says of one group. `rewards` null means: the group gives no gradient, for the `reason` given. */
export interface GroupReward {
  /** One reward per rollout in [0, 1]; NaN leaves that rollout out of its group. Null: no gradient. */
  rewards: Float64Array | null;
  kind: 'verified' | 'majority';
  /** Weight of the prompt in the loss, in [0, 1]: that of the group. */
  weight: number;
  /** Share of ALL rollouts, the unreadable ones included, in the largest class, in [0, 1]. */
  voteShare: number;
  /** Index of the only largest class, or null where there is none or it is tied. */
  majorityClass: number | null;
  /** The answer of the majority class as its first member wrote it. */
  majorityAnswer: string | null;
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

/** A way to reward the rollouts of one prompt. Never throws on the text of a response. */
export interface Reward {
  readonly kind: GroupReward['kind'];
  score(group: Group): Promise<GroupReward>;
}

/**
 * What an `undecided` response gets, which is never a reward: 0, or out of its group; with `ask` it is out of its group
 * and put before a person.
 */
export type UndecidedPolicy = 'zero' | 'drop' | 'ask';

/** The label bought for a prompt, or undefined where none was bought. */
export type LabelOf = (promptId: string) => string | undefined;

/** The verifier that reads the answers of a prompt. */
export type VerifierOf = (promptId: string) => Verifier;
