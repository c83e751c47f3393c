import { expect, test } from 'vitest';
import { analyse, type Layout } from './analysis.ts';
import { crossingOf, pointsOf, valueAt } from './curves.ts';
import type { CellResult } from './outcome.ts';
import { cell, layout } from './testing/cells.ts';

function armOf(id: string, cells: readonly CellResult[], change: Partial<Layout> = {}) {
  const [pool] = analyse({ ...layout, ...change }, cells).pools;
  const arm = pool.arms.find((one) => one.id === id);
  if (arm === undefined) throw new Error(`no ${id}`);
  return arm;
}

/** Three seeds of an arm, with the accuracies of each. */
function arm(id: string, curves: readonly (readonly number[])[], before = 0): CellResult[] {
  return curves.map((accuracies, i) => cell({ arm: id, seed: i + 1, accuracies, before }));
}

test('the final accuracy is that of the last evaluation, with its t interval over seeds', () => {
  const cells = arm('full', [
    [0.5, 0.6],
    [0.5, 0.7],
    [0.5, 0.8],
  ]);
  const { final, start, seeds, rollouts, steps, seconds, tokens } = armOf('full', cells);
  // 0.7 +- t(0.975, 2 df) * 0.1 / sqrt 3; the quantile is 4.302653.
  expect(final.value).toBeCloseTo(0.7, 12);
  expect(final.low).toBeCloseTo(0.7 - 4.302653 * (0.1 / Math.sqrt(3)), 6);
  expect(final.high).toBeCloseTo(0.7 + 4.302653 * (0.1 / Math.sqrt(3)), 6);
  expect(start).toBeCloseTo(0.5, 12);
  expect({ seeds, rollouts, steps, seconds, tokens }).toEqual({
    seeds: [1, 2, 3],
    rollouts: 100,
    steps: 10,
    seconds: 10,
    tokens: 1000,
  });
});

test('what was spent before training counts, and only evaluations within the budget', () => {
  const curve = { arm: 'pivots', seed: 1, accuracies: [0.5, 0.6, 0.7, 0.8], before: 150 };
  const within = (budget: number, more = {}) => {
    const points = pointsOf(cell({ ...curve, ...more }), budget);
    return points[points.length - 1].accuracy;
  };
  // Evaluations at 150, 250, 350 and 450 rollouts; a step is 10.
  expect(within(450)).toBe(0.8);
  expect(within(440)).toBe(0.8);
  expect(within(439)).toBe(0.7);
  expect(within(439, { largestStep: 11 })).toBe(0.8);
  expect(within(10)).toBe(0.5);
  expect(within(300, { countScoring: false })).toBe(0.8);
  const { rollouts, rolloutsBefore, seconds } = armOf('pivots', [cell(curve)]);
  expect({ rollouts, rolloutsBefore, seconds }).toEqual({
    rollouts: 450,
    rolloutsBefore: 150,
    seconds: 37.5,
  });
});

test('scoring that an arm does not count is told, not added', () => {
  const accuracies = [0.5, 0.6];
  const free = cell({ arm: 'pivots', seed: 1, accuracies, before: 150, countScoring: false });
  const { rollouts, rolloutsBefore, rolloutsUncounted, seconds } = armOf('pivots', [free]);
  expect({ rollouts, rolloutsBefore, rolloutsUncounted, seconds }).toEqual({
    rollouts: 100,
    rolloutsBefore: 0,
    rolloutsUncounted: 150,
    seconds: 10,
  });
});

test('differences are paired by seed, with a bound, and adjusted over arms', () => {
  const full = arm('full', [
    [0.5, 0.7],
    [0.5, 0.6],
    [0.5, 0.8],
  ]);
  const pivots = arm('pivots', [
    [0.5, 0.73],
    [0.5, 0.61],
    [0.5, 0.82],
  ]);
  const random = arm('random', [
    [0.5, 0.69],
    [0.5, 0.62],
    [0.5, 0.78],
  ]);
  const cells = [...full, ...pivots, ...random];
  const test = armOf('pivots', cells).minusReference;
  // Differences .03, .01, .02: mean .02, standard error .01 / sqrt 3.
  const error = 0.01 / Math.sqrt(3);
  expect(test?.difference.value).toBeCloseTo(0.02, 12);
  expect(test?.difference.low).toBeCloseTo(0.02 - 4.302653 * error, 6);
  expect(test?.bound).toBeCloseTo(0.02 - 2.919986 * error, 6);
  expect(test?.seeds).toBe(3);
  // t = 2 sqrt 3 with 2 degrees of freedom: p = 1 - t / sqrt(2 + t^2).
  const t = 2 * Math.sqrt(3);
  expect(test?.p).toBeCloseTo(1 - t / Math.sqrt(2 + t * t), 9);
  expect(test?.holm).toBeCloseTo(2 * (1 - t / Math.sqrt(2 + t * t)), 9);
  expect(test?.signFlip).toBeCloseTo(2 / 8, 12);
  expect(armOf('full', cells).minusReference).toBeNull();
  expect(armOf('random', cells).minusRandom).toBeNull();
  expect(armOf('full', cells).minusRandom?.difference.value).toBeCloseTo(0.01 / 3, 12);
});

