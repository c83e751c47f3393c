/**
 * Routes for a whole pool, as data: nothing is carried out here.
 *
 * Knows nothing of the database, of where labels come from or of training.
 */
import { randomScore } from '../uncertainty/random.ts';
import { calibrate, curveAt, utility } from './calibration.ts';
import { scoreQuality } from './quality.ts';
import { type Ranking, rankPool } from './ranking.ts';
import { budgetRule, type Candidate, quotaRule, type Routed, riskRule } from './rules.ts';
import { triageSettings } from './settings.ts';
import type {
  CalibrationReport,
  Decision,
  Evidence,
  Probe,
  RuleName,
  ScoreColumn,
  ScoreQuality,
  TriagePlan,
  TriageSettings,
} from './types.ts';

export interface TriageInput {
  /** The plan's name; several live side by side. */
  name: string;
  round?: number;
  /** The score that was asked for, over the whole pool. */
  scores: ScoreColumn;
  /** Scores that resolve its ties, best first. */
  tieBreaks?: readonly ScoreColumn[];
  /** Other scores of the same pool: reported beside it, and used in its place if it fails. */
  alternatives?: readonly ScoreColumn[];
  /** Mean response length per prompt, tokens. */
  lengths?: ReadonlyMap<string, number>;
  /** Prompts annotated for calibration; they count against the budget. */
  probes: readonly Probe[];
  /** Prompts whose labels are owned for other reasons: they cost nothing more. */
  labelled?: ReadonlySet<string>;
  settings?: Partial<TriageSettings>;
}

const rules = { quota: quotaRule, risk: riskRule, budget: budgetRule };

/**
 * The triage plan. Falls back, and says so in `fallback` and `warnings`:
 * - the score is no better than chance on the probes: the best offered score that is takes its place;
 *   where none is, routes are drawn at random by quota, which is no worse than an uninformed guess;
 * - too few probes to judge, or too many ties to cut by calibration: quota instead of risk or budget.
 * The estimator `random` is taken at its word: a random plan is a baseline, not a failure.
 */
export function planTriage(input: TriageInput): TriagePlan {
  const settings = triageSettings(input.settings);
  const asked = rankPool(input.scores, input.tieBreaks, settings.seed);
  const quality = scoreQuality(asked, input.probes, settings, input.lengths);
  const others = (input.alternatives ?? [])
    .filter((column) => column.estimator !== input.scores.estimator)
    .map((column) => {
      const ranking = rankPool(column, [], settings.seed);
      return {
        ranking,
        quality: scoreQuality(ranking, input.probes, settings, input.lengths),
      };
    });
  const choice = chooseRanking(asked, quality, others, settings);
  const calibration = calibrate(choice.ranking, input.probes, settings, input.lengths);
  const warnings = [...choice.warnings];
  const rule = chooseRule(choice.rule, calibration, settings, warnings);
  const decisions = decide(choice.ranking, calibration, rule, input, settings);
  const plan: TriagePlan = {
    version: 1,
    name: input.name,
    round: input.round ?? 0,
    estimator: choice.ranking.estimator,
    requested: input.scores.estimator,
    rule,
    requestedRule: settings.rule,
    fallback: choice.fallback ?? (rule === settings.rule ? null : (warnings.at(-1) ?? null)),
    warnings,
    thresholds: thresholdsOf(decisions),
    ...totals(decisions, settings),
    settings,
    calibration,
    alternatives: [quality, ...others.map((other) => other.quality)].filter(
      (one) => one.estimator !== choice.ranking.estimator,
    ),
    decisions,
  };
  return { ...plan, warnings: [...warnings, ...budgetWarnings(plan)] };
}

interface Choice {
  ranking: Ranking;
  rule: RuleName;
  fallback: string | null;
  warnings: string[];
}

function chooseRanking(
  asked: Ranking,
  quality: ScoreQuality,
  others: readonly { ranking: Ranking; quality: ScoreQuality }[],
  settings: TriageSettings,
): Choice {
  const { rule } = settings;
  if (asked.estimator === 'random' || quality.verdict !== 'no better than chance') {
    return { ranking: asked, rule, fallback: null, warnings: [] };
  }
  const found =
    quality.auroc === null
      ? 'its AUROC is undefined there'
      : `the lower bound of its AUROC is ${quality.auroc.low.toFixed(3)}`;
  const trouble = `${asked.estimator} ranks no better than chance on ${quality.probes} probes (${found})`;
  const best = others
    .filter((one) => one.quality.verdict === 'beats chance')
    .sort((a, b) => (b.quality.auroc?.low ?? 0) - (a.quality.auroc?.low ?? 0))
    .at(0);
  if (best !== undefined) {
    const fallback = `${trouble}; ${best.ranking.estimator} does better and ranks instead`;
    return { ranking: best.ranking, rule, fallback, warnings: [fallback] };
  }
  const fallback = `${trouble}, nor does any other score that was offered; routes are drawn at random by quota`;
  const scores = asked.promptIds.map((promptId) => ({
    promptId,
    value: randomScore(settings.seed, promptId),
  }));
  const ranking = rankPool({ estimator: 'random', scores }, [], settings.seed);
  return { ranking, rule: 'quota', fallback, warnings: [fallback] };
}

