// What a pool of prompts is made of. Knows nothing of file formats, labels or training; an answer is never part of a prompt.

/** A piece of a turn: text, or an image by a data: URL that holds it or by an http(s) address. */
export type ContentPart =
  | { type: 'text'; text: string }
  | { type: 'image_url'; image_url: { url: string } };

/** What a turn says. A list holds an image at least: one of texts alone is read as a text. */
export type Content = string | ContentPart[];

/** One turn of a conversation. */
export interface Message<C extends Content = string> {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: C;
}

/** A prompt of text, as models here can read it. It never holds an answer, neither here nor in its metadata. */
export interface Prompt<C extends Content = string> {
  /** Unique in the pool: the id given in the file, or a hash of the normalised content. */
  id: string;
  prompt: string | Message<C>[];
  /** Where the prompt comes from: the column `source`, else the name of the file. */
  source: string;
  /** All columns that mean nothing to the pool, as they were read. */
  metadata: Record<string, unknown>;
}

/** A prompt of the pool, which may hold images: for people, teachers and trainers elsewhere. */
export type PoolPrompt = Prompt<Content>;

/** A place in an input file: line (JSONL, CSV) or row (Parquet), counted from 1. */
export interface Place {
  file: string;
  line: number;
}

/** A row that was read. `answer` travels beside the prompt so that it can be sealed apart from it. */
export interface PoolRow {
  kind: 'row';
  prompt: PoolPrompt;
  answer?: string;
  /** Columns kept out of the metadata because they may hold the answer. */
  withheld: readonly string[];
  at: Place;
}

/** A row that was set aside. `raw` is cut to a readable length. */
export interface PoolReject {
  kind: 'reject';
  at: Place;
  reason: string;
  raw: string;
}

export type PoolEntry = PoolRow | PoolReject;

/** A line or row before it is known to be a prompt. */
export interface ObjectEntry {
  kind: 'object';
  at: Place;
  row: Record<string, unknown>;
  /** As it was read. */
  raw: string;
}

/**
 * Which input column holds what; those left out have their own names. A column named here must be present. A dotted
 * path reaches into a nested column: `reward_model.ground_truth`.
 */
export interface ColumnMap {
  prompt?: string;
  answer?: string;
  id?: string;
  source?: string;
}

/** How files are read. */
export interface PoolOptions {
  columns?: ColumnMap;
  /** Longest line (JSONL) or record (CSV), or Parquet row as JSON, in bytes. Default 16 MiB. */
  maxLineBytes?: number;
  /** Longest piece of a refused row that is kept, in characters. Default 500. */
  maxRawChars?: number;
}
