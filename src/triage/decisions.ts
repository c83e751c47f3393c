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

type Curve = ReturnType<typeof curveAt>;

/** A ranked pool with its calibration, before and after it is cut into routes. */
export class RankedPool {
  readonly ranking: Ranking;
  private readonly curve: readonly CalibrationPoint[];
  private readonly probes: ReadonlySet<string>;
  private readonly labelled: ReadonlySet<string> | undefined;

  constructor(
    ranking: Ranking,
    curve: readonly CalibrationPoint[],
    probes: ReadonlySet<string>,
    labelled: ReadonlySet<string> | undefined,
  ) {
    this.ranking = ranking;
    this.curve = curve;
    this.probes = probes;
    this.labelled = labelled;
  }

  /** What the rules see, by rank. */
  candidates(): Candidate[] {
    return this.ranking.promptIds.map((promptId, rank): Candidate => {
      const curve = this.curveOf(rank);
      const mu = curve?.passRate;
      return {
        owned: this.probes.has(promptId) || this.labelled?.has(promptId) === true,
        mu: mu?.estimate ?? Number.NaN,
        muLow: mu?.low ?? Number.NaN,
        // Without a vote on the probes mu stands in: a majority is right more often than one sample.
        vote: curve?.vote?.estimate ?? mu?.estimate ?? Number.NaN,
      };
    });
  }

  isProbe(rank: number): boolean {
    return this.probes.has(this.ranking.promptIds[rank]);
  }

  curveOf(rank: number): Curve {
    return curveAt(this.curve, this.ranking.positions[rank]);
  }
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
    const { ranking } = this.pool;
    for (const [rank, promptId] of ranking.promptIds.entries()) {
      const curve = this.pool.curveOf(rank);
      const probe = this.pool.isProbe(rank);
      yield {
        promptId,
        score: ranking.scores[rank],
        rank,
        route: this.routed[rank].route,
        probe,
        expectedPassRate: curve?.passRate.estimate ?? null,
        evidence: evidenceOf(ranking, rank, curve),
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

function evidenceOf(ranking: Ranking, rank: number, curve: Curve): Evidence {
  const { estimator } = ranking;
  const [score, position] = [ranking.scores[rank], ranking.positions[rank]];
  if (curve === undefined) return { estimator, score, position };
  const { passRate, vote } = curve;
  const { estimate: mu, low: mu_low, high: mu_high } = passRate;
  const known = { estimator, score, position, mu, mu_low, mu_high, utility: utility(mu) };
  return vote === null ? known : { ...known, vote: vote.estimate, vote_low: vote.low };
}
