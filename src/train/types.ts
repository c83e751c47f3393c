/** What a training run is told, what it tells, and what it asks for. Times are seconds, shares 0..1. */
import type { UndecidedPolicy } from '../reward/types.ts';
import type { DynamicReport, DynamicSettings, DynamicState } from '../triage/dynamic-types.ts';
import type { Transition } from '../triage/types.ts';

export interface TrainSettings {
  steps: number;
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
  /** A majority counts from this share of the group on. */
  minVoteShare: number;
  undecided: UndecidedPolicy;
  /** Weight of self-trained prompts in the loss, 0..1 (annotated ones weigh 1). */
  selfWeight: number;
  /** Times that groups without a gradient may be replaced by other prompts in one step. */
  resampleRounds: number;
  evalEvery: number;
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
  groups_replaced: number;
  groups_verified: number;
  groups_majority: number;
  groups_without_reward: number;
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
  router: DynamicState | null;
}

/** How prompts are chosen and rewarded. */
export interface Arm {
  /** Where each prompt stands at the start: prompts that are not named are never drawn. */
  targets: ReadonlyMap<string, 'label' | 'vote'>;
  dynamic: (Omit<DynamicSettings, 'labels'> & { labels: number }) | null;
}

/** What training asks of the outside; labels come from here and nowhere else. */
export interface TrainPorts {
  /** Labels that have arrived by `step`. */
  arrived(step: number): Promise<ReadonlyMap<string, string>>;
  /** Asks for labels; returns those of `promptIds` that are there by `step`. */
  request(promptIds: readonly string[], step: number): Promise<ReadonlyMap<string, string>>;
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
  stepDone(metrics: StepMetrics, routing: DynamicReport | null): void;
  evaluated(evaluation: Evaluation): void;
}
