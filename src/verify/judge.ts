// A judge of one kind of answers: finds the answer in a response, bounds it, compares it. What an answer means is the
// kind's affair; deadlines are the pool's.
import type { Bounds, Extraction, Judge, Kind, Reading, Verdict } from './types.ts';

/** What could be the final answer of a response, the best first. */
export type Extract = (response: string) => Extraction[];

/** Marks that a gold answer may carry: then it is a worked solution, and what is marked is the answer. */
const goldMarks: readonly string[] = ['boxed', 'hashes'];

export class AnswerJudge implements Judge {
  readonly name: string;
  private readonly kind: Kind;
  private readonly extract: Extract;
  private readonly bounds: Bounds;
  /** The responses of a group share their gold. */
  private lastGold: { gold: string; isReadable: boolean } | undefined;

  constructor(kind: Kind, extract: Extract, bounds: Bounds) {
    this.name = kind.name;
    this.kind = kind;
    this.extract = extract;
    this.bounds = bounds;
  }

  candidates(response: string): Extraction[] {
    const cut = Math.max(0, response.length - this.bounds.maxResponseChars);
    if (cut === 0) return this.extract(response);
    return this.extract(response.slice(cut)).map((found) => shifted(found, cut));
  }

  /** Null for an answer that is too long or that the kind cannot read. */
  read(answer: string): Reading | null {
    if (answer.length > this.bounds.maxAnswerChars) return null;
    try {
      return this.kind.read(answer);
    } catch {
      return null;
    }
  }

  /** `undecided` with rung `bound` beyond the bounds, with rung `error` where the kind throws. */
  compare(gold: string, answer: string): Verdict {
    const limit = this.bounds.maxAnswerChars;
    if (gold.length > limit || answer.length > limit) return tooLong(limit);
    try {
      return this.kind.compare(gold, answer);
    } catch (error) {
      return failed(error);
    }
  }

  verify(gold: string, response: string): Verdict {
    try {
      const [found] = this.candidates(response);
      if (found !== undefined) return this.against(this.answerOf(gold), found.text);
    } catch (error) {
      return failed(error);
    }
    const { maxResponseChars: limit } = this.bounds;
    if (response.length <= limit) return noAnswer;
    const reason = `no final answer in the last ${limit} characters`;
    return { verdict: 'undecided', reason, rung: 'bound' };
  }

  /** A gold answer that this kind cannot read says nothing of any response. */
  private against(gold: string, answer: string): Verdict {
    if (gold.length > this.bounds.maxAnswerChars) return this.compare(gold, answer);
    if (this.lastGold?.gold !== gold) {
      this.lastGold = { gold, isReadable: this.kind.read(gold) !== null };
    }
    if (this.lastGold.isReadable) return this.compare(gold, answer);
    const reason = `the gold answer cannot be read by the verifier ${this.name}`;
    return { verdict: 'undecided', reason, rung: 'gold' };
  }

  /** A gold answer is taken as it is, but for a worked solution that marks its answer. */
  private answerOf(gold: string): string {
    const isData = this.kind.seek === 'json' || this.kind.seek === 'code';
    if (isData || !(gold.includes('boxed{') || gold.includes('####'))) return gold;
    return answerOfGold(gold, this.candidates(gold));
  }
}

/** The answer that a gold answer marks, or all of it; `found` are the candidates in it. */
export function answerOfGold(gold: string, found: readonly Extraction[]): string {
  return found.find(({ mark }) => goldMarks.includes(mark))?.text ?? gold;
}

/** `found` in a text that has `offset` more characters before it. */
export function shifted(found: Extraction, offset: number): Extraction {
  return { ...found, start: found.start + offset, end: found.end + offset };
}

/** The verdict on an answer of more than `limit` characters. */
export function tooLong(limit: number): Verdict {
  const reason = `an answer is longer than ${limit} characters`;
  return { verdict: 'undecided', reason, rung: 'bound' };
}

const noAnswer: Verdict = {
  verdict: 'wrong',
  reason: 'the response gives no final answer',
  rung: 'extract',
};

/** The verdict where the verifier itself failed. */
export function failed(error: unknown): Verdict {
  const said =
    error instanceof Error ? error.message.slice(0, 200) : `a ${typeof error} was thrown`;
  const reason = `the verifier failed: ${said}`;
  return { verdict: 'undecided', reason, rung: 'error' };
}
