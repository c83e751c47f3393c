// The frame of verifiers that a user brings: what they are not asked for (candidates, readings, bounds) is done here.
// Knows nothing of modules or processes.
import { z } from 'zod';
import { type Extract, shifted, tooLong } from '../judge.ts';
import type { Bounds, Extraction, Judge, Reading, Verdict } from '../types.ts';

/** What a custom verifier may answer; `true` is right and `false` is wrong. */
export type CustomResult =
  | boolean
  | { verdict: 'right' | 'wrong' | 'undecided'; reason?: string | undefined };

/** One gold answer against one response, by a user's own means. */
export interface Checker {
  readonly name: string;
  /** `bare`: the response is an answer alone (two answers of a group are compared). Throws on failure. */
  check(gold: string, response: string, bare: boolean): Promise<Verdict>;
  /** Finds the answer in a response; without it `Extract` does. */
  extract?: Extract;
  warm?(): Promise<void>;
  close?(): Promise<void>;
}

/** Around every checker: what finds answers for showing and voting, and the bounds. */
export interface Frame {
  extract: Extract;
  bounds: Bounds;
}

/** Symmetric only where the checker is. A checker that throws is `undecided`, rung `custom`. */
export class CustomJudge implements Judge {
  readonly name: string;
  private readonly checker: Checker;
  private readonly frame: Frame;

  constructor(checker: Checker, frame: Frame) {
    this.name = checker.name;
    this.checker = checker;
    this.frame = frame;
  }

  candidates(response: string): Extraction[] {
    const extract = this.checker.extract ?? this.frame.extract;
    const cut = this.cutOf(response);
    return extract(response.slice(cut)).map((found) => shifted(found, cut));
  }

  /** Equal texts are equal; of any others only the checker knows, so that all share one bucket. */
  read(answer: string): Reading | null {
    const text = answer.trim();
    if (text === '' || text.length > this.frame.bounds.maxAnswerChars) return null;
    return { key: `custom:${text}`, bucket: 'custom', kind: 'text', shown: text.slice(0, 200) };
  }

  async compare(gold: string, answer: string): Promise<Verdict> {
    const limit = this.frame.bounds.maxAnswerChars;
    if (gold.length > limit || answer.length > limit) return tooLong(limit);
    return this.ask(gold, answer, true);
  }

  /** The checker sees the response as it is, or the last part of one that is too long. */
  async verify(gold: string, response: string): Promise<Verdict> {
    return this.ask(gold, response.slice(this.cutOf(response)), false);
  }

  async warm(): Promise<void> {
    await this.checker.warm?.();
  }

  async close(): Promise<void> {
    await this.checker.close?.();
  }

  private async ask(gold: string, response: string, bare: boolean): Promise<Verdict> {
    try {
      return await this.checker.check(gold, response, bare);
    } catch (error) {
      return failure(error);
    }
  }

  private cutOf(response: string): number {
    return Math.max(0, response.length - this.frame.bounds.maxResponseChars);
  }
}

const reason = z.string().optional();
const words = z.enum(['right', 'wrong', 'undecided']);

export const verdictSchema = z.object({ verdict: words, reason });

const resultSchema = z.union([z.boolean(), verdictSchema]);

/** What a custom verifier returned, as a verdict. Throws where it is none. */
export function verdictOf(result: unknown): Verdict {
  const parsed = resultSchema.safeParse(result);
  if (!parsed.success) {
    throw new TypeError(`it gave ${described(result)}, wanted true, false or {verdict, reason}`);
  }
  const value = parsed.data;
  if (typeof value === 'boolean') {
    const word = value ? 'right' : 'wrong';
    return { verdict: word, reason: `the verifier says ${word}`, rung: 'custom' };
  }
  const said = value.reason ?? `the verifier says ${value.verdict}`;
  return { verdict: value.verdict, reason: said.slice(0, 500), rung: 'custom' };
}

/** The verdict where a custom verifier failed. */
export function failure(error: unknown): Verdict {
  const said = error instanceof Error ? error.message : described(error);
  const text = `the verifier failed: ${said}`.slice(0, 500);
  return { verdict: 'undecided', reason: text, rung: 'custom' };
}

function described(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? typeof value).slice(0, 100);
  } catch {
    return typeof value;
  }
}
