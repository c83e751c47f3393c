// What every verifier answers, and the two sides of one: a Judge does the work (synchronous or not, may be slow, runs in
// a worker thread or a child process), a Verifier is what the product calls (asynchronous, never hangs, never throws).
// This file knows nothing of prompts, rewards or how an answer is stored.

/**
 * The outcome of comparing an answer with the gold answer. `reason` is a short sentence for a person; `rung` names the
 * step of the verifier that decided (for example `text`, `number`, `symbolic`, `probes`, `letter`, `extract`, `bound`,
 * `deadline`).
 */
export interface Verdict {
  verdict: 'right' | 'wrong' | 'undecided';
  reason: string;
  rung: string;
}

/** How a candidate was found in a response, from the surest to the least sure. */
export type Mark =
  | 'boxed'
  | 'tag'
  | 'hashes'
  | 'phrase'
  | 'whole'
  | 'formula'
  | 'conclusion'
  | 'last';

/**
 * An answer read from a response. `start` and `end` are UTF-16 offsets in the response and
 * `text === response.slice(start, end)`, except where an answer was put together from several places (`boxed` twice in
 * one sentence, the lines of a list): then the span covers all of them.
 */
export interface Extraction {
  text: string;
  start: number;
  end: number;
  mark: Mark;
}

/** How an answer is understood: what a person is shown, and what equal answers share. */
export interface Reading {
  /** Answers with one key are equal for certain. */
  key: string;
  /** Answers in different buckets are different for certain; `compare` need not be asked. */
  bucket: string;
  /** For a person: `number`, `interval`, `choice`, `expression`, `text`, ... */
  kind: string;
  /** The value in plain writing, at most 200 characters. */
  shown: string;
}

/**
 * One kind of answers, such as mathematics or multiple choice. Pure and synchronous; bounded in memory, and in time as
 * far as it can be (a worker's deadline is behind it). May throw: whoever calls it makes that `undecided`.
 */
export interface Kind {
  readonly name: string;
  /** What to look for in a response that marks no answer. */
  readonly seek: Seek;
  /** Null where the answer cannot be read. */
  read(answer: string): Reading | null;
  /** Compares two answers. Swapping them gives the same verdict. */
  compare(gold: string, answer: string): Verdict;
  /** Loads what is slow to load, before the clock of the first comparison starts. */
  warm?(): Promise<void>;
}

/** What is looked for; `lines` is all that is addressed to the reader. */
export type Seek = 'formula' | 'number' | 'letter' | 'line' | 'lines' | 'json' | 'code';

/** The working side of a verifier, in one thread. Its methods may throw or hang; a Verifier catches that. */
export interface Judge {
  readonly name: string;
  /** What could be the final answer, the best first; empty where the response gives none. */
  candidates(response: string): Extraction[];
  read(answer: string): Reading | null;
  compare(gold: string, answer: string): Verdict | Promise<Verdict>;
  /** Reads the best candidate and compares it; a response without a final answer is `wrong` (rung `extract`). */
  verify(gold: string, response: string): Verdict | Promise<Verdict>;
  /** Loads what is slow to load, before the clock of the first comparison starts. */
  warm?(): Promise<void>;
  /** Ends what the judge started (a child process). */
  close?(): Promise<void>;
}

/** Decides whether a response answers a prompt. No method ever throws, rejects or hangs, whatever the input. */
export interface Verifier {
  readonly name: string;
  /** What could be the final answer, the best first. */
  candidates(response: string): Promise<Extraction[]>;
  /** The final answer of each response; undefined where a response gives none. */
  extract(responses: readonly string[]): Promise<(Extraction | undefined)[]>;
  /** How the verifier understands an answer; null where it cannot. */
  read(answer: string): Promise<Reading | null>;
  /** Compares two answers. Swapping them gives the same verdict. */
  compare(gold: string, answer: string): Promise<Verdict>;
  /** The verdict on each response. One that hangs costs its own deadline and nothing else. */
  verify(gold: string, responses: readonly string[]): Promise<Verdict[]>;
  /**
   * Equivalence classes of the answers of one group: a class index per answer in order of first appearance, -1 for a
   * missing or unreadable answer. An answer joins the class of its key, or else the first class whose first member
   * `compare` calls right. Undecided never joins.
   */
  classes(answers: readonly (string | undefined)[]): Promise<Int32Array>;
  /** Ends its threads and processes. An idle verifier does not keep the process alive. */
  close(): Promise<void>;
}

/** How a verifier bounds its input. */
export interface Bounds {
  /** Longest answer that is compared, in UTF-16 units; a longer one is `undecided`. Default 4096. */
  maxAnswerChars: number;
  /** Longest response that is searched, in UTF-16 units; only its last part is read. Default 1,000,000. */
  maxResponseChars: number;
  /** A comparison that takes longer than this, in milliseconds, is `undecided`. Default 1000. */
  deadlineMs: number;
}

export const defaultBounds: Bounds = {
  maxAnswerChars: 4096,
  maxResponseChars: 1_000_000,
  deadlineMs: 1000,
};
