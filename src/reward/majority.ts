// The reward of a prompt without a label: agreement with the majority answer of its own group (TTRL, METHOD section 6).
// A group without a usable majority gives no gradient rather than a guess. Knows no labels.
import type { Group, GroupReward, Reward, VerifierOf } from './types.ts';
import { countVotes, type Vote } from './votes.ts';
import { checkedWeight } from './weight.ts';

export interface MajoritySettings {
  /** Smallest share of all rollouts that makes a majority usable, in [0, 1]. Default 0. */
  minShare?: number;
  /** Smallest number of votes that makes a majority usable. Default 2: one vote agrees with nobody. */
  minVotes?: number;
}

/** 1 for rollouts in the majority class, 0 for all others; no gradient on a tie or too small a majority. */
export function majorityReward(verifierOf: VerifierOf, settings: MajoritySettings = {}): Reward {
  const { minShare = 0, minVotes = 2 } = settings;
  return {
    kind: 'majority',
    async score(group: Group): Promise<GroupReward> {
      const vote = await countVotes(group.responses, verifierOf(group.promptId));
      const refusal = refusalOf(vote, minShare, minVotes);
      const { winner } = vote;
      const counts = `${vote.votes} of ${group.responses.length} rollouts`;
      return {
        rewards:
          refusal === undefined
            ? Float64Array.from(vote.classes, (index) => (index === winner ? 1 : 0))
            : null,
        kind: 'majority',
        weight: checkedWeight(group.weight),
        voteShare: vote.share,
        majorityClass: winner,
        majorityAnswer: vote.answer,
        reason: refusal ?? `majority of ${counts}`,
        undecided: [],
      };
    },
  };
}

/** Why a vote is no usable majority; undefined where it is one. */
function refusalOf(vote: Vote, minShare: number, minVotes: number): string | undefined {
  if (vote.votes === 0) return 'no rollout gives an answer that can be read';
  if (vote.tied) return `a tie at ${vote.votes} votes each`;
  if (vote.votes < minVotes) return `only ${vote.votes} votes, wanted ${minVotes}`;
  if (vote.share < minShare) return `a vote share of ${vote.share}, wanted ${minShare}`;
  return undefined;
}
