/** Shapes of the scheduler: settings, what it starts from, what a group shows, and the state a checkpoint keeps. */
import type { PromptState } from './types.ts';

export interface SchedulerSettings {
  /** Labels that may be used in all: those owned, those waited for, and those asked for later. */
  labels: number;
  /** Groups that must have been seen before anything is predicted and prompts are left out for it. */
  warmupGroups: number;
  /** How far one prompt speaks for others: squared length scale of the kernel per feature of variance 1. */
  reach: number;
  /** Variance of what 8 rollouts show of a prompt, in units of the variance over prompts. */
  noise: number;
  /** Weight per step of age of what a prompt's groups showed: the policy moves. 0..1 */
  decay: number;
  /** Visited prompts that speak at most, the latest ones. */
  memory: number;
  /** Draws go with U^power, U the expected mu (1 - mu); and this share of them is uniform. */
  power: number;
  uniform: number;
  /** Share of draws that revisits prompts that were left out. */
  explore: number;
  /** A group whose majority share is below this, and that is not unanimous, disagrees: its vote is unreliable. */
  agreeShare: number;
  /** A prompt whose expected utility is below this is left out: as mastered, or as hopeless. 0..0.25 */
  leaveBelow: number;
  /** A prompt that was left out comes back above this. 0..0.25 */
  returnAbove: number;
}

/** One prompt as the scheduler begins with it. */
export interface SchedulerPrompt {
  promptId: string;
  /** Features that are known without a rollout, of variance 1. Equal lengths. */
  features: ArrayLike<number>;
  /** What its traces gave before training; undefined where it was not traced. Equal lengths. */
  traced?: readonly number[];
  state: PromptState;
  /** Known pass rate and the rollouts behind it: a probe. */
  probe?: { passRate: number; samples: number };
}

/** What a training step saw of one prompt. */
export interface Visit {
  promptId: string;
  /** Verified share of right answers, for groups with a label. */
  passRate?: number;
  /** Share of the majority answer, 0..1. */
  voteShare: number;
  /** Rollouts in the group. */
  samples: number;
  /** What its traces gave, if it was traced. */
  traced?: readonly number[];
}

/** One prompt's memory. */
export interface PromptMemory {
  promptId: string;
  state: PromptState;
  visits: number;
  /** Rollouts that agreed with the label (else the majority), and that did not; decayed up to `seen`. */
  hits: number;
  misses: number;
  /** Step of the last visit; -1 = none. Probes count as seen at step 0. */
  seen: number;
  /** Whether the last visit was held against a label. */
  verified: boolean;
  /** Its label is owned, also while it is left out. */
  owned: boolean;
  /** The label source has no answer: never asked again. */
  refused: boolean;
  traced: number[] | null;
}

/** JSON-serialisable; the same state and inputs give the same decisions. */
export interface SchedulerState {
  version: 2;
  plan: string;
  round: number;
  /** The last step that was observed; -1 = none. */
  step: number;
  /** Groups seen so far, probes included. */
  groups: number;
  prompts: PromptMemory[];
}

/** What the scheduler believes of a prompt, given all groups so far. */
export interface Belief {
  /** Expected pass rate, 0..1. */
  mu: number;
  /** U, the expected mu (1 - mu), 0..0.25. */
  utility: number;
}

export interface SchedulerReport {
  step: number;
  counts: Record<PromptState, number>;
  labels: { owned: number; waiting: number; left: number };
  /** Mean absolute difference of the expected and the observed agreement over the step's groups. */
  surprise: number | null;
  /** Why nothing is predicted yet; null once it is. */
  coldStart: string | null;
}
