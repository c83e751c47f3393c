/**
 * Uncertainty consistency (arXiv 2601.22595, METHOD section 8): does what a policy is unsure of go wrong?
 *
 * Per rollout k of a group of K: subjective uncertainty U_k = exp(mean negative log-likelihood), the perplexity of
 * its tokens at the temperature that it was sampled with (at least 1), and correctness R_k, 0 or 1. Without a label R_k
 * is whether rollout k voted with the majority: a proxy, and called one wherever it is used.
 *
 * Offline, r_pb = `pointBiserial(U, R)`, the Pearson correlation of U and R; small is consistent. Online,
 *
 *     r = (1/K) (sum over A_k > 0 of A_k / U_k + gamma sum over A_k < 0 of A_k / U_k)
 *
 * with group-normalised advantages A_k; large is consistent. With p the share of right rollouts, h1 and h0 the means of
 * 1/U over the right and the wrong ones, m1 and m0 those of U, and s the population standard deviation of U,
 *
 *     r = c sqrt(p (1 - p)) (h1 - gamma h0),    r_pb = sqrt(p (1 - p)) (m1 - m0) / s,
 *
 * c = sqrt((K - 1) / K) for the sample deviation that advantages are divided by (and the 1e-6 added to it). The paper
 * claims that r falls strictly as r_pb rises. From one group to another of the same size it does so, whatever
 * gamma >= 0 is, where
 *
 * 1. p is the same, 0 < p < 1;
 * 2. s is the same, s > 0;
 * 3. in order of size, each right rollout is at least as uncertain as before and one of them more so, and each wrong one
 *    at most as uncertain as before.
 *
 * Then m1 - m0 rises and h1 falls, both strictly, and h0 does not fall. A case of it: the same perplexities, and the
 * mark "right" moves from one rollout to a more uncertain one. To first order in the spread of U around its mean u, 3 is
 * not needed: r = c sqrt(p (1 - p)) ((1 - gamma) / u - (m1 - m0) (1 - p + gamma p) / u^2), which is linear in r_pb for
 * given p, u and s. In general it is: 1/U is convex, so that a wide spread among the right ones raises h1 whatever
 * m1 does (the tests have such a pair).
 */
import { advantagesOf } from '../reward/advantages.ts';
import type { Response } from '../rollout/types.ts';
import type { Group } from './types.ts';

/** U and R of the rollouts of one group that could be judged. [K] each */
export interface Judged {
  perplexities: Float64Array;
  /** 0 or 1. */
  correct: Float64Array;
  /** R is agreement with the majority, for want of a label. */
  proxy: boolean;
}

/** exp of the mean negative log-likelihood of the response's tokens, at least 1; 1 for a response without tokens. */
export function perplexityOf({ logprobs }: Pick<Response, 'logprobs'>): number {
  const sum = logprobs.reduce((total, one) => total + one, 0);
  return Math.exp(-sum / Math.max(1, logprobs.length));
}

/**
 * U and R of a group: by its label, or by its vote. Rollouts that the verifier left out are left out. null where there is
 * nothing to go by: no target, no verified reward, or no single majority.
 */
export function judged({ target, reward, vote, responses }: Group): Judged | null {
  const proxy = target.kind === 'vote';
  const marks = proxy ? votedRight(vote) : target.kind === 'label' ? reward.rewards : null;
  if (marks === null) return null;
  const counted = [...marks.keys()].filter((k) => !Number.isNaN(marks[k]));
  return {
    perplexities: Float64Array.from(counted, (k) => perplexityOf(responses[k])),
    correct: Float64Array.from(counted, (k) => marks[k]),
    proxy,
  };
}

function votedRight({ winner, classes }: Group['vote']): Float64Array | null {
  if (winner === null) return null;
  return Float64Array.from(classes, (index) => (index === winner ? 1 : 0));
}

/**
 * The online metric r; null where all rollouts agree, so that there is no advantage. Advantages are made from R here:
 * neither a prompt's weight nor `train.advantage` has a say in how consistent a group is.
 */
export function onlineConsistency(
  { perplexities, correct }: Pick<Judged, 'perplexities' | 'correct'>,
  gamma: number,
): number | null {
  const size = correct.length;
  const { values, gradient } = advantagesOf({ rewards: correct }, size, { scale: 'std' });
  if (!gradient) return null;
  const terms = values.map((a, k) => ((a > 0 ? 1 : gamma) * a) / perplexities[k]);
  return terms.reduce((sum, term) => sum + term, 0) / size;
}

/** How many of `n` a share keeps: to the nearest, at least 1 of any. */
export function keptOf(n: number, share: number): number {
  return n === 0 ? 0 : Math.max(1, Math.round(share * n));
}
