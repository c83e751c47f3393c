/** A triage plan in words and tables, for people. */
import { formatNumber } from '../../core/rates.ts';
import type { Interval } from '../../stats/types.ts';
import type { Route, ScoreQuality, TriagePlan } from '../../triage/types.ts';
import { facts, table } from '../table.ts';

const routes: readonly Route[] = ['discard', 'self', 'annotate'];

/** Several lines, without a trailing line end. */
export function planText(plan: TriagePlan): string {
  const { budget, calibration, thresholds } = plan;
  const warnings = plan.warnings.map((warning) => `Warning: ${warning}.`);
  return [
    ...warnings,
    ...(warnings.length === 0 ? [] : ['']),
    facts([
      ['plan', `${plan.name} (rule ${plan.rule}, score ${plan.estimator})`],
      ['discard below', formatNumber(thresholds.discardBelow)],
      ['annotate above', formatNumber(thresholds.annotateAbove)],
      ['labels', `${budget.owned} owned, ${budget.toBuy} to buy${capText(budget.labels)}`],
    ]),
    '',
    table(
      ['route', 'prompts', 'share', 'probes', 'expected pass rate'],
      routes.map((route) => routeRow(plan, route)),
    ),
    '',
    `${calibration.probes} probes: ${plan.estimator} ${verdictText(calibration)}`,
    table(
      ['score', 'AUROC', 'rank corr.', 'given length', 'Brier', 'largest tie', 'verdict'],
      [calibration, ...plan.alternatives].map(qualityRow),
    ),
  ].join('\n');
}

function capText(labels: number | null): string {
  return labels === null ? '' : ` (at most ${labels})`;
}

function routeRow(plan: TriagePlan, route: Route): (string | number)[] {
  const decisions = plan.decisions.filter((one) => one.route === route);
  const rates = decisions.flatMap(({ expectedPassRate: rate }) => (rate === null ? [] : [rate]));
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  return [
    route,
    decisions.length,
    percent(decisions.length / Math.max(1, plan.counts.pool)),
    decisions.filter((one) => one.probe).length,
    rates.length === 0 ? '-' : mean.toFixed(2),
  ];
}

function verdictText(quality: ScoreQuality): string {
  if (quality.verdict === 'unknown') return 'cannot be judged on so few';
  return quality.verdict === 'beats chance'
    ? 'beats chance in telling what is not mastered'
    : 'is NO BETTER THAN CHANCE in telling what is not mastered';
}

function qualityRow(quality: ScoreQuality): string[] {
  return [
    quality.estimator,
    intervalText(quality.auroc),
    intervalText(quality.spearman),
    numberText(quality.spearmanGivenLength),
    numberText(quality.brier),
    percent(quality.ties.largest),
    quality.verdict,
  ];
}

function intervalText(interval: Interval | null): string {
  if (interval === null) return '-';
  const { estimate, low, high } = interval;
  return `${estimate.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
}

function numberText(value: number | null): string {
  return value === null ? '-' : value.toFixed(2);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
