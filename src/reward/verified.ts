// The reward of a prompt with a bought label: 1 where the verifier says right. It reads labels only through the port it
// is given and cannot see an answer that was not bought.
import type { Group, GroupReward, LabelOf, Reward, UndecidedPolicy, VerifierOf } from './types.ts';
import { countVotes } from './votes.ts';
import { checkedWeight } from './weight.ts';

export interface VerifiedSettings {
  /** What an undecided response gets. Default `zero`. */
  undecided?: UndecidedPolicy;
}

/** 1 for right, 0 for wrong, the policy for undecided; no gradient where the prompt has no label. */
export function verifiedReward(
  labelOf: LabelOf,
  verifierOf: VerifierOf,
  settings: VerifiedSettings = {},
): Reward {
  const unsure = settings.undecided === 'drop' ? Number.NaN : 0;
  return {
    kind: 'verified',
    score(group: Group): GroupReward {
      const verifier = verifierOf(group.promptId);
      const label = labelOf(group.promptId);
      const vote = countVotes(group.responses, verifier);
      const common = {
        kind: 'verified',
        weight: checkedWeight(group.weight),
        voteShare: vote.share,
        majorityClass: vote.winner,
        majorityAnswer: vote.answer,
      } as const;
      if (label === undefined) return { ...common, rewards: null, reason: 'no label was bought' };
      const verdicts = group.responses.map((response) => verifier.verify(label, response).verdict);
      const count = (wanted: string) => verdicts.filter((verdict) => verdict === wanted).length;
      const undecided = count('undecided');
      const reason = `${count('right')} right, ${count('wrong')} wrong, ${undecided} undecided`;
      if (Number.isNaN(unsure) && undecided === verdicts.length) {
        return { ...common, rewards: null, reason: 'no rollout could be decided' };
      }
      const rewards = Float64Array.from(verdicts, (verdict) =>
        verdict === 'undecided' ? unsure : Number(verdict === 'right'),
      );
      return { ...common, rewards, reason };
    },
  };
}
