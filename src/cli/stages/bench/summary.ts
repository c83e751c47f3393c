/** The figures of a bench as one flat JSON object, for machines: the last line of `pivottrace bench --json`. */
import type { ArmResult, BenchData, Paired, PoolResult } from '../../../report/bench/data.ts';

type Json = number | string | null | { [key: string]: Json };

/** Keys beside those of the arms: no arm may have one of these names. */
export const summaryKeys = ['event', 'seeds', 'budget', 'pools', 'missing', 'failed', 'report'];

/** The arms of the first pool by name, with all pools under `pools` where there are several. */
export function summaryOf(data: BenchData): Record<string, Json> {
  const [first] = data.pools;
  const { pools } = data;
  const byPool = Object.fromEntries(
    pools.map((pool) => [pool.id, { redundancy: pool.redundancy, ...armsOf(data, pool) }]),
  );
  const counts = pools.flatMap(({ arms }) => arms.map(({ seeds }) => seeds.length));
  return {
    ...(first === undefined ? {} : armsOf(data, first)),
    seeds: counts.length === 0 ? 0 : Math.min(...counts),
    budget: data.budget,
    missing: data.missing.length,
    ...(pools.length > 1 ? { pools: byPool } : {}),
  };
}

function armsOf(data: BenchData, { arms }: PoolResult): Record<string, Json> {
  return Object.fromEntries(arms.map((arm) => [arm.id, armOf(data, arm)]));
}

function armOf({ reference, random }: BenchData, arm: ArmResult): Json {
  const { final, greedy, greedyChange, convergence } = arm;
  return {
    accuracy: final.value,
    accuracy_low: final.low,
    accuracy_high: final.high,
    greedy: greedy?.value ?? null,
    greedy_change: greedyChange?.value ?? null,
    greedy_change_low: greedyChange?.low ?? null,
    labels: arm.labelShare,
    labels_bought: arm.labels,
    labels_visited: arm.labelsVisited,
    steps: arm.steps,
    rollouts: arm.rollouts,
    rollouts_before: arm.rolloutsBefore,
    rollouts_uncounted: arm.rolloutsUncounted,
    tokens: arm.tokens,
    seconds: arm.seconds,
    ...pairedOf(`minus_${reference}`, arm.minusReference),
    ...(random === null ? {} : pairedOf(`minus_${random}`, arm.minusRandom)),
    convergence: convergence?.rollouts.value ?? null,
    convergence_low: convergence?.rollouts.low ?? null,
    convergence_high: convergence?.rollouts.high ?? null,
    convergence_reached: convergence?.reached ?? null,
    convergence_mean_curve: convergence?.onMeanCurve?.value ?? null,
    convergence_mean_curve_low: convergence?.onMeanCurve?.low ?? null,
    convergence_steps: convergence?.steps?.value ?? null,
    convergence_seconds: convergence?.seconds?.value ?? null,
  };
}

function pairedOf(name: string, test: Paired | null): Record<string, Json> {
  if (test === null) return {};
  return {
    [name]: test.difference.value,
    [`${name}_low`]: test.difference.low,
    [`${name}_high`]: test.difference.high,
    [`${name}_bound`]: test.bound,
    [`${name}_p`]: test.p,
    [`${name}_holm`]: test.holm,
  };
}
