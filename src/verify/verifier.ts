// The frame that every verifier here shares: bounds, deadline, comparison by canonical keys, classes. What an answer is
// read as comes from outside (readings.ts). Knows nothing of rewards: an `undecided` is only said, never scored.
import { markedAnswer } from './extract.ts';
import { mentions, type Reading } from './readings.ts';
import type { Extraction, Verdict, Verifier, VerifierSettings } from './types.ts';

export const verifierDefaults = {
  lastResort: false,
  maxAnswerChars: 4096,
  maxResponseChars: 1_000_000,
  deadlineMs: 1000,
} as const satisfies Required<VerifierSettings>;

/** What makes one verifier different from another. */
export interface Kind {
  name: string;
  read(answer: string): Reading;
  /** Finds an answer in a response that marks none; used only with the setting `lastResort`. */
  lastResort(response: string): Extraction | undefined;
}

/** A reading, or why there is none that could be trusted. */
type Bounded = { reading: Reading } | { refusal: Verdict };

/** A verifier of one kind; `now` gives milliseconds and is a parameter for tests only. */
export class KeyedVerifier implements Verifier {
  readonly name: string;
  private readonly kind: Kind;
  private readonly settings: Required<VerifierSettings>;
  private readonly now: () => number;

  constructor(kind: Kind, settings: VerifierSettings, now = () => performance.now()) {
    this.name = kind.name;
    this.kind = kind;
    this.settings = { ...verifierDefaults, ...settings };
    this.now = now;
  }

  extract(response: string): Extraction | undefined {
    try {
      const cut = Math.max(0, response.length - this.settings.maxResponseChars);
      const tail = cut === 0 ? response : response.slice(cut);
      const found =
        markedAnswer(tail) ?? (this.settings.lastResort ? this.kind.lastResort(tail) : undefined);
      if (found === undefined) return undefined;
      return { text: found.text, start: found.start + cut, end: found.end + cut };
    } catch {
      return undefined;
    }
  }

  compare(gold: string, answer: string): Verdict {
    const until = this.now() + this.settings.deadlineMs;
    const left = this.bounded(gold, until);
    if ('refusal' in left) return left.refusal;
    const right = this.bounded(answer, until);
    if ('refusal' in right) return right.refusal;
    return verdictOf(left.reading, right.reading);
  }

  verify(gold: string, response: string): Verdict {
    const found = this.extract(response);
    if (found !== undefined) return this.compare(gold, found.text);
    if (response.length > this.settings.maxResponseChars) {
      const reason = `no final answer in the last ${this.settings.maxResponseChars} characters`;
      return { verdict: 'undecided', reason, rung: 'bound' };
    }
    return { verdict: 'wrong', reason: 'the response gives no final answer', rung: 'extract' };
  }

  classes(answers: readonly (string | undefined)[]): Int32Array {
    const seen = new Map<string, number>();
    return Int32Array.from(answers, (answer) => {
      if (answer === undefined) return -1;
      const read = this.bounded(answer, this.now() + this.settings.deadlineMs);
      const key = 'reading' in read ? read.reading.key : null;
      if (key === null) return -1;
      const known = seen.get(key);
      if (known !== undefined) return known;
      seen.set(key, seen.size);
      return seen.size - 1;
    });
  }

  private bounded(answer: string, until: number): Bounded {
    const limit = this.settings.maxAnswerChars;
    if (answer.length > limit)
      return refuse(`an answer is longer than ${limit} characters`, 'bound');
    let reading: Reading;
    try {
      reading = this.kind.read(answer);
    } catch (error) {
      return refuse(`an answer could not be read: ${String(error)}`, 'error');
    }
    if (this.now() > until) {
      return refuse(`reading took longer than ${this.settings.deadlineMs} ms`, 'deadline');
    }
    return { reading };
  }
}

function refuse(reason: string, rung: string): Bounded {
  return { refusal: { verdict: 'undecided', reason, rung } };
}

/** The verdict on two readings; the same whichever comes first. */
function verdictOf(a: Reading, b: Reading): Verdict {
  if (a.key !== null && a.key === b.key) {
    return { verdict: 'right', reason: `the same ${a.rung}`, rung: a.rung };
  }
  if (a.key === null && b.key === null) {
    return { verdict: 'undecided', reason: 'neither answer could be read', rung: 'unreadable' };
  }
  const doubt = doubtOf(a, b) ?? doubtOf(b, a);
  if (doubt !== undefined) return { verdict: 'undecided', ...doubt };
  if (a.key === null || b.key === null) {
    const { rung } = a.key === null ? b : a;
    return { verdict: 'wrong', reason: `only one answer is a ${rung}`, rung };
  }
  if (a.rung !== b.rung) {
    const kinds = [a.rung, b.rung].sort();
    return { verdict: 'wrong', reason: `a ${kinds[0]} against a ${kinds[1]}`, rung: 'form' };
  }
  return { verdict: 'wrong', reason: `another ${a.rung}`, rung: a.rung };
}

/** Differences that may be only a way of writing: to be decided by someone who knows the question. */
function doubtOf(a: Reading, b: Reading): { reason: string; rung: string } | undefined {
  if (a.number !== undefined && b.number !== undefined) {
    const { number: part } = a;
    const { number: whole } = b;
    const hundredfold = part.num * 100n * whole.den === whole.num * part.den;
    if (part.percent && !whole.percent && hundredfold) {
      return { reason: 'they differ only by a percent sign', rung: 'percent' };
    }
    return undefined;
  }
  if (a.items !== undefined && a.items === b.items) {
    return { reason: 'the same numbers in other brackets', rung: 'list' };
  }
  if (a.rung === 'number' && a.number !== undefined && b.items === undefined) {
    if (b.rung !== 'choice' && mentions(b.text, a.number)) {
      return { reason: 'the number is there with other text around it', rung: 'number' };
    }
  }
  if (a.rung === 'choice' && b.rung === 'text' && b.letter === a.letter) {
    return { reason: 'the letter is there with other text behind it', rung: 'choice' };
  }
  return undefined;
}
