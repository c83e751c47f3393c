// The reward of a prompt with a bought label: 1 where the verifier says right. It is given the label that counts and
// cannot see an answer that was not bought.
import type { Verdict, Verifier } from '../verify/types.ts';
import type { Doubt, GroupReward, Seen, UndecidedPolicy } from './types.ts';

/** 1 for right, 0 for wrong, the policy for undecided; no gradient where no rollout could be decided. */
export async function verifiedReward(
  { responses }: Pick<Seen, 'responses'>,
  label: string,
  verifier: Pick<Verifier, 'verify'>,
  policy: UndecidedPolicy = 'zero',
): Promise<GroupReward> {
  const unsure = policy === 'zero' ? 0 : Number.NaN;
  const verdicts = await verifier.verify(
    label,
    responses.map(({ text }) => text),
  );
  const undecided = doubtsIn(verdicts);
  const kind = 'verified';
  if (Number.isNaN(unsure) && undecided.length === verdicts.length) {
    return { kind, rewards: null, reason: 'no rollout could be decided', undecided };
  }
  const count = (wanted: string) => verdicts.filter((one) => one.verdict === wanted).length;
  const reason = `${count('right')} right, ${count('wrong')} wrong, ${undecided.length} undecided`;
  const rewards = Float64Array.from(verdicts, ({ verdict }) =>
    verdict === 'undecided' ? unsure : Number(verdict === 'right'),
  );
  return { kind, rewards, reason, undecided };
}

function doubtsIn(verdicts: readonly Verdict[]): Doubt[] {
  return verdicts.flatMap(({ verdict, reason, rung }, rollout) =>
    verdict === 'undecided' ? [{ rollout, reason, rung }] : [],
  );
}
