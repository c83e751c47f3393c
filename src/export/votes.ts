// The majority answers of rollouts, frozen for trainers that see one response at a time. Knows no labels.
import type { FrozenVote } from './types.ts';

/** What a vote is counted from: one rollout as it was classified when it was traced. */
export interface Ballot {
  promptId: string;
  answer: string | null;
  /** Class of equal answers within the prompt; -1 where there is none. */
  answerClass: number;
}

export interface VoteRules {
  /** Smallest share of all rollouts of the prompt that makes a majority usable, 0..1. */
  minShare: number;
  /** Smallest number of votes: one vote agrees with nobody. */
  minVotes: number;
}

/**
 * The usable majority per prompt, as training would count it: one vote a rollout, responses without an answer count
 * against the share, and a tie is no majority. Prompts without one are left out.
 */
export function frozenVotes(
  ballots: Iterable<Ballot>,
  { minShare, minVotes }: VoteRules,
): Map<string, FrozenVote> {
  const counts = new Map<string, { samples: number; classes: Map<number, Counted> }>();
  for (const { promptId, answer, answerClass } of ballots) {
    const own = counts.get(promptId) ?? { samples: 0, classes: new Map<number, Counted>() };
    counts.set(promptId, own);
    own.samples++;
    if (answerClass < 0 || answer === null) continue;
    const known = own.classes.get(answerClass);
    if (known === undefined) own.classes.set(answerClass, { answer, votes: 1 });
    else known.votes++;
  }
  const usable = new Map<string, FrozenVote>();
  for (const [promptId, { samples, classes }] of counts) {
    const [first, second] = [...classes].sort(([, a], [, b]) => b.votes - a.votes);
    if (first === undefined || first[1].votes === second?.[1].votes) continue;
    const [answerClass, { answer, votes }] = first;
    const share = votes / samples;
    if (votes < minVotes || share < minShare) continue;
    usable.set(promptId, { answer, answerClass, votes, samples, share });
  }
  return usable;
}

interface Counted {
  answer: string;
  votes: number;
}
