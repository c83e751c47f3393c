/**
 * Pass rates of the probes, from their rollouts and the labels that were bought for them.
 */
import { countVotes } from '../../reward/votes.ts';
import type { Probe } from '../../triage/types.ts';
import type { Verifier } from '../../verify/types.ts';

/** A majority of one agrees with nobody: training would not use it either. */
const MIN_VOTES = 2;

/**
 * One probe per label whose prompt has rollouts: mu is the share of right answers among them, the vote is that of the
 * majority reward; null where that reward would find none.
 */
export function measureProbes(
  labels: readonly { promptId: string; answer: string }[],
  rollouts: readonly { promptId: string; text: string }[],
  verifier: Verifier,
): Probe[] {
  const texts = new Map<string, string[]>();
  for (const { promptId, text } of rollouts) {
    const list = texts.get(promptId);
    if (list === undefined) texts.set(promptId, [text]);
    else list.push(text);
  }
  return labels.flatMap(({ promptId, answer: gold }) => {
    const responses = texts.get(promptId);
    if (responses === undefined) return [];
    const right = responses.filter((text) => verifier.verify(gold, text).verdict === 'right');
    const { answer: vote, votes } = countVotes(responses, verifier);
    const usable = vote !== null && votes >= MIN_VOTES;
    return [
      {
        promptId,
        passRate: right.length / responses.length,
        voteRight: usable ? verifier.compare(gold, vote).verdict === 'right' : null,
      },
    ];
  });
}
