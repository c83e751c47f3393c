// What every verifier answers. This file knows nothing of prompts, rewards or how an answer is stored.

/**
 * The outcome of comparing an answer with the gold answer. `reason` is a short sentence for a person; `rung` names the
 * step of the verifier that decided (for example `integer`, `rational`, `letter`, `text`, `extract`, `bound`).
 */
export type Verdict = {
  verdict: 'right' | 'wrong' | 'undecided';
  reason: string;
  rung: string;
};

/** The final answer read from a response; `start` and `end` are UTF-16 offsets of `text` in the response. */
export interface Extraction {
  text: string;
  start: number;
  end: number;
}

/** Decides whether a response answers a prompt. No method ever throws, whatever the input. */
export interface Verifier {
  readonly name: string;
  /** Reads the final answer from a response; undefined where the response gives none. */
  extract(response: string): Extraction | undefined;
  /** Compares two answers. Swapping them gives the same verdict. */
  compare(gold: string, answer: string): Verdict;
  /** `extract`, then `compare`; a response without a final answer is `wrong` (rung `extract`). */
  verify(gold: string, response: string): Verdict;
  /**
   * Equivalence classes of the answers of one group: a class index per answer in order of first appearance, -1 for a
   * missing or unreadable answer. Two answers share an index exactly where `compare` calls them right.
   */
  classes(answers: readonly (string | undefined)[]): Int32Array;
}

/** How a verifier reads and bounds its input. */
export interface VerifierSettings {
  /** Take the last number (or choice letter) of a response that marks no final answer. Default false. */
  lastResort?: boolean;
  /** Longest answer that is compared, in UTF-16 units; a longer one is `undecided`. Default 4096. */
  maxAnswerChars?: number;
  /** Longest response that is searched, in UTF-16 units; only its last part is read. Default 1,000,000. */
  maxResponseChars?: number;
  /** A comparison that has taken longer than this, in milliseconds, is `undecided`. Default 1000. */
  deadlineMs?: number;
}
