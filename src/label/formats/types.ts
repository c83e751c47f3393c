/**
 * What goes out to people who label elsewhere, and what comes back; one interface for all formats.
 *
 * Knows nothing of accounts, of the database or of where files lie.
 */
import type { PoolPrompt } from '../../pool/types.ts';

export const formatNames = ['csv', 'jsonl', 'label-studio', 'label-studio-min', 'argilla'] as const;
export type FormatName = (typeof formatNames)[number];

/** The answer that the policy gives most often. */
export interface PolicyVote {
  answer: string;
  votes: number;
  /** Responses in all. */
  samples: number;
}

/** A prompt that waits for a label. */
export interface OutgoingTask extends Pick<PoolPrompt, 'id' | 'prompt' | 'source'> {
  /** Higher = more wanted; null where nobody said. */
  utility: number | null;
  /** Why it is wanted, for people. */
  reason: string;
  run: string | null;
  step: number | null;
  /** null: none, or not to be shown. */
  vote: PolicyVote | null;
}

/** A label of an account with the prompt that it is for. It does not say whether it is a simulated mistake. */
export interface OutgoingLabel extends Pick<PoolPrompt, 'id' | 'prompt' | 'source'> {
  answer: string;
  annotator: string;
  /** In units of one label. */
  cost: number;
  run: string | null;
  step: number | null;
  /** When it was given, in milliseconds since 1970; null where that is not known. */
  at: number | null;
}

/** Where something stands in a file. */
export interface Place {
  path: string;
  /** From 1: the line in which it begins. */
  line: number;
  /** 'task 3' in a list, counted from 1; null in a file of lines. */
  item: string | null;
}

/** Who gave an answer. A name, or what stands for one where the annotator comes from: a number, a UUID. */
export interface GivenBy {
  text: string;
  isName: boolean;
}

/** An answer that a person gave. */
export interface GivenAnswer {
  kind: 'answer';
  promptId: string;
  answer: string;
  /** null: the file does not say. */
  by: GivenBy | null;
  /** null: the file does not say. */
  cost: number | null;
  /** When, in milliseconds since 1970; null: the file does not say. */
  at: number | null;
}

/** Why something in a file makes no label; `unclear`: the file does not say whether it was submitted. */
const ignoredKinds = ['blank', 'skipped', 'draft', 'unclear'] as const;
export type IgnoredKind = (typeof ignoredKinds)[number];

export interface Ignored {
  kind: IgnoredKind;
}

export type Entry = GivenAnswer | Ignored;

/** One row, task or record, as it stands in the file. */
export type Item = Readonly<Record<string, unknown>>;

export type Container = 'csv' | 'lines' | 'array';

/** A file that goes with the exported one. */
export interface Companion {
  name: string;
  text: string;
  /** What it is for, as the end of a sentence. */
  use: string;
}

export interface Format {
  readonly name: FormatName;
  /** For people. */
  readonly title: string;
  readonly container: Container;
  /** What an item is called. */
  readonly noun: string;
  /** Items that the other program takes in one file; null = any number. */
  readonly mostItems: number | null;
  /** Has it a place for what the policy says, apart from answers? */
  readonly takesVotes: boolean;
  readonly companion: Companion | null;
  taskItems(tasks: Iterable<OutgoingTask>, withVotes: boolean): Iterable<Item>;
  labelItems(labels: Iterable<OutgoingLabel>): Iterable<Item>;
  /** Could an item of a JSON file be one of this format? */
  fits(item: Item): boolean;
  /** What people gave with the item. BadItem where it is none of this format. Predictions are no answers. */
  entries(item: Item): Iterable<Entry>;
}
