/** What a training run is told, what it tells, and what it asks for. Times are seconds, shares 0..1. */
import type { UndecidedPolicy } from '../reward/types.ts';
import type { Transition } from '../triage/types.ts';

export interface TrainSettings {
  steps: number;
  /** Training ends with the step that reaches so many rollouts; null = no such bound. */
  maxRollouts: number | null;
  /** Prompts per step, each with groupSize responses. */
  promptsPerStep: number;
  groupSize: number;
  /** Passes over the responses of a step, and optimizer steps per pass. */
  epochs: number;
  updatesPerEpoch: number;
  clipLow: number;
  clipHigh: number;
  kl: number;
  /** Mean over all tokens of the step, or over responses of their token means. */
  loss: 'token' | 'sequence';
  /** Advantages divided by the group's standard deviation, or only centred. */
  advantage: 'std' | 'none';
  /** Decay per update, 0..1, of the moving average of the weights that is evaluated and saved; 0 = the weights themselves. */
  average: number;
  /** A majority counts from this share of the group on. */
  minVoteShare: number;
  undecided: UndecidedPolicy;
  /** Weight of self-trained prompts in the loss, 0..1 (annotated ones weigh 1). */
  selfWeight: number;
  evalEvery: number;
  /** Whether the policy is evaluated before the first step. */
  evalAtStart: boolean;
  evalSamples: number;
  /** Steps between greedy evaluations; 0 = at the start and the end only. */
  greedyEvery: number;
  checkpointEvery: number;
  seed: number;
}

/** A held-out question with its answer. */
export interface EvalItem {
  id: string;
  prompt: string | { role: string; content: string }[];
  answer: string;
  source: string;
}

/** Scores on the held-out set. */
export interface Evaluation {
  /** Steps made before it. */
  step: number;
  /** avg@k: share of right responses, mean over prompts; with the share per prompt. */
  average: number;
  perPrompt: number[];
  /** Share of right greedy responses; null where it was not measured. */
  greedy: number | null;
  /** Rollouts made for training so far, those before training included. */
  rollouts: number;
  /** Tokens made for training so far, likewise. */
  tokens: number;
  labels: number;
  seconds: number;
}

/** One line of metrics.jsonl; names as in TRL where it has one. */
export interface StepMetrics {
  step: number;
  reward: number;
  reward_std: number;
  frac_reward_zero_std: number;
  entropy: number;
  kl: number;
  'clip_ratio/region_mean': number;
  'completions/mean_length': number;
  num_tokens: number;
  loss: number;
  grad_norm: number;
  learning_rate: number;
  labels_used: number;
  rollouts: number;
  groups: number;
  /** Groups that were drawn in place of others. */
  groups_replaced: number;
  /** Groups that methods left out of the update. */
  groups_rejected: number;
  groups_verified: number;
  groups_majority: number;
  groups_intrinsic: number;
  groups_without_reward: number;
  /** Mean absolute error of the schedule's expectations of the step's groups; null where it has none. */
  surprise: number | null;
  seconds: number;
}

/** Counters and memory of a run: with the weights and the optimizer, all that a checkpoint needs. */
export interface TrainState {
  step: number;
  /** Prompts drawn so far: the data cursor. */
  cursor: number;
  rollouts: number;
  tokens: number;
  seconds: number;
  labels: number;
  /** What the schedule and the methods remember, as JSON. */
  schedule: unknown;
  methods: Record<string, unknown>;
}

/** Prompts that a run may draw; others are never drawn. `label`: it was begun with one. */
export type Targets = ReadonlyMap<string, 'label' | 'vote'>;

/** A label that is wanted, and what it is expected to teach (0..0.25). */
export interface LabelWish {
  promptId: string;
  utility: number;
}

/** What training asks of the outside; labels come from here and nowhere else. */
export interface TrainPorts {
  /** Labels that have arrived by `step`. */
  arrived(step: number): Promise<ReadonlyMap<string, string>>;
  /**
   * Asks for labels, the most wanted first; returns those that are there by `step`. May wait for people, and then
   * throws Interrupted when the run is to stop.
   */
  request(wishes: readonly LabelWish[], step: number): Promise<ReadonlyMap<string, string>>;
  /** Prompts that were asked for and will get no label, as far as it is known by `step`. */
  refused(step: number): Promise<readonly string[]>;
  /** Prompts that no group is made of until their label is there. */
  left(): ReadonlySet<string>;
  /** Waits until one of those that are left has its label, or will get none; returns the labels that are there then. */
  change(step: number): Promise<ReadonlyMap<string, string>>;
  /** May `request` and `change` wait? Then the loop keeps what it needs to go on from the last step. */
  readonly waits: boolean;
  /** Labels paid for up to `step`. */
  spent(step: number): Promise<number>;
  /** Records changes of route. */
  moved(transitions: readonly Transition[]): Promise<void>;
}

/** A response that the verifier could not judge, for a person to look at. */
export interface Question {
  /** The step that it was sampled for. */
  step: number;
  promptId: string;
  /** The label it was held against. */
  gold: string;
  response: string;
  /** Why it could not be judged, and the step of the verifier that said so. */
  reason: string;
  rung: string;
}

/** What a run hears about itself. */
export interface TrainEvents {
  /** Responses that a person is to judge; only with the policy `ask`. Comes before its step is done. */
  asked(questions: readonly Question[]): void;
  stepDone(metrics: StepMetrics): void;
  evaluated(evaluation: Evaluation): void;
}
