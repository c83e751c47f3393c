/**
 * Pass rates of the probes, from their rollouts and the labels that were bought for them.
 */
import type { VerifierOf } from '../../reward/types.ts';
import { countVotes } from '../../reward/votes.ts';
import type { Probe } from '../../triage/types.ts';

/** A majority of one agrees with nobody: training would not use it either. */
const MIN_VOTES = 2;

/**
 * One probe per label whose prompt has rollouts: mu is the share of right answers among them, the vote is that of the
 * majority reward; null where that reward would find none.
 */
export async function measureProbes(
  labels: readonly { promptId: string; answer: string }[],
  rollouts: readonly { promptId: string; text: string }[],
  verifierOf: VerifierOf,
): Promise<Probe[]> {
  const texts = new Map<string, string[]>();
  for (const { promptId, text } of rollouts) {
    const list = texts.get(promptId);
    if (list === undefined) texts.set(promptId, [text]);
    else list.push(text);
  }
  const measured = labels.map(async ({ promptId, answer: gold }) => {
    const responses = texts.get(promptId);
    if (responses === undefined) return [];
    const verifier = verifierOf(promptId);
    const verdicts = await verifier.verify(gold, responses);
    const right = verdicts.filter(({ verdict }) => verdict === 'right');
    const { answer: vote, votes } = await countVotes(responses, verifier);
    const usable = vote !== null && votes >= MIN_VOTES;
    return [
      {
        promptId,
        passRate: right.length / responses.length,
        voteRight: usable ? (await verifier.compare(gold, vote)).verdict === 'right' : null,
      },
    ];
  });
  return (await Promise.all(measured)).flat();
}