/** The rule that the calibration can carry; says in `warnings` what a person should know. */
function chooseRule(
  wanted: RuleName,
  calibration: CalibrationReport,
  settings: TriageSettings,
  warnings: string[],
): RuleName {
  const { ties, verdict, probes, estimator } = calibration;
  const instead = wanted === 'quota' ? '' : `; cut by quota instead of ${wanted}`;
  let rule = wanted;
  if (verdict === 'unknown') {
    warnings.push(
      `${probes} probes are too few to judge ${estimator} (at least ${settings.minProbes} are needed)${instead}`,
    );
    rule = 'quota';
  }
  if (ties.largestBroken > settings.tieLimit) {
    warnings.push(
      `${percent(ties.largestBroken)} of the pool share one value of ${estimator}: bands cannot be told apart there${instead}; trace more samples per prompt or use a continuous score`,
    );
    rule = 'quota';
  } else if (ties.largest > settings.tieLimit) {
    warnings.push(
      `${percent(ties.largest)} of the pool share one value of ${estimator}; ties are broken by ${ties.brokenBy.join(', ')}`,
    );
  }
  return rule;
}

function decide(
  ranking: Ranking,
  calibration: CalibrationReport,
  rule: RuleName,
  input: TriageInput,
  settings: TriageSettings,
): Decision[] {
  const probes = new Set(input.probes.map((probe) => probe.promptId));
  const curves = Array.from(ranking.positions, (at) => curveAt(calibration.curve, at));
  const candidates = ranking.promptIds.map((promptId, rank): Candidate => {
    const mu = curves[rank]?.passRate;
    return {
      owned: probes.has(promptId) || input.labelled?.has(promptId) === true,
      mu: mu?.estimate ?? Number.NaN,
      muLow: mu?.low ?? Number.NaN,
      // Without a vote on the probes mu stands in: a majority is right more often than one sample.
      vote: curves[rank]?.vote?.estimate ?? mu?.estimate ?? Number.NaN,
    };
  });
  const routed = rules[rule](candidates, settings);
  return ranking.promptIds.map((promptId, rank) => ({
    promptId,
    score: ranking.scores[rank],
    rank,
    route: routed[rank].route,
    probe: probes.has(promptId),
    expectedPassRate: curves[rank]?.passRate.estimate ?? null,
    evidence: evidenceOf(ranking, rank, curves[rank]),
    rule: ruleText(rule, routed[rank], probes.has(promptId)),
  }));
}

function ruleText(rule: RuleName, { reason }: Routed, probe: boolean): string {
  if (reason === 'labelled') return probe ? 'probe' : 'labelled';
  return `${rule}:${reason}`;
}

function evidenceOf(ranking: Ranking, rank: number, curve: ReturnType<typeof curveAt>): Evidence {
  const evidence: Evidence = {
    estimator: ranking.estimator,
    score: ranking.scores[rank],
    position: ranking.positions[rank],
  };
  if (curve === undefined) return evidence;
  const { passRate, vote } = curve;
  Object.assign(evidence, {
    mu: passRate.estimate,
    mu_low: passRate.low,
    mu_high: passRate.high,
    utility: utility(passRate.estimate),
  });
  if (vote !== null) Object.assign(evidence, { vote: vote.estimate, vote_low: vote.low });
  return evidence;
}

/**
 * The cuts in units of the score: everything below the first is discarded, nothing above the second
 * is trained on its vote. Prompts with a label of their own do not move the cuts.
 */
function thresholdsOf(decisions: readonly Decision[]): TriagePlan['thresholds'] {
  const free = decisions.filter((one) => one.rule !== 'probe' && one.rule !== 'labelled');
  if (free.length === 0) return { discardBelow: 0, annotateAbove: 0 };
  const cut = (at: number): number => {
    if (at === 0) return free[0].score;
    if (at === free.length) return free[at - 1].score;
    return (free[at - 1].score + free[at].score) / 2;
  };
  const kept = free.findIndex((one) => one.route !== 'discard');
  const low = kept === -1 ? free.length : kept;
  const high = Math.max(low, free.findLastIndex((one) => one.route === 'self') + 1);
  return { discardBelow: cut(low), annotateAbove: cut(high) };
}

function totals(
  decisions: readonly Decision[],
  settings: TriageSettings,
): Pick<TriagePlan, 'counts' | 'budget'> {
  const count = (route: string) => decisions.filter((one) => one.route === route).length;
  const owned = decisions.filter((one) => one.rule === 'probe' || one.rule === 'labelled').length;
  return {
    counts: {
      pool: decisions.length,
      discard: count('discard'),
      self: count('self'),
      annotate: count('annotate'),
      probes: decisions.filter((one) => one.probe).length,
    },
    budget: {
      owned,
      toBuy: count('annotate') - owned,
      labels: settings.labels,
      trainPrompts: settings.trainPrompts,
    },
  };
}

function budgetWarnings({ budget, decisions, settings, rule, counts }: TriagePlan): string[] {
  const warnings: string[] = [];
  const { labels, owned } = budget;
  if (labels !== null && owned > labels) {
    warnings.push(`${owned} labels are owned already, more than the budget of ${labels}`);
  }
  const over = decisions.filter((one) => one.rule.endsWith('over_label_budget')).length;
  if (over > 0) {
    warnings.push(
      `the budget of ${labels} labels does not reach ${over} uncertain prompts; they are discarded, since their votes cannot be trusted`,
    );
  }
  if (rule === 'quota' && owned > Math.round(settings.quota.annotate * counts.pool)) {
    warnings.push(`${owned} labels are owned already, more than the annotate quota`);
  }
  return warnings;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
