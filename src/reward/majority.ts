// The reward of a prompt without a label: agreement with the majority answer of its own group (TTRL, METHOD section 6).
// A group without a usable majority gives no gradient rather than a guess. Knows no labels.
import type { GroupReward, Seen } from './types.ts';
import type { Vote } from './votes.ts';

export interface MajoritySettings {
  /** Smallest share of all rollouts that makes a majority usable, in [0, 1]. Default 0. */
  minShare?: number;
  /** Smallest number of votes that makes a majority usable. Default 2: one vote agrees with nobody. */
  minVotes?: number;
}

/** 1 for rollouts in the majority class, 0 for all others; no gradient on a tie or too small a majority. */
export function majorityReward(
  { vote }: Pick<Seen, 'vote'>,
  settings: MajoritySettings = {},
): GroupReward {
  const refusal = refusalOf(vote, settings);
  return {
    kind: 'majority',
    rewards:
      refusal === undefined
        ? Float64Array.from(vote.classes, (index) => (index === vote.winner ? 1 : 0))
        : null,
    reason: refusal ?? `majority of ${vote.votes} of ${vote.classes.length} rollouts`,
    undecided: [],
  };
}

/** Why a vote is no usable majority; undefined where it is one. */
export function refusalOf(vote: Vote, settings: MajoritySettings = {}): string | undefined {
  const { minShare = 0, minVotes = 2 } = settings;
  if (vote.votes === 0) return 'no rollout gives an answer that can be read';
  if (vote.tied) return `a tie at ${vote.votes} votes each`;
  if (vote.votes < minVotes) return `only ${vote.votes} votes, wanted ${minVotes}`;
  if (vote.share < minShare) return `a vote share of ${vote.share}, wanted ${minShare}`;
  return undefined;
}
