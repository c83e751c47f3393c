/**
 * A triage plan as text for people: what a dry run prints. Knows nothing of terminals or colours.
 */
import type { Interval } from '../stats/types.ts';
import type { PlannedPool } from './plan.ts';
import type { Decision, Route, ScoreQuality, TriagePlan } from './types.ts';

const routes: readonly Route[] = ['discard', 'self', 'annotate'];

/** The plan as a readable table, without a newline at the end. */
export function describePlan(plan: TriagePlan): string {
  return describePlanned({ head: plan, decisions: plan.decisions });
}

/** The same for a plan whose decisions are gone through once. */
export function describePlanned({ head: plan, decisions }: PlannedPool): string {
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
      ...routeRows(plan, decisions),
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

function routeRows(plan: PlannedPool['head'], decisions: Iterable<Decision>): string[][] {
  const { pool } = plan.counts;
  const sums = new Map(
    routes.map((route) => [route, { probes: 0, mu: new Mean(), vote: new Mean() }]),
  );
  for (const { route, probe, expectedPassRate, evidence } of decisions) {
    const sum = sums.get(route);
    if (sum === undefined) continue;
    if (probe) sum.probes++;
    sum.mu.add(expectedPassRate);
    sum.vote.add(evidence.vote);
  }
  return [...sums].map(([route, { probes, mu, vote }]) => {
    const members = plan.counts[route];
    const share = pool === 0 ? 0 : members / pool;
    return [
      route,
      String(members),
      `${(100 * share).toFixed(1)} %`,
      String(probes),
      short(mu.value()),
      short(vote.value()),
    ];
  });
}

/** Of the numbers among what it is given. */
class Mean {
  private sum = 0;
  private count = 0;

  add(value: unknown): void {
    if (typeof value !== 'number') return;
    this.sum += value;
    this.count++;
  }

  /** null where there was none. */
  value(): number | null {
    return this.count === 0 ? null : this.sum / this.count;
  }
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
