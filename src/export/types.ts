// What an export is made of: rows with their label states, what is left out and why, and the numbers of the training that
// it starts. Knows nothing of file formats or of the database.
import type { Content } from '../pool/types.ts';
import type { PromptState, Route } from '../triage/types.ts';

/** Who reads the folder. */
export const trainers = ['verl', 'trl', 'openrlhf', 'jsonl'] as const;
export type Trainer = (typeof trainers)[number];

/** The votes that self-trained prompts are rewarded by: those frozen at export, or those of the group as it is trained. */
export type Votes = 'frozen' | 'live';

/** What a row is rewarded against: a bought label, the frozen majority, or the majority of its own group. */
export type LabelState = 'verified' | 'majority' | 'group';

/** The majority answer of a prompt's rollouts. */
export interface FrozenVote {
  /** As its first member wrote it. */
  answer: string;
  /** Class of the answer among the rollouts of the prompt, from 0. */
  answerClass: number;
  votes: number;
  samples: number;
  /** `votes` / `samples`, 0..1. */
  share: number;
}

/** A text, or the turns of a conversation. */
export type RowPrompt = string | readonly { role: string; content: Content }[];

/** One prompt to train on. */
export interface ExportRow {
  id: string;
  /** Place in the pool, from 0; of held-out prompts in their file. */
  index: number;
  prompt: RowPrompt;
  source: string;
  route: Route;
  label: LabelState;
  /** The label or the frozen majority; null where only the group can tell. */
  answer: string | null;
  /** The usable majority of the rollouts at export, where there is one. */
  vote: FrozenVote | null;
  /** Weight in the loss, 0..1: 1 with a label. */
  weight: number;
}

export const reasons = [
  'discarded',
  'unlabelled',
  'no_majority',
  'unplanned',
  'image',
  'image_placeholder',
  'unsupported_verifier',
] as const;
/** Why a prompt is not among the rows. */
export type Reason = (typeof reasons)[number];

export interface LeftOut {
  id: string;
  index: number;
  state: PromptState;
  reason: Reason;
}

/** Settings of the training that `launch.sh` starts, named as in pivottrace's own configuration. */
export interface TrainingNumbers {
  seed: number;
  steps: number;
  promptsPerStep: number;
  groupSize: number;
  epochs: number;
  updatesPerEpoch: number;
  lr: number;
  warmupSteps: number;
  schedule: 'constant' | 'cosine';
  weightDecay: number;
  betas: readonly [number, number];
  clipLow: number;
  clipHigh: number;
  kl: number;
  gradClip: number;
  loss: 'token' | 'sequence';
  advantage: 'std' | 'none';
  temperature: number;
  /** 0 = all. */
  topK: number;
  topP: number;
  minP: number;
  /** Longest response, in tokens. */
  maxTokens: number;
  /** Longest prompt, in tokens, with some room. */
  maxPromptTokens: number;
}

/** All that a folder is written from. */
export interface Bundle {
  trainer: Trainer;
  rows: readonly ExportRow[];
  held: readonly ExportRow[];
  votes: Votes;
  /** `messages`: a plain text becomes a user message; `text`: prompts of text stay as they are. */
  chat: 'messages' | 'text';
  /** Directory or hub name. */
  model: string;
  numbers: TrainingNumbers;
}

/** The files of a folder by name. */
export type FileSet = Map<string, string | Uint8Array>;
