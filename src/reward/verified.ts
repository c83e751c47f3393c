// The reward of a prompt with a bought label: 1 where the verifier says right. It reads labels only through the port it
// is given and cannot see an answer that was not bought.
import type { Verdict } from '../verify/types.ts';
import type {
  Doubt,
  Group,
  GroupReward,
  LabelOf,
  Reward,
  UndecidedPolicy,
  VerifierOf,
} from './types.ts';
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
  const unsure = (settings.undecided ?? 'zero') === 'zero' ? 0 : Number.NaN;
  return {
    kind: 'verified',
    async score(group: Group): Promise<GroupReward> {
      const verifier = verifierOf(group.promptId);
      const label = labelOf(group.promptId);
      const vote = await countVotes(group.responses, verifier);
      const common = {
        kind: 'verified',
        weight: checkedWeight(group.weight),
        voteShare: vote.share,
        majorityClass: vote.winner,
        majorityAnswer: vote.answer,
      } as const;
      if (label === undefined) {
        return { ...common, rewards: null, reason: 'no label was bought', undecided: [] };
      }
      const verdicts = await verifier.verify(label, group.responses);
      const undecided = doubtsIn(verdicts);
      if (Number.isNaN(unsure) && undecided.length === verdicts.length) {
        return { ...common, rewards: null, reason: 'no rollout could be decided', undecided };
      }
      const count = (wanted: string) => verdicts.filter((one) => one.verdict === wanted).length;
      const reason = `${count('right')} right, ${count('wrong')} wrong, ${undecided.length} undecided`;
      const rewards = Float64Array.from(verdicts, ({ verdict }) =>
        verdict === 'undecided' ? unsure : Number(verdict === 'right'),
      );
      return { ...common, rewards, reason, undecided };
    },
  };
}

function doubtsIn(verdicts: readonly Verdict[]): Doubt[] {
  return verdicts.flatMap(({ verdict, reason, rung }, rollout) =>
    verdict === 'undecided' ? [{ rollout, reason, rung }] : [],
  );
}
