// Counts the votes of one rollout group: one vote per rollout, for the equivalence class of its final answer. Knows no
// label and gives no reward.
import type { Verifier } from '../verify/types.ts';

/** The votes of one group of G rollouts. */
export interface Vote {
  /** Final answers as written, undefined where a response gives none. [G] */
  answers: (string | undefined)[];
  /** Class per rollout, -1 for none or unreadable. [G] */
  classes: Int32Array;
  /** Rollouts in the largest class. */
  votes: number;
  /** `votes` / G; 0 for an empty group. */
  share: number;
  /** The only largest class, or null where there is none or it is tied. */
  winner: number | null;
  /** The winner as its first member wrote it. */
  answer: string | null;
  /** Several classes share the largest count. */
  tied: boolean;
}

/** Votes by equivalence class, not by string. */
export async function countVotes(
  responses: readonly string[],
  verifier: Pick<Verifier, 'extract' | 'classes'>,
): Promise<Vote> {
  const answers = (await verifier.extract(responses)).map((found) => found?.text);
  const classes = await verifier.classes(answers);
  const counts = new Map<number, number>();
  for (const index of classes) {
    if (index >= 0) counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  const votes = Math.max(0, ...counts.values());
  const largest = [...counts].filter(([, count]) => count === votes).map(([index]) => index);
  const winner = largest.length === 1 ? largest[0] : null;
  return {
    answers,
    classes,
    votes,
    share: responses.length === 0 ? 0 : votes / responses.length,
    winner,
    answer: winner === null ? null : (answers[classes.indexOf(winner)] ?? null),
    tied: largest.length > 1,
  };
}
