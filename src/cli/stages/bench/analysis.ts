/** From the results of cells to the figures of a bench. No file is read here. */
import { stream } from '../../../core/random.ts';
import type {
  ArmResult,
  BenchData,
  CurvePoint,
  Paired,
  PoolResult,
} from '../../../report/bench/data.ts';
import type { Estimate } from '../../../report/data.ts';
import { holm } from '../../../stats/holm.ts';
import { signFlipTest } from '../../../stats/paired.ts';
import { meanInterval, pairedT } from '../../../stats/student.ts';
import { convergenceOf } from './convergence.ts';
import { meanCurve, type Point, pointsOf, spentBefore, valueAt } from './curves.ts';
import type { CellResult } from './outcome.ts';

/** What the analysis needs of a matrix, arms and pools in the order in which they are shown. */
export interface Layout {
  reference: string;
  random: string | null;
  budget: number | null;
  seeds: readonly number[];
  pools: readonly Pick<PoolResult, 'id' | 'title' | 'redundancy' | 'settings'>[];
  arms: readonly (Pick<ArmResult, 'id' | 'title' | 'note' | 'group' | 'settings'> & {
    pools: readonly string[];
  })[];
}

export type Figures = Pick<BenchData, 'pools' | 'missing' | 'k' | 'testPrompts'>;

/** A cell with its evaluations within the budget. */
interface Curve {
  seed: number;
  cell: CellResult;
  points: Point[];
  last: Point;
}

/** Everything that the cells show; cells that are not there are named under `missing`. */
export function analyse(layout: Layout, results: readonly CellResult[]): Figures {
  const cells = results.map((cell) => withStart(cell, results));
  const [first] = cells;
  const missing = layout.seeds.flatMap((seed) =>
    layout.pools.flatMap(({ id: pool }) =>
      layout.arms
        .filter(({ id: arm, pools }) => pools.includes(pool) && !has(cells, pool, arm, seed))
        .map(({ id: arm }) => ({ pool, arm, seed })),
    ),
  );
  return {
    k: first?.k ?? null,
    testPrompts: first?.test_prompts ?? null,
    missing,
    pools: layout.pools.map((pool) => poolResult(layout, pool, cells)),
  };
}

/**
 * The policy before training answers alike in all cells of a seed: a cell that did not measure it (eval.at_start)
 * has the evaluation of one that did.
 */
function withStart(cell: CellResult, others: readonly CellResult[]): CellResult {
  const startOf = ({ evaluations: [first] }: CellResult) => (first.step === 0 ? first : undefined);
  if (startOf(cell) !== undefined) return cell;
  const start = others
    .filter(({ seed, k, test_prompts: n }) => {
      return seed === cell.seed && k === cell.k && n === cell.test_prompts;
    })
    .flatMap((other) => startOf(other) ?? []);
  return { ...cell, evaluations: [...start.slice(0, 1), ...cell.evaluations] };
}

function has(cells: readonly CellResult[], pool: string, arm: string, seed: number): boolean {
  return cells.some((cell) => cell.pool === pool && cell.arm === arm && cell.seed === seed);
}

function poolResult(
  layout: Layout,
  pool: Layout['pools'][number],
  cells: readonly CellResult[],
): PoolResult {
  const here = cells.filter((cell) => cell.pool === pool.id);
  const curves = new Map(layout.arms.map(({ id }) => [id, curvesOf(here, id, layout.budget)]));
  const of = (arm: string | null) => (arm === null ? [] : (curves.get(arm) ?? []));
  const rivals = { reference: of(layout.reference), random: of(layout.random) };
  const target =
    rivals.reference.length === 0 ? null : mean(rivals.reference.map(({ last }) => last.accuracy));
  const arms = layout.arms
    .filter(({ id }) => of(id).length > 0)
    .map((arm) => armResult(arm, of(arm.id), rivals, layout, target));
  adjust(arms.flatMap(({ minusReference }) => minusReference ?? []));
  adjust(arms.flatMap(({ minusRandom }) => minusRandom ?? []));
  const [first] = here;
  return { ...pool, prompts: first?.before.pool_prompts ?? null, target, arms };
}

function curvesOf(cells: readonly CellResult[], arm: string, budget: number | null): Curve[] {
  return cells
    .filter((cell) => cell.arm === arm)
    .map((cell) => {
      const points = pointsOf(cell, budget);
      return { seed: cell.seed, cell, points, last: points[points.length - 1] };
    })
    .sort((a, b) => a.seed - b.seed);
}

