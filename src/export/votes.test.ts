import { expect, it } from 'vitest';
import { type Ballot, frozenVotes } from './votes.ts';

const rules = { minShare: 0.75, minVotes: 2 };

/** Ballots of one prompt: the class of each rollout, -1 for no answer. */
function ballots(promptId: string, classes: readonly number[]): Ballot[] {
  return classes.map((answerClass, i) => ({
    promptId,
    answerClass,
    answer: answerClass < 0 ? null : `answer ${answerClass} as ${i} wrote it`,
  }));
}

it('freezes the majority with its class, votes, samples and share, as its first member wrote it', () => {
  const votes = frozenVotes(ballots('a', [1, 0, 0, 0]), rules);
  expect(Object.fromEntries(votes)).toEqual({
    a: { answer: 'answer 0 as 1 wrote it', answerClass: 0, votes: 3, samples: 4, share: 0.75 },
  });
});

it('has no majority in a tie, below the share, of one vote, or where nobody answers', () => {
  const found = frozenVotes(
    [
      ...ballots('tie', [0, 0, 1, 1]),
      ...ballots('split', [0, 0, 1, 2]),
      ...ballots('alone', [0]),
      ...ballots('silent', [-1, -1]),
    ],
    { ...rules, minShare: 0 },
  );
  expect([...found.keys()]).toEqual(['split']);
  expect(frozenVotes(ballots('split', [0, 0, 1, 2]), rules).size).toBe(0);
});

it('counts rollouts without an answer against the share', () => {
  expect(frozenVotes(ballots('a', [0, 0, -1, -1]), rules).size).toBe(0);
  expect(frozenVotes(ballots('a', [0, 0, 0, -1]), rules).get('a')?.share).toBe(0.75);
});
