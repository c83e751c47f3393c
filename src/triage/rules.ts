/**
 * The three rules that cut a ranked pool into routes. Pure: lists in, routes out. Knows nothing of
 * probes' answers or of what a score means.
 */
import { utility } from './calibration.ts';
import type { Route, TriageSettings } from './types.ts';

/** A prompt as the rules see it, least uncertain first. */
export interface Candidate {
  /** Has its label already (probes included): goes to `annotate` and costs nothing more. */
  owned: boolean;
  /** Calibrated pass rate and its lower bound; NaN where there is no calibration. */
  mu: number;
  muLow: number;
  /** Probability that the majority answer is right; NaN where there is no calibration. */
  vote: number;
}

/** A route and the reason for it, a word or two. */
export interface Routed {
  route: Route;
  reason: string;
}

export type Rule = (candidates: readonly Candidate[], settings: TriageSettings) => Routed[];

const owned: Routed = { route: 'annotate', reason: 'labelled' };
const lowBand: Routed = { route: 'discard', reason: 'low_band' };
const middleBand: Routed = { route: 'self', reason: 'middle_band' };
const highBand: Routed = { route: 'annotate', reason: 'high_band' };
const overBudget: Routed = { route: 'discard', reason: 'over_label_budget' };

/** Labels that may still be bought. */
function labelsLeft(candidates: readonly Candidate[], settings: TriageSettings): number {
  if (settings.labels === null) return Infinity;
  const spent = candidates.filter((one) => one.owned).length;
  return Math.max(0, Math.floor(settings.labels) - spent);
}

/**
 * Shares of the pool: the least uncertain are discarded, the most uncertain annotated. The annotate
 * share includes the prompts whose labels are owned. Where the label budget is smaller than the
 * share, what it does not reach is discarded: its vote cannot be trusted either.
 */
export const quotaRule: Rule = (candidates, settings) => {
  const n = candidates.length;
  const free = candidates.flatMap((one, rank) => (one.owned ? [] : [rank]));
  const spent = n - free.length;
  const wanted = clamp(Math.round(settings.quota.annotate * n) - spent, 0, free.length);
  const discarded = Math.min(Math.round(settings.quota.discard * n), free.length - wanted);
  const bought = Math.min(wanted, labelsLeft(candidates, settings));
  const routed = candidates.map(() => owned);
  for (const [i, rank] of free.entries()) {
    if (i < discarded) routed[rank] = lowBand;
    else if (i < free.length - wanted) routed[rank] = middleBand;
    else if (i < free.length - wanted + bought) routed[rank] = highBand;
    else routed[rank] = overBudget;
  }
  return routed;
};

/**
 * Discard while the lower bound of mu stays at or above `hi`; self while the vote is expected to be
 * right with probability `voteFloor`; else annotate. Where labels run out, those with the most
 * expected utility are bought and the rest is discarded, since its vote cannot be trusted.
 */
export const riskRule: Rule = (candidates, settings) => {
  const routed = candidates.map((one): Routed => {
    if (one.owned) return owned;
    if (one.muLow >= settings.hi) return { route: 'discard', reason: 'mastered' };
    if (one.vote >= settings.voteFloor) return { route: 'self', reason: 'vote_trusted' };
    return { route: 'annotate', reason: 'vote_doubtful' };
  });
  const wanted = routed.flatMap((one, rank) => (one.reason === 'vote_doubtful' ? [rank] : []));
  wanted.sort((a, b) => utility(candidates[b].mu) - utility(candidates[a].mu) || a - b);
  for (const rank of wanted.slice(labelsLeft(candidates, settings))) routed[rank] = overBudget;
  return routed;
};

/** What training on the vote is worth: a wrong vote pushes as hard the wrong way as a right one helps. */
export function selfUtility(one: Candidate): number {
  return utility(one.mu) * Math.max(0, 2 * one.vote - 1);
}

/**
 * The most expected utility within the label budget and the number of training prompts.
 *
 * A label has a price lambda; at a price every prompt takes its better offer, max(u - lambda, self),
 * and the best prompts are trained on. The lowest price that the budget can pay is found by
 * bisection (Lagrangian relaxation); labels that a tie at the price leaves over go to the largest gains.
 */
export const budgetRule: Rule = (candidates, settings) => {
  const free = candidates.flatMap((one, rank) => (one.owned ? [] : [rank]));
  const labels = labelsLeft(candidates, settings);
  const spent = candidates.length - free.length;
  const places =
    settings.trainPrompts === null
      ? free.length
      : clamp(Math.floor(settings.trainPrompts) - spent, 0, free.length);
  const offers = free.map((rank) => ({
    rank,
    labelled: utility(candidates[rank].mu),
    self: selfUtility(candidates[rank]),
  }));
  const chosen = atLowestPrice(offers, labels, places);
  const routed = candidates.map((one): Routed => {
    return one.owned ? owned : { route: 'discard', reason: 'little_utility' };
  });
  for (const { rank, buy } of chosen) {
    routed[rank] = buy
      ? { route: 'annotate', reason: 'label_pays' }
      : { route: 'self', reason: 'vote_suffices' };
  }
  return routed;
};

interface Offer {
  rank: number;
  labelled: number;
  self: number;
}
interface Choice extends Offer {
  buy: boolean;
}

function atLowestPrice(offers: readonly Offer[], labels: number, places: number): Choice[] {
  const atPrice = (price: number): Choice[] =>
    offers
      .map((offer) => ({ ...offer, buy: offer.labelled - price > offer.self }))
      .map((offer) => ({ ...offer, worth: offer.buy ? offer.labelled - price : offer.self }))
      .filter((offer) => offer.worth > 0)
      .sort((a, b) => b.worth - a.worth || a.rank - b.rank)
      .slice(0, places);
  const bought = (choices: readonly Choice[]) => choices.filter((one) => one.buy).length;
  let chosen = atPrice(0);
  if (bought(chosen) > labels) {
    let [low, high] = [0, 1]; // at price 1 nothing is bought: utilities are 0.5 at most
    chosen = atPrice(high);
    for (let i = 0; i < 60; i++) {
      const price = (low + high) / 2;
      const choices = atPrice(price);
      if (bought(choices) > labels) low = price;
      else [high, chosen] = [price, choices];
    }
  }
  return spendRest(chosen, offers, labels - bought(chosen), places);
}

/** Uses labels and places that a tie at the price left over, the largest gain first. */
function spendRest(
  chosen: readonly Choice[],
  offers: readonly Offer[],
  labels: number,
  places: number,
): Choice[] {
  const byRank = new Map(chosen.map((one) => [one.rank, one]));
  const gainOf = (offer: Offer) => offer.labelled - (byRank.has(offer.rank) ? offer.self : 0);
  const rest = offers
    .filter((offer) => byRank.get(offer.rank)?.buy !== true && gainOf(offer) > 0)
    .sort((a, b) => gainOf(b) - gainOf(a) || a.rank - b.rank);
  for (const offer of rest) {
    if (labels <= 0) break;
    if (!byRank.has(offer.rank) && byRank.size >= places) continue;
    byRank.set(offer.rank, { ...offer, buy: true });
    labels--;
  }
  return [...byRank.values()];
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