interface Rivals {
  reference: readonly Curve[];
  random: readonly Curve[];
}

function armResult(
  { pools: _, ...arm }: Layout['arms'][number],
  curves: readonly Curve[],
  { reference, random }: Rivals,
  { reference: referenceId, random: randomId }: Layout,
  target: number | null,
): ArmResult {
  const over = (value: (curve: Curve) => number) => mean(curves.map(value));
  const pairs = paired(curves, reference).map(([a, b]) => ({ arm: a.points, reference: b.points }));
  return {
    ...arm,
    seeds: curves.map(({ seed }) => seed),
    start: curves.every(startsAtZero) ? over(({ points }) => points[0].accuracy) : null,
    final: estimate(curves.map(({ last }) => last.accuracy)),
    ...greedyOf(curves),
    labels: over(({ last }) => last.labels),
    labelsVisited: visited(curves),
    labelShare: over(({ last, cell }) => last.labels / Math.max(1, cell.before.pool_prompts)),
    steps: over(({ last }) => last.step),
    rollouts: over(({ last }) => last.rollouts),
    rolloutsBefore: over(({ cell }) => (cell.count_scoring ? spentBefore(cell).rollouts : 0)),
    rolloutsUncounted: over(({ cell }) => (cell.count_scoring ? 0 : spentBefore(cell).rollouts)),
    tokens: over(({ last }) => last.tokens),
    seconds: over(({ last }) => last.seconds),
    minusReference: arm.id === referenceId ? null : difference(curves, reference),
    minusRandom: arm.id === randomId ? null : difference(curves, random),
    curve: curveOf(curves.map(({ points }) => points)),
    convergence: target === null ? null : convergenceOf(pairs, target),
  };
}

function startsAtZero({ points }: Curve): boolean {
  return points[0].step === 0;
}

function visited(curves: readonly Curve[]): number | null {
  const counts = curves.flatMap(({ cell }) => cell.labels_visited ?? []);
  return counts.length < curves.length ? null : mean(counts);
}

/** The last greedy accuracy within the budget, against that of the policy before training. */
function greedyOf(curves: readonly Curve[]): Pick<ArmResult, 'greedy' | 'greedyChange'> {
  const ends = curves.filter(startsAtZero).flatMap(({ points }) => {
    const measured = points.flatMap(({ greedy }) => greedy ?? []);
    return measured.length < 2 ? [] : [{ first: measured[0], last: measured[measured.length - 1] }];
  });
  if (ends.length === 0) return { greedy: null, greedyChange: null };
  return {
    greedy: estimate(ends.map(({ last }) => last)),
    greedyChange: estimate(ends.map(({ first, last }) => last - first)),
  };
}

/** Curves of the same seed. */
function paired(a: readonly Curve[], b: readonly Curve[]): [Curve, Curve][] {
  return a.flatMap((one): [Curve, Curve][] => {
    const other = b.find(({ seed }) => seed === one.seed);
    return other === undefined ? [] : [[one, other]];
  });
}

function difference(curves: readonly Curve[], rivals: readonly Curve[]): Paired | null {
  const pairs = paired(curves, rivals);
  if (pairs.length === 0) return null;
  const mine = pairs.map(([{ last }]) => last.accuracy);
  const theirs = pairs.map(([, { last }]) => last.accuracy);
  const test = pairedT(mine, theirs);
  const flips = signFlipTest(mine, theirs, {
    resamples: 10_000,
    random: stream(0, 'bench sign flips'),
  });
  return {
    difference: ofInterval(test.difference),
    bound: known(test.lower),
    p: known(test.p),
    holm: null,
    signFlip: pairs.length < 2 ? null : known(flips.p),
    seeds: pairs.length,
  };
}

/** Fills in the p-values adjusted for all of `tests`. */
function adjust(tests: readonly Paired[]): void {
  const adjusted = holm(tests.map(({ p }) => p ?? Number.NaN));
  for (const [i, test] of tests.entries()) test.holm = known(adjusted[i]);
}

function curveOf(curves: readonly (readonly Point[])[]): CurvePoint[] {
  return meanCurve(curves).map(({ rollouts, labels }) => ({
    rollouts,
    labels,
    accuracy: estimate(curves.map((points) => valueAt(points, rollouts, 'accuracy'))),
  }));
}

function estimate(values: readonly number[]): Estimate {
  return ofInterval(meanInterval(values));
}

function ofInterval(interval: { estimate: number; low: number; high: number }): Estimate {
  const { estimate: value, low, high } = interval;
  return { value, low: known(low), high: known(high) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
