/**
 * Is a stored response right? Held against the labels of an account; where there is none, nobody knows.
 *
 * A verdict is kept in memory under what it was made from, so that paging back and forth does not judge again.
 */
import type { Repositories, StoredRollout } from '../store/types.ts';
import type { Verdict } from '../verify/types.ts';
import type { ServerContext } from './types.ts';

/** Verdicts kept at most. */
const KEPT = 5_000;

/** A response with what its verifier is chosen by. */
export type Judged = Pick<StoredRollout, 'promptId' | 'sample' | 'text'> & { source: string };

export interface Verdicts {
  /** The first label of each prompt that has one. */
  labels(promptIds: readonly string[]): Promise<Map<string, string>>;
  of(round: number, response: Judged, label: string): Promise<Verdict['verdict']>;
}

export function openVerdicts(
  context: Pick<ServerContext, 'verifiers' | 'account'> & { store: Pick<Repositories, 'labels'> },
): Verdicts {
  const known = new Map<string, Verdict['verdict']>();
  return {
    async labels(promptIds) {
      const owned = await context.store.labels.owned(context.account, [...new Set(promptIds)]);
      const first = new Map<string, string>();
      for (const { promptId, answer } of owned) {
        if (!first.has(promptId)) first.set(promptId, answer);
      }
      return first;
    },
    async of(round, { promptId, sample, text, source }, label) {
      const key = JSON.stringify([round, promptId, sample, text.length, label]);
      const before = known.get(key);
      if (before !== undefined) return before;
      const [{ verdict }] = await context.verifiers.of(source).verify(label, [text]);
      const [oldest] = known.keys();
      if (known.size >= KEPT && oldest !== undefined) known.delete(oldest);
      known.set(key, verdict);
      return verdict;
    },
  };
}