test('only seeds that both arms have are paired; cells without a result are named', () => {
  const full = arm('full', [
    [0.5, 0.7],
    [0.5, 0.6],
  ]);
  const pivots = [
    cell({ arm: 'pivots', seed: 2, accuracies: [0.5, 0.65] }),
    cell({ arm: 'pivots', seed: 3, accuracies: [0.5, 0.9] }),
  ];
  const { minusReference, seeds, convergence } = armOf('pivots', [...full, ...pivots]);
  expect(seeds).toEqual([2, 3]);
  expect(minusReference).toMatchObject({ seeds: 1, bound: null, p: null, holm: null });
  expect(minusReference?.difference).toEqual({
    value: expect.closeTo(0.05),
    low: null,
    high: null,
  });
  expect(convergence?.seeds).toBe(1);
  const { missing, pools } = analyse(layout, [...full, ...pivots]);
  expect(missing).toHaveLength(9 - 4);
  expect(missing).toContainEqual({ pool: 'pool', arm: 'pivots', seed: 1 });
  expect(pools[0].arms.map(({ id }) => id)).toEqual(['full', 'pivots']);
});

test('nothing at all is no trouble', () => {
  const { pools, missing, k } = analyse(layout, []);
  expect(pools[0]).toMatchObject({ arms: [], target: null, prompts: null });
  expect(missing).toHaveLength(9);
  expect(k).toBeNull();
});

test('without the reference there is neither difference nor convergence', () => {
  const found = armOf('pivots', arm('pivots', [[0.5, 0.7]]));
  expect(found).toMatchObject({ minusReference: null, convergence: null });
  expect(found.final).toEqual({ value: 0.7, low: null, high: null });
});

test('a crossing lies between evaluations, on the rising fit', () => {
  const points = (accuracies: number[]) => pointsOf(cell({ arm: 'x', seed: 1, accuracies }), null);
  expect(crossingOf(points([0.5, 0.6, 0.8]), 0.7)).toEqual({
    rollouts: expect.closeTo(150),
    step: expect.closeTo(15),
    seconds: expect.closeTo(15),
    reached: true,
  });
  // The mean of three times .7 is a little more than .7.
  expect(crossingOf(points([0.5, 0.7]), (0.7 + 0.7 + 0.7) / 3)).toMatchObject({ reached: true });
  // One lucky evaluation is no arrival: .9 and .5 pool to .7.
  expect(crossingOf(points([0.5, 0.9, 0.5, 0.7, 0.9]), 0.8)).toMatchObject({
    rollouts: expect.closeTo(350),
    reached: true,
  });
  expect(crossingOf(points([0.5, 0.6]), 0.61)).toMatchObject({ rollouts: 100, reached: false });
  expect(crossingOf(points([0.5, 0.6]), 0.5)).toMatchObject({ rollouts: 0, reached: true });
});

test('convergence is the ratio of rollouts until the reference’s mean final accuracy', () => {
  // Target .7 on all seeds: the reference has it at 400, the arm at 100 before + 100 = 200.
  const full = arm('full', [
    [0.5, 0.55, 0.6, 0.65, 0.7],
    [0.5, 0.55, 0.6, 0.65, 0.7],
    [0.5, 0.55, 0.6, 0.65, 0.7],
  ]);
  const pivots = arm(
    'pivots',
    [
      [0.5, 0.7, 0.8],
      [0.5, 0.7, 0.8],
      [0.5, 0.7, 0.8],
    ],
    100,
  );
  const { convergence } = armOf('pivots', [...full, ...pivots]);
  expect(convergence).toMatchObject({ seeds: 3, reached: 3, referenceReached: 3 });
  expect(convergence?.at).toEqual({
    rollouts: expect.closeTo(200),
    steps: expect.closeTo(10),
    seconds: expect.closeTo(15),
  });
  expect(convergence?.rollouts.value).toBeCloseTo(2, 9);
  expect(convergence?.steps?.value).toBeCloseTo(4, 9);
  expect(convergence?.seconds?.value).toBeCloseTo(40 / 15, 9);
  expect(convergence?.strictBound).toBeCloseTo(2, 9);
  expect(convergence?.onMeanCurve?.value).toBeCloseTo(2, 6);
  expect(convergence?.onMeanCurve?.low).toBeCloseTo(2, 6);
});

