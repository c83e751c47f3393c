/** The figures of a bench for the terminal. */
import type { ArmResult, BenchData, PoolResult } from '../../../report/bench/data.ts';
import {
  points,
  pointsBetween,
  ratioOf,
  times,
  withInterval,
} from '../../../report/bench/words.ts';
import type { Estimate } from '../../../report/data.ts';
import { DASH, percent, whole } from '../../../report/format.ts';
import { counted, table } from '../../table.ts';

/** A table for every pool, and where the page is. */
export function resultText(data: BenchData, page: string): string {
  const tables = data.pools
    .filter(({ arms }) => arms.length > 0)
    .map((pool) => `${pool.title}\n${poolTable(data, pool)}`);
  const missing =
    data.missing.length === 0 ? [] : [`${counted(data.missing.length, 'cell')} without a result.`];
  return [...tables, ...missing, `Report: ${page}`].join('\n\n');
}

function poolTable(data: BenchData, { arms }: PoolResult): string {
  const { reference, random } = data;
  const head = ['arm', 'accuracy', 'greedy', 'labels', 'rollouts', `minus ${reference}`];
  return table(
    [...head, ...(random === null ? [] : [`minus ${random}`]), 'convergence', 'seeds'],
    arms.map((arm) => [
      arm.id,
      shown(arm.final, points),
      shown(arm.greedy, points),
      percent(arm.labelShare),
      whole(arm.rollouts),
      shown(arm.minusReference?.difference ?? null, pointsBetween),
      ...(random === null ? [] : [shown(arm.minusRandom?.difference ?? null, pointsBetween)]),
      convergence(arm, reference),
      arm.seeds.length,
    ]),
  );
}

function convergence(arm: ArmResult, reference: string): string {
  const ratio = ratioOf(arm, reference, 'rollouts');
  if (ratio === null || ratio === 'never') return ratio ?? DASH;
  return ratio.prefix + shown(ratio.estimate, times);
}

function shown(estimate: Estimate | null, format: (value: number) => string): string {
  const text = withInterval(estimate, format);
  if (text === null) return DASH;
  return text.interval === null ? text.value : `${text.value} ${text.interval}`;
}
