// Equivalence classes of the answers of one group, at a cost that stays linear in the size of the group. Knows nothing of
// threads or of how answers are compared.
import type { Reading, Verdict } from './types.ts';

/** What classes are made with. Neither may reject. */
export interface Comparer {
  /** Null where the answer cannot be read. */
  read(answer: string): Promise<Reading | null>;
  compare(gold: string, answer: string): Promise<Verdict>;
}

/** Classes of one bucket that a new answer is compared with: enough for 64 answers that are all different. */
const maxLeaders = 63;

/** The first answer of a class. */
interface Leader {
  key: string;
  answer: string;
}

/**
 * A class index per answer in order of first appearance; -1 for an answer that is missing or that cannot be read.
 *
 * Every different text is read once. Equal keys are one class. Answers with other keys are compared, within their bucket
 * only, with the first answers of at most `maxLeaders` classes: at most 2,016 comparisons for 64 answers, and 63 per
 * answer beyond that. An answer that is compared with all of these and is none is a class of its own, and so is one that
 * is only undecided against them.
 */
export async function classesOf(
  answers: readonly (string | undefined)[],
  comparer: Comparer,
): Promise<Int32Array> {
  const texts = [...new Set(answers)].filter((answer) => answer !== undefined);
  const readings = await Promise.all(texts.map((text) => comparer.read(text)));
  const leaders = new Map<string, Leader[]>();
  /** The key of its class for every key. */
  const joined = new Map<string, string>();
  for (const [i, reading] of readings.entries()) {
    if (reading === null || joined.has(reading.key)) continue;
    const { key, bucket } = reading;
    const answer = texts[i];
    const own = leaders.get(bucket) ?? [];
    leaders.set(bucket, own);
    // All at once: they run side by side, and none depends on another.
    const verdicts = await Promise.all(
      own.map((leader) => comparer.compare(leader.answer, answer)),
    );
    const found = own[verdicts.findIndex(({ verdict }) => verdict === 'right')];
    joined.set(key, found?.key ?? key);
    if (found === undefined && own.length < maxLeaders) own.push({ key, answer });
  }
  const keyOf = new Map(texts.map((text, i) => [text, readings[i]?.key]));
  const indices = new Map<string, number>();
  return Int32Array.from(answers, (answer) => {
    const key = answer === undefined ? undefined : keyOf.get(answer);
    const name = key === undefined ? undefined : joined.get(key);
    if (name === undefined) return -1;
    const index = indices.get(name) ?? indices.size;
    indices.set(name, index);
    return index;
  });
}
