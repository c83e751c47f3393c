/** The triage part of a report, from a saved plan. */
import { stream } from '../../core/random.ts';
import type {
  Estimate,
  EstimatorRow,
  RouteName,
  ScoreReport,
  TriageSummary,
} from '../../report/data.ts';
import { bootstrapInterval } from '../../stats/bootstrap.ts';
import type { Interval } from '../../stats/types.ts';
import { curveAt } from '../../triage/calibration.ts';
import type { Decision, ScoreQuality, TriagePlan } from '../../triage/types.ts';
import { estimatorCost, type ScoringCosts } from './estimator-cost.ts';
import type { Fits } from './fits.ts';

const routeNames: readonly RouteName[] = ['discard', 'self', 'annotate'];
const BINS = 5;

export interface PlanFacts {
  plan: TriagePlan;
  /** What the prompts are grouped by, and the group of each. */
  origins: { by: 'family' | 'source'; nameOf: ReadonlyMap<string, string> };
  /** Prompts with a label in the plan's account. */
  labelled: ReadonlySet<string>;
  /** Responses per probe. */
  rolloutsPerProbe: number;
  /** Scores of the probes by estimator and prompt. */
  scores: ReadonlyMap<string, ReadonlyMap<string, number>>;
  fits: Fits;
  costs: ScoringCosts;
}

export function triageSummary({ plan, origins, labelled }: PlanFacts): TriageSummary {
  return {
    plan: plan.name,
    rule: plan.rule,
    estimator: plan.estimator,
    fallback: plan.fallback,
    budget: plan.budget.labels,
    routes: routeNames.map((route) => {
      const own = plan.decisions.filter((one) => one.route === route);
      const probes = new Set(own.filter((one) => one.probe).map((one) => one.promptId));
      const votes = plan.calibration.dots.flatMap(({ promptId, voteRight }) =>
        probes.has(promptId) && voteRight !== null ? [Number(voteRight)] : [],
      );
      return {
        route,
        prompts: own.length,
        labels: own.filter((one) => labelled.has(one.promptId)).length,
        probes: probes.size,
        expectedPassRate: mean(expectedRates(own)),
        voteRight: mean(votes),
      };
    }),
    ...grouped(plan, origins),
  };
}

function grouped(
  plan: TriagePlan,
  { by, nameOf }: PlanFacts['origins'],
): Pick<TriageSummary, 'groupedBy' | 'groups'> {
  const members = new Map<string, Decision[]>();
  for (const decision of plan.decisions) {
    const name = nameOf.get(decision.promptId) ?? 'unknown';
    const list = members.get(name);
    if (list === undefined) members.set(name, [decision]);
    else list.push(decision);
  }
  const groups = [...members].map(([name, decisions]) => {
    const count = (route: RouteName) => decisions.filter((one) => one.route === route).length;
    const counts = { discard: count('discard'), self: count('self'), annotate: count('annotate') };
    return { name, counts, meanPassRate: mean(expectedRates(decisions)) };
  });
  groups.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { groupedBy: by, groups };
}

export function scoreReport(facts: PlanFacts): ScoreReport {
  const { plan, rolloutsPerProbe, scores, fits, costs } = facts;
  const { calibration, decisions } = plan;
  const routeOf = new Map(decisions.map(({ promptId, route }) => [promptId, route]));
  return {
    estimator: plan.estimator,
    poolPrompts: decisions.length,
    rolloutsPerProbe,
    probes: calibration.dots.map(({ promptId, position, score, passRate, voteRight }) => ({
      ...{ promptId, score, passRate, voteRight },
      rank: position,
      route: routeOf.get(promptId) ?? null,
    })),
    curve: calibration.curve.map(({ position, passRate }) => ({
      rank: position,
      passRate: passRate.estimate,
      low: passRate.low,
      high: passRate.high,
    })),
    thresholds: cuts(decisions),
    reliability: reliability(plan),
    metrics: {
      auroc: estimate(calibration.auroc),
      brier: calibration.brier,
      ece: calibration.ece,
      spearman: estimate(calibration.spearman),
      lengthSpearman: bare(calibration.spearmanLength),
      partialGivenLength: bare(calibration.spearmanGivenLength),
    },
    ties: {
      tiedPrompts: calibration.ties.tied,
      largestTie: Math.round(calibration.ties.largest * decisions.length),
      atZero: decisions.filter((one) => one.score === 0).length,
      brokenBy: calibration.ties.brokenBy,
      largestLeft: Math.round(calibration.ties.largestBroken * decisions.length),
    },
    beatsChance: calibration.verdict === 'unknown' ? null : calibration.verdict === 'beats chance',
    fallback: plan.fallback,
    estimators: [calibration, ...plan.alternatives].map((one) => ({
      ...estimatorRow(one, plan.estimator),
      overlap: overlapWithHardest(plan, scores.get(one.estimator)),
      cost: estimatorCost(one.estimator, costs, fits.get(one.estimator)),
    })),
    fits: [...fits].map(([name, { weights, intercept: _, ...fit }]) => ({
      name,
      ...fit,
      weights: Object.entries(weights).map(([part, weight]) => ({ name: part, weight })),
    })),
  };
}

