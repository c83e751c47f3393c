/**
 * The decisions of a plan, made from columns as they are gone through: as objects those of a million prompts take half a
 * gigabyte. Knows nothing of how the routes were found.
 */
import { curveAt, utility } from './calibration.ts';
import type { Ranking } from './ranking.ts';
import type { Candidate, Routed } from './rules.ts';
import type {
  CalibrationPoint,
  Decision,
  Evidence,
  RuleName,
  TriagePlan,
  TriageSettings,
} from './types.ts';

/** The calibration at every rank, as columns; `vote` is NaN where no probe has a vote. */
interface Expected {
  mu: Float64Array;
  muLow: Float64Array;
  muHigh: Float64Array;
  vote: Float64Array;
  voteLow: Float64Array;
}

/** A ranked pool with its calibration, before and after it is cut into routes. */
export class RankedPool {
  readonly ranking: Ranking;
  /** null without probes. */
  readonly expected: Expected | null;
  private readonly probes: Uint8Array;
  private readonly owned: Uint8Array;

  constructor(
    ranking: Ranking,
    curve: readonly CalibrationPoint[],
    probes: ReadonlySet<string>,
    labelled: ReadonlySet<string> | undefined,
  ) {
    const { promptIds, positions } = ranking;
    this.ranking = ranking;
    this.expected = expectedAt(curve, positions);
    this.probes = Uint8Array.from(promptIds, (id) => Number(probes.has(id)));
    this.owned = Uint8Array.from(promptIds, (id, rank) =>
      this.probes[rank] === 1 || labelled?.has(id) === true ? 1 : 0,
    );
  }

  /** What the rules see, by rank. */
  candidates(): Candidate[] {
    return Array.from(this.owned, (owned, rank): Candidate => {
      const mu = this.expected?.mu[rank] ?? Number.NaN;
      const vote = this.expected?.vote[rank] ?? Number.NaN;
      return {
        owned: owned === 1,
        mu,
        muLow: this.expected?.muLow[rank] ?? Number.NaN,
        // Without a vote on the probes mu stands in: a majority is right more often than one sample.
        vote: Number.isNaN(vote) ? mu : vote,
      };
    });
  }

  isProbe(rank: number): boolean {
    return this.probes[rank] === 1;
  }
}

function expectedAt(curve: readonly CalibrationPoint[], positions: Float64Array): Expected | null {
  if (curve.length === 0) return null;
  const column = () => new Float64Array(positions.length).fill(Number.NaN);
  const [mu, muLow, muHigh, vote, voteLow] = [column(), column(), column(), column(), column()];
  for (const [rank, position] of positions.entries()) {
    const at = curveAt(curve, position);
    if (at === undefined) continue;
    mu[rank] = at.passRate.estimate;
    muLow[rank] = at.passRate.low;
    muHigh[rank] = at.passRate.high;
    if (at.vote === null) continue;
    vote[rank] = at.vote.estimate;
    voteLow[rank] = at.vote.low;
  }
  return { mu, muLow, muHigh, vote, voteLow };
}

/** By rank; can be gone through any number of times. */
export class Decisions implements Iterable<Decision> {
  private readonly pool: RankedPool;
  private readonly rule: RuleName;
  private readonly routed: readonly Routed[];

  constructor(pool: RankedPool, rule: RuleName, routed: readonly Routed[]) {
    this.pool = pool;
    this.rule = rule;
    this.routed = routed;
  }

  *[Symbol.iterator](): Generator<Decision> {
    const { ranking, expected } = this.pool;
    for (const [rank, promptId] of ranking.promptIds.entries()) {
      const probe = this.pool.isProbe(rank);
      yield {
        promptId,
        score: ranking.scores[rank],
        rank,
        route: this.routed[rank].route,
        probe,
        expectedPassRate: expected?.mu[rank] ?? null,
        evidence: evidenceOf(ranking, rank, expected),
        rule: ruleText(this.rule, this.routed[rank], probe),
      };
    }
  }

  /**
   * The cuts in units of the score: everything below the first is discarded, nothing above the second
   * is trained on its vote. Prompts with a label of their own do not move the cuts.
   */
  thresholds(): TriagePlan['thresholds'] {
    const { scores } = this.pool.ranking;
    const free = Uint32Array.from(this.routed.keys()).filter((rank) => !this.isOwned(rank));
    if (free.length === 0) return { discardBelow: 0, annotateAbove: 0 };
    const cut = (at: number): number => {
      if (at === 0) return scores[free[0]];
      if (at === free.length) return scores[free[at - 1]];
      return (scores[free[at - 1]] + scores[free[at]]) / 2;
    };
    const kept = free.findIndex((rank) => this.routed[rank].route !== 'discard');
    const low = kept === -1 ? free.length : kept;
    const last = free.findLastIndex((rank) => this.routed[rank].route === 'self');
    return { discardBelow: cut(low), annotateAbove: cut(Math.max(low, last + 1)) };
  }

  totals(settings: TriageSettings): Pick<TriagePlan, 'counts' | 'budget'> {
    const routes = { discard: 0, self: 0, annotate: 0 };
    let [probes, owned] = [0, 0];
    for (const [rank, { route }] of this.routed.entries()) {
      routes[route]++;
      if (this.pool.isProbe(rank)) probes++;
      if (this.isOwned(rank)) owned++;
    }
    const { labels, trainPrompts } = settings;
    return {
      counts: { pool: this.routed.length, ...routes, probes },
      budget: { owned, toBuy: routes.annotate - owned, labels, trainPrompts },
    };
  }

  /** Prompts that the budget of labels does not reach. */
  beyondBudget(): number {
    return this.routed.reduce((sum, { reason }) => sum + Number(reason === 'over_label_budget'), 0);
  }

  private isOwned(rank: number): boolean {
    return this.routed[rank].reason === 'labelled';
  }
}

function ruleText(rule: RuleName, { reason }: Routed, probe: boolean): string {
  if (reason === 'labelled') return probe ? 'probe' : 'labelled';
  return `${rule}:${reason}`;
}

function evidenceOf(ranking: Ranking, rank: number, expected: Expected | null): Evidence {
  const { estimator } = ranking;
  const [score, position] = [ranking.scores[rank], ranking.positions[rank]];
  if (expected === null) return { estimator, score, position };
  const mu = expected.mu[rank];
  const [mu_low, mu_high] = [expected.muLow[rank], expected.muHigh[rank]];
  const evidence: Evidence = {
    estimator,
    score,
    position,
    mu,
    mu_low,
    mu_high,
    utility: utility(mu),
  };
  const vote = expected.vote[rank];
  if (Number.isNaN(vote)) return evidence;
  // Added in place: a copy takes three times as long, and this is done twice for every prompt.
  evidence.vote = vote;
  evidence.vote_low = expected.voteLow[rank];
  return evidence;
}
