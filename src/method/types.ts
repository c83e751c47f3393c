/**
 * Where methods plug into the training loop: four surfaces, as in DE-Venus.
 *
 * target: which prompts are visited, which get a label, what a group is held against;
 * reward: what a group without a label earns;
 * batch: which groups of a step are trained on;
 * advantage: how much each group, or the clip, counts.
 *
 * The loop calls the hooks below and knows no method by name; a method knows nothing of the loop, the database or
 * where labels come from.
 */
import type { z } from 'zod';
import type { Prompt } from '../pool/types.ts';
import type { GroupReward, Seen, Target, VerifierOf } from '../reward/types.ts';
import type { Response } from '../rollout/types.ts';

export type Surface = 'target' | 'reward' | 'batch' | 'advantage';

/** A group with its reward and advantages. */
export interface Group extends Seen {
  target: Target;
  reward: GroupReward;
  /** Weighted advantage per rollout. [G] */
  advantages: Float64Array;
  /** Mean reward over the rollouts that count; NaN where none does. */
  mean: number;
  /** Sample standard deviation of the rewards (ddof 1). */
  std: number;
  /** Whether it moves the policy. */
  active: boolean;
}

/** What a method may ask for before the first step. */
export interface Lab {
  /** The prompts that the run may visit. */
  readonly promptIds: readonly string[];
  /** `samples` responses to each prompt by the policy as it is, held against its target. Counted as rollouts. */
  sample(promptIds: readonly string[], samples: number): Promise<Group[]>;
}

/** A second set of responses that a reward wants for a prompt without a label. */
export interface SecondOpinion {
  /** The policy itself, or the moving average of its weights. */
  by: 'policy' | 'teacher';
  prompt: Prompt['prompt'];
  samples: number;
}

/** The clip of the surrogate: [1 - low, 1 + high]. */
export interface Clip {
  low: number;
  high: number;
}

/** Hooks of the surface `target`. */
export interface TargetHooks {
  /** Once, before the first step; what it learnt goes into `save`. */
  prepare?(lab: Lab): Promise<void>;
  /** May this prompt be drawn? */
  admits?(promptId: string, step: number): boolean;
  /** Prompts of the step that are worth a label, the most wanted first; those in `labelled` have one. */
  wanted?(step: number, seen: readonly Seen[], labelled: ReadonlySet<string>): readonly string[];
  /** What the group is held against instead of `target`. */
  retarget?(step: number, seen: Seen, target: Target): Promise<Target>;
}

/** Hooks of the surface `reward`, for groups whose target is a vote. One such method at most is in use. */
export interface RewardHooks {
  reward?(step: number, seen: Seen): Promise<GroupReward>;
  /** The second responses it wants for a prompt; null = none for this one. */
  second?(prompt: Prompt): SecondOpinion | null;
  /** The teacher's weights after an update: decay * teacher + (1 - decay) * policy, 0..1. */
  readonly teacherDecay?: number;
}

/** Hooks of the surface `batch`. */
export interface BatchHooks {
  /** Times in a step that groups which do not count may be replaced by other prompts. */
  readonly rounds?: number;
  /** Rollouts after which a group of one mind gets no more; left out = every group is made whole. */
  readonly pilot?: number;
  /** Whether a group fills its place in the batch; one that does not is replaced while there are rounds. */
  counts?(group: Group): boolean;
  /** The groups of the whole batch that are trained on, in their order. Those left out were sampled in vain. */
  keep?(step: number, groups: readonly Group[]): readonly Group[];
}

/** Hooks of the surface `advantage`. */
export interface AdvantageHooks {
  /** The factor of each group's advantages, at least 0. [groups] */
  weigh?(step: number, groups: readonly Group[]): Promise<ArrayLike<number>>;
  clip?(given: Clip): Clip;
}

/** What every method may do besides. */
export interface Memory {
  /** Hears what the step showed, after the update. */
  observe?(step: number, groups: readonly Group[]): Promise<void> | void;
  /** JSON; what `create` gets back when a run goes on. */
  save?(): unknown;
}

/** One interface, so that a method of any surface is one. */
export interface Method extends TargetHooks, RewardHooks, BatchHooks, AdvantageHooks, Memory {}

/** What a method is made with, settings apart. */
export interface MethodContext {
  seed: number;
  /** G, responses per prompt. */
  groupSize: number;
  prompts: ReadonlyMap<string, Prompt>;
  verifierOf: VerifierOf;
  /** A majority counts from this share of the group on, 0..1. */
  minVoteShare: number;
  /** Mean of the final hidden states over the tokens of each response, under the present weights. [hiddenSize] each */
  represent(responses: readonly Response[]): Promise<Float32Array[]>;
}

/** A method as the registry lists it; made by `defineMethod`. */
export interface MethodDefinition {
  readonly name: string;
  readonly surface: Surface;
  /** One sentence for the reference. */
  readonly summary: string;
  /** Paper and section or equation. */
  readonly source: string;
  /** Settings under `methods.NAME`, every one with a default. */
  readonly settings: z.ZodType;
  /** Makes the method; `saved` is what `save` gave at the checkpoint, undefined at the start of a run. */
  create(settings: unknown, context: MethodContext, saved: unknown): Method;
}
