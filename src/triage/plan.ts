/**
 * Routes for a whole pool, as data: nothing is carried out here.
 *
 * Knows nothing of the database, of where labels come from or of training.
 */
import { randomScore } from '../uncertainty/random.ts';
import { calibrate } from './calibration.ts';
import { Decisions, RankedPool } from './decisions.ts';
import { scoreQuality } from './quality.ts';
import { type PoolOrder, poolOrder, type Ranking, rankPool } from './ranking.ts';
import { budgetRule, quotaRule, riskRule } from './rules.ts';
import { triageSettings } from './settings.ts';
import type {
  CalibrationReport,
  Decision,
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
  /** The order of their prompts, where it was made before (to draw the probes): to make it again takes seconds. */
  pool?: PoolOrder;
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
  const { head, decisions } = planPool(input);
  return { ...head, decisions: [...decisions] };
}

/** A plan without its decisions, and these to be gone through. */
export interface PlannedPool {
  head: Omit<TriagePlan, 'decisions'>;
  decisions: Iterable<Decision>;
}

/** The same for a pool of any size: its decisions are made as they are gone through, as often as they are. */
export function planPool(input: TriageInput): PlannedPool {
  const settings = triageSettings(input.settings);
  const pool = input.pool ?? poolOrder(input.scores, settings.seed);
  const asked = rankPool(input.scores, input.tieBreaks, settings.seed, pool);
  const quality = scoreQuality(asked, input.probes, settings, input.lengths);
  // Not all at once: a ranking of a large pool is large.
  const ranked = (column: ScoreColumn) => rankPool(column, [], settings.seed, pool);
  const others = (input.alternatives ?? [])
    .filter((column) => column.estimator !== input.scores.estimator)
    .map((column): Alternative => {
      const quality = scoreQuality(ranked(column), input.probes, settings, input.lengths);
      return { quality, ranking: () => ranked(column) };
    });
  const choice = chooseRanking(asked, quality, others, settings);
  const calibration = calibrate(choice.ranking, input.probes, settings, input.lengths);
  const warnings = [...choice.warnings];
  const rule = chooseRule(choice.rule, calibration, settings, warnings);
  const decisions = decide(choice.ranking, calibration, rule, input, settings);
  const totals = decisions.totals(settings);
  const head: PlannedPool['head'] = {
    version: 1,
    name: input.name,
    round: input.round ?? 0,
    estimator: choice.ranking.estimator,
    requested: input.scores.estimator,
    rule,
    requestedRule: settings.rule,
    fallback: choice.fallback ?? (rule === settings.rule ? null : (warnings.at(-1) ?? null)),
    warnings: [...warnings, ...budgetWarnings(rule, totals, decisions.beyondBudget(), settings)],
    thresholds: decisions.thresholds(),
    ...totals,
    settings,
    calibration,
    alternatives: [quality, ...others.map((other) => other.quality)].filter(
      (one) => one.estimator !== choice.ranking.estimator,
    ),
  };
  return { head, decisions };
}

/** Another score than the one that was asked for. */
interface Alternative {
  quality: ScoreQuality;
  ranking(): Ranking;
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
  others: readonly Alternative[],
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
    const fallback = `${trouble}; ${best.quality.estimator} does better and ranks instead`;
    return { ranking: best.ranking(), rule, fallback, warnings: [fallback] };
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
): Decisions {
  const probes = new Set(input.probes.map((probe) => probe.promptId));
  const pool = new RankedPool(ranking, calibration.curve, probes, input.labelled);
  return new Decisions(pool, rule, rules[rule](pool.candidates(), settings));
}

function budgetWarnings(
  rule: RuleName,
  { budget, counts }: Pick<TriagePlan, 'counts' | 'budget'>,
  beyond: number,
  { quota }: TriageSettings,
): string[] {
  const warnings: string[] = [];
  const { labels, owned } = budget;
  if (labels !== null && owned > labels) {
    warnings.push(`${owned} labels are owned already, more than the budget of ${labels}`);
  }
  if (beyond > 0) {
    warnings.push(
      `the budget of ${labels} labels does not reach ${beyond} uncertain prompts; they are discarded, since their votes cannot be trusted`,
    );
  }
  if (rule === 'quota' && owned > Math.round(quota.annotate * counts.pool)) {
    warnings.push(`${owned} labels are owned already, more than the annotate quota`);
  }
  return warnings;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
