/** The arms beside each other, for the terminal. */
import type { Arm, Comparison } from '../../report/data.ts';
import { verdictOf } from '../../report/verdict.ts';
import { type Cell, table } from '../table.ts';

/** The table of arms and the verdict in words, as in the report. */
export function comparisonText(comparison: Comparison): string {
  const { lead, points } = verdictOf(comparison);
  return [comparisonTable(comparison), '', lead, ...points].join('\n');
}

/** Accuracies in per cent over `testPrompts`, the 95 % interval of avg@k as +-. */
export function comparisonTable(comparison: Comparison): string {
  const { k, poolPrompts } = comparison;
  const head = [
    'arm',
    `avg@${k}`,
    '+-',
    'greedy',
    'labels',
    'of pool',
    'steps',
    'rollouts',
    'to full: steps',
    'rollouts',
  ];
  const percent = (share: number | null): Cell => (share === null ? '-' : number(100 * share));
  return table(
    head,
    comparison.arms.map((arm) => [
      arm.label,
      percent(arm.avgAtK?.value ?? null),
      percent(halfWidth(arm)),
      percent(arm.greedy?.value ?? null),
      arm.labelsUsed ?? '-',
      percent(arm.labelsUsed === null ? null : arm.labelsUsed / Math.max(1, poolPrompts)),
      arm.steps ?? '-',
      arm.rollouts ?? '-',
      ...reached(arm),
    ]),
  );
}

function halfWidth({ avgAtK }: Arm): number | null {
  if (avgAtK === null || avgAtK.low === null || avgAtK.high === null) return null;
  const half = (avgAtK.high - avgAtK.low) / 2;
  return Number.isFinite(half) ? half : null;
}

function reached({ reached: at }: Arm): Cell[] {
  if (at === null) return ['-', '-'];
  return at === 'not reached' ? ['never', 'never'] : [at.steps, at.rollouts];
}

/** One decimal, aligned right like whole numbers. */
function number(value: number): string {
  return value.toFixed(1).padStart(5);
}
