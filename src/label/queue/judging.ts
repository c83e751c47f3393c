/** The judge, asked as little as possible, and what it says of several answers to one prompt. */
import type { AnnotationKind, Judge } from './types.ts';

/** A few megabytes with answers of usual length. */
const rememberedPairs = 20_000;
const longestRemembered = 500;

/** The same judge; equal texts need no judgement, and short pairs that were judged lately are not judged again. */
export function remembering(judge: Judge): Judge {
  const known = new Map<string, boolean>();
  return {
    async equivalent(promptId, a, b) {
      if (a === b) return true;
      const key = JSON.stringify([promptId, ...(a < b ? [a, b] : [b, a])]);
      const before = known.get(key);
      if (before !== undefined) return before;
      const same = await judge.equivalent(promptId, a, b);
      if (key.length <= longestRemembered) {
        const [oldest] = known.size >= rememberedPairs ? known.keys() : [];
        if (oldest !== undefined) known.delete(oldest);
        known.set(key, same);
      }
      return same;
    },
  };
}

/** What somebody said of a prompt: an answer, or that it has none. */
export interface Said {
  kind: AnnotationKind;
  answer: string | null;
}

/** Do two people say the same? */
export async function sameSaid(judge: Judge, promptId: string, a: Said, b: Said): Promise<boolean> {
  if (a.kind !== b.kind) return false;
  if (a.answer === null || b.answer === null) return a.answer === b.answer;
  return await judge.equivalent(promptId, a.answer, b.answer);
}

/** Do all say the same? Every pair is asked: with tolerances a = b and b = c do not make a = c. */
export async function allSame(
  judge: Judge,
  promptId: string,
  said: readonly Said[],
): Promise<boolean> {
  for (const [i, a] of said.entries()) {
    for (const b of said.slice(i + 1)) {
      if (!(await sameSaid(judge, promptId, a, b))) return false;
    }
  }
  return true;
}

/**
 * A name per entry of `said`, equal for those that say the same: the text of the first one of its class, so that the
 * same answer to two prompts is one category. An entry joins the first class whose first one it equals.
 */
export async function categories(
  judge: Judge,
  promptId: string,
  said: readonly Said[],
): Promise<string[]> {
  const leaders: Said[] = [];
  const names: string[] = [];
  for (const one of said) {
    let leader: Said | undefined;
    for (const other of leaders) {
      if (await sameSaid(judge, promptId, other, one)) {
        leader = other;
        break;
      }
    }
    if (leader === undefined) leaders.push(one);
    const { kind, answer } = leader ?? one;
    names.push(JSON.stringify([kind, answer]));
  }
  return names;
}