/** Where the routes change along the ranking; prompts with a label of their own do not move the cuts. */
function cuts(decisions: readonly Decision[]): ScoreReport['thresholds'] {
  const free = decisions.filter(({ rule }) => rule !== 'probe' && rule !== 'labelled');
  const found: ScoreReport['thresholds'] = [];
  for (let i = 1; i < free.length; i++) {
    const [from, to] = [free[i - 1], free[i]];
    if (from.route === to.route) continue;
    const rank = (from.rank + to.rank + 1) / 2 / decisions.length;
    found.push({ rank, label: `${from.route} | ${to.route}` });
  }
  // A rule may deal routes out prompt by prompt: then there are no cuts to draw.
  return found.length <= 2 ? found : [];
}

/** Probes in bins of equal size by predicted pass rate. */
function reliability({ calibration, settings }: TriagePlan): ScoreReport['reliability'] {
  const points = calibration.dots
    .flatMap(({ position, passRate }) => {
      const predicted = curveAt(calibration.curve, position)?.passRate.estimate;
      return predicted === undefined ? [] : [{ predicted, observed: passRate }];
    })
    .sort((a, b) => a.predicted - b.predicted);
  const bins = Math.min(BINS, Math.floor(points.length / 2));
  return Array.from({ length: bins }, (_, bin) => {
    const from = Math.floor((bin * points.length) / bins);
    const own = points.slice(from, Math.floor(((bin + 1) * points.length) / bins));
    const observed = own.map((point) => point.observed);
    const interval = bootstrapInterval(
      own.length,
      (indices) => indices.reduce((sum, i) => sum + observed[i], 0) / indices.length,
      { resamples: 500, level: settings.level, random: stream(settings.seed, 'reliability', bin) },
    );
    return {
      predicted: own.reduce((sum, point) => sum + point.predicted, 0) / own.length,
      observed: observed.reduce((sum, value) => sum + value, 0) / own.length,
      low: interval?.low ?? null,
      high: interval?.high ?? null,
      count: own.length,
    };
  });
}

/**
 * Of the probes, take as large a share as the plan annotates, by score and by measured pass rate: the share of the
 * first that is in the second. Equals at an edge count in part, so that their order does not matter.
 */
function overlapWithHardest(
  { calibration: { dots }, counts }: TriagePlan,
  scores: ReadonlyMap<string, number> | undefined,
): number | null {
  const most = Math.round((dots.length * counts.annotate) / counts.pool);
  const values = dots.flatMap(({ promptId }) => scores?.get(promptId) ?? []);
  if (most === 0 || values.length < dots.length) return null;
  const chosen = topShares(values, most);
  const hardest = topShares(
    dots.map(({ passRate }) => -passRate),
    most,
  );
  return chosen.reduce((sum, share, i) => sum + share * hardest[i], 0) / most;
}

/** How far each value is among the `most` largest, 0..1: equals at the edge share the places that are left. */
function topShares(values: readonly number[], most: number): number[] {
  const edge = [...values].sort((a, b) => b - a)[most - 1];
  const above = values.filter((value) => value > edge).length;
  const equal = values.filter((value) => value === edge).length;
  return values.map((value) => {
    if (value === edge) return (most - above) / equal;
    return value > edge ? 1 : 0;
  });
}

function estimatorRow(quality: ScoreQuality, used: string): Omit<EstimatorRow, 'overlap' | 'cost'> {
  return {
    name: quality.estimator,
    used: quality.estimator === used,
    spearman: quality.spearman?.estimate ?? null,
    partialGivenLength: quality.spearmanGivenLength,
    auroc: quality.auroc?.estimate ?? null,
  };
}

function expectedRates(decisions: readonly Decision[]): number[] {
  return decisions.flatMap(({ expectedPassRate: rate }) => (rate === null ? [] : [rate]));
}

function estimate(interval: Interval | null): Estimate | null {
  if (interval === null) return null;
  return { value: interval.estimate, low: interval.low, high: interval.high };
}

function bare(value: number | null): Estimate | null {
  return value === null ? null : { value, low: null, high: null };
}

function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
