// Checks what a judge gives before it leaves the thread: fresh plain objects of the promised shape and bounded size, or
// an error. By hand, since this runs for every verdict.
import type { Extraction, Mark, Reading, Verdict } from '../types.ts';

const verdicts: readonly unknown[] = ['right', 'wrong', 'undecided'] satisfies Verdict['verdict'][];

const marks: Readonly<Record<Mark, true>> = {
  ...{ boxed: true, tag: true, hashes: true, phrase: true },
  ...{ whole: true, formula: true, conclusion: true, last: true },
};

/** Longer texts for a person are cut. */
const maxShown = 200;
const maxReason = 1000;
const maxCandidates = 64;

/** TypeError where `value` is no verdict. */
export function verdictIn(value: unknown): Verdict {
  const { verdict, reason, rung } = fieldsOf(value);
  if (!isVerdict(verdict)) throw new TypeError('it gave no verdict');
  return { verdict, reason: textIn(reason, maxReason), rung: textIn(rung, maxShown) };
}

/** TypeError where `value` is neither null nor a reading. */
export function readingIn(value: unknown): Reading | null {
  if (value === null) return null;
  const { key, bucket, kind, shown } = fieldsOf(value);
  if (typeof key !== 'string' || typeof bucket !== 'string') {
    throw new TypeError('it gave no reading');
  }
  return { key, bucket, kind: textIn(kind, maxShown), shown: textIn(shown, maxShown) };
}

/** TypeError where `value` is no list of candidates. */
export function candidatesIn(value: unknown): Extraction[] {
  if (!Array.isArray(value)) throw new TypeError('it gave no candidates');
  return value.slice(0, maxCandidates).map((one: unknown) => {
    const { text, start, end, mark } = fieldsOf(one);
    if (typeof text !== 'string' || typeof start !== 'number' || typeof end !== 'number') {
      throw new TypeError('it gave no candidates');
    }
    return { text, start, end, mark: isMark(mark) ? mark : 'last' };
  });
}

function isVerdict(value: unknown): value is Verdict['verdict'] {
  return verdicts.includes(value);
}

function isMark(value: unknown): value is Mark {
  return typeof value === 'string' && Object.hasOwn(marks, value);
}

function fieldsOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null)
    throw new TypeError('it gave nothing that is one');
  return value as Record<string, unknown>;
}

function textIn(value: unknown, limit: number): string {
  if (typeof value !== 'string') throw new TypeError('it gave no text where a text belongs');
  return value.length > limit ? value.slice(0, limit) : value;
}