test('the interval of the ratio is that of the logarithm over seeds', () => {
  const full = arm('full', [
    [0.5, 0.6, 0.7],
    [0.5, 0.6, 0.7],
  ]);
  // Crossings at 100 and 50 rollouts against 200.
  const pivots = arm('pivots', [
    [0.5, 0.7, 0.7],
    [0.5, 0.9, 0.9],
  ]);
  const ratio = armOf('pivots', [...full, ...pivots]).convergence?.rollouts;
  expect(ratio?.value).toBeCloseTo(Math.sqrt(8), 9);
  // Standard error of log 2 and log 4 is log 2 / 2; t(0.975, 1 df) = 12.7062.
  expect(ratio?.low).toBeCloseTo(Math.sqrt(8) * Math.exp((-12.7062 * Math.log(2)) / 2), 4);
});

test('a seed that never has the accuracy counts at all that it spent, and is counted', () => {
  const full = arm('full', [
    [0.5, 0.6, 0.7],
    [0.5, 0.6, 0.7],
  ]);
  const pivots = arm('pivots', [
    [0.5, 0.7, 0.8],
    [0.5, 0.6, 0.6],
  ]);
  const { convergence } = armOf('pivots', [...full, ...pivots]);
  expect(convergence).toMatchObject({ seeds: 2, reached: 1, referenceReached: 2 });
  expect(convergence?.rollouts.value).toBeCloseTo(Math.sqrt(2 * 1), 9);
  expect(convergence?.strictBound).toBe(0);
  const never = armOf('random', [
    ...full,
    ...arm('random', [
      [0.5, 0.5, 0.5],
      [0.5, 0.5, 0.5],
    ]),
  ]);
  expect(never.convergence).toMatchObject({ reached: 0, onMeanCurve: null });
  // Half of the reference's own seeds may end below their mean.
  const spread = arm('full', [
    [0.5, 0.6, 0.68],
    [0.5, 0.6, 0.72],
  ]);
  expect(armOf('full', spread).convergence).toMatchObject({ reached: 1, referenceReached: 1 });
  expect(armOf('full', spread).convergence?.rollouts.value).toBe(1);
});

test('where the reference gains nothing there is no ratio', () => {
  const cells = [...arm('full', [[0.7, 0.7]]), ...arm('pivots', [[0.7, 0.8]])];
  expect(armOf('pivots', cells).convergence).toBeNull();
});

test('curves are means over seeds, as far as all go, and hold before training', () => {
  const cells = [
    cell({ arm: 'pivots', seed: 1, accuracies: [0.5, 0.6, 0.7], before: 100, labels: [0, 10, 20] }),
    cell({ arm: 'pivots', seed: 2, accuracies: [0.5, 0.8], before: 100, labels: [0, 20] }),
  ];
  const { curve } = armOf('pivots', cells);
  expect(curve[0]).toMatchObject({ rollouts: 0, labels: 0 });
  expect(curve[0].accuracy.value).toBeCloseTo(0.5, 12);
  const at = curve.find(({ rollouts }) => rollouts >= 150);
  expect(at?.rollouts).toBeCloseTo(150, 9);
  expect(at?.accuracy.value).toBeCloseTo((0.55 + 0.65) / 2, 9);
  expect(at?.labels).toBeCloseTo(7.5, 9);
  expect(curve[curve.length - 1]).toMatchObject({ rollouts: 200 });
  expect(valueAt(pointsOf(cells[0], null), 301, 'accuracy')).toBeNaN();
});

test('a cell that did not measure the start has that of another cell of its seed', () => {
  const full = cell({ arm: 'full', seed: 1, accuracies: [0.5, 0.7], greedy: [0.6, 0.65] });
  const whole = cell({ arm: 'pivots', seed: 1, accuracies: [0.9, 0.7], greedy: [null, 0.7] });
  const late = { ...whole, evaluations: whole.evaluations.slice(1) };
  const { start, greedyChange } = armOf('pivots', [full, late]);
  expect(start).toBe(0.5);
  expect(greedyChange?.value).toBeCloseTo(0.1, 12);
  // Alone it has none: the curve begins with its first evaluation, and greedy has not changed.
  const alone = armOf('pivots', [late]);
  expect(alone.start).toBeNull();
  expect(alone.greedyChange).toBeNull();
  expect(alone.curve[0].rollouts).toBe(100);
  expect(alone.rolloutsBefore).toBe(0);
});

test('labels are those at the final evaluation, with those that were visited where all say so', () => {
  const cells = [1, 2].map((seed) => ({
    ...cell({ arm: 'pivots', seed, accuracies: [0.5, 0.6], labels: [10, 40] }),
    labels_visited: seed === 1 ? 30 : null,
  }));
  expect(armOf('pivots', cells)).toMatchObject({
    labels: 40,
    labelShare: 0.2,
    labelsVisited: null,
  });
  expect(armOf('pivots', cells.slice(0, 1)).labelsVisited).toBe(30);
});
