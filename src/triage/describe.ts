/**
 * A triage plan as text for people: what a dry run prints. Knows nothing of terminals or colours.
 */
import type { Interval } from '../stats/types.ts';
import type { Decision, Route, ScoreQuality, TriagePlan } from './types.ts';

/** The plan as a readable table, without a newline at the end. */
export function describePlan(plan: TriagePlan): string {
  const { counts, budget, calibration } = plan;
  const replaced = plan.estimator === plan.requested ? '' : ` (asked for: ${plan.requested})`;
  const cut = plan.rule === plan.requestedRule ? '' : ` (asked for: ${plan.requestedRule})`;
  const labels = budget.labels === null ? 'no cap' : `of ${budget.labels}`;
  return [
    ...plan.warnings.map((warning) => `WARNING: ${warning}.`),
    `Plan "${plan.name}", round ${plan.round}: ${counts.pool} prompts by ${plan.estimator}${replaced}, rule ${plan.rule}${cut}`,
    '',
    ...table([
      ['route', 'prompts', 'share', 'probes', 'expected mu', 'vote right'],
      ...(['discard', 'self', 'annotate'] as const).map((route) => routeRow(plan, route)),
    ]),
    '',
    `Labels: ${budget.owned} owned, ${budget.toBuy} to buy (${labels}).`,
    `Cuts: discard below ${short(plan.thresholds.discardBelow)}, annotate above ${short(plan.thresholds.annotateAbove)}.`,
    `Calibration on ${calibration.probes} probes: Brier ${short(calibration.brier)}, ECE ${short(calibration.ece)}, mean mu ${short(calibration.meanPassRate)}, votes right ${short(calibration.meanVoteRight)}.`,
    '',
    ...table([
      ['score', 'AUROC', 'Spearman', 'given length', 'length alone', 'tied', 'verdict'],
      ...[calibration, ...plan.alternatives].map(qualityRow),
    ]),
  ].join('\n');
}

function routeRow(plan: TriagePlan, route: Route): string[] {
  const members = plan.decisions.filter((one) => one.route === route);
  const share = plan.decisions.length === 0 ? 0 : members.length / plan.decisions.length;
  return [
    route,
    String(members.length),
    `${(100 * share).toFixed(1)} %`,
    String(members.filter((one) => one.probe).length),
    short(meanOf(members, (one) => one.expectedPassRate)),
    short(meanOf(members, (one) => one.evidence.vote)),
  ];
}

function qualityRow(quality: ScoreQuality): string[] {
  return [
    quality.estimator,
    interval(quality.auroc),
    interval(quality.spearman),
    short(quality.spearmanGivenLength),
    short(quality.spearmanLength),
    `${quality.ties.tied} (${quality.ties.tiedBroken} after breaking)`,
    quality.verdict,
  ];
}

function meanOf(
  members: readonly Decision[],
  read: (one: Decision) => number | string | boolean | null | undefined,
): number | null {
  const values = members.map(read).filter((value) => typeof value === 'number');
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function interval(value: Interval | null): string {
  if (value === null) return '-';
  return `${short(value.estimate)} [${short(value.low)}, ${short(value.high)}]`;
}

function short(value: number | null): string {
  return value === null ? '-' : String(Number(value.toPrecision(3)));
}

/** Columns padded to their widest cell; the first line is the head. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd();
  return [
    line(rows[0]),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...rows.slice(1).map(line),
  ];
}
