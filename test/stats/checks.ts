/**
 * Every function of src/stats that SciPy can compute too, on the inputs of cases.ts. What a check is called, the
 * shape of its inputs and the order of its numbers are those of scipy_check.py.
 */
import { type RandomStream, stream } from '../../src/core/random.ts';
import { pearson, spearman } from '../../src/core/ranks.ts';
import { bootstrapInterval, resampleIndices } from '../../src/stats/bootstrap.ts';
import { auroc } from '../../src/stats/classification.ts';
import { partialSpearman, pointBiserial } from '../../src/stats/correlation.ts';
import { holm } from '../../src/stats/holm.ts';
import { isotonicAt, isotonicFit, poolAdjacentViolators } from '../../src/stats/isotonic.ts';
import { fitLogistic } from '../../src/stats/logistic.ts';
import { normalCdf, normalQuantile } from '../../src/stats/normal.ts';
import { signFlipTest, wilcoxonSignedRank } from '../../src/stats/paired.ts';
import { costRatio, ratioOfMeans } from '../../src/stats/ratio.ts';
import {
  meanInterval,
  meanLowerBound,
  pairedT,
  studentCdf,
  studentQuantile,
} from '../../src/stats/student.ts';
import type { Interval } from '../../src/stats/types.ts';
import { costs, list, many, outcomes, pairsOf, reals, tied } from './cases.ts';

export interface Check {
  name: string;
  /** One per case, plain JSON. */
  inputs: readonly unknown[];
  /** What src/stats makes of each case. */
  found: number[][];
}

function check<T>(name: string, inputs: readonly T[], compute: (input: T) => number[]): Check {
  return { name, inputs, found: inputs.map(compute) };
}

/** All checks; the same at every call. */
export function checks(): Check[] {
  return [
    ...correlations(),
    ...fits(),
    ...distributions(),
    ...intervals(),
    ...pairedTests(),
    ...ratios(),
  ];
}

function correlations(): Check[] {
  const pairs = pairsOf('spearman', [2, 3, 8, 60, 300]);
  const triples = pairs
    .filter(({ a }) => a.length > 3)
    .map(({ a, b }) => ({ a, b, c: a.map((value, i) => value - (i % 3) * b[i]) }));
  const classified = many('auroc', 12, (random, i) => {
    const n = [3, 12, 80, 400][i % 4];
    const scores = i % 3 === 0 ? tied(random, n) : reals(random, n, i % 3 === 1 ? 1 : 1e12);
    return { scores, positive: outcomes(random, n) };
  });
  const uncertain = many('point biserial', 15, (random, i) => {
    const n = [2, 4, 8, 16, 64][i % 5];
    const scale = 10 ** [0, 9, -9][i % 3];
    const u = i < 5 ? tied(random, n).map((value, j) => value + j) : reals(random, n, scale);
    return { u, r: outcomes(random, n) };
  });
  return [
    check('spearman', pairs, ({ a, b }) => [spearman(a, b)]),
    check('partial_spearman', triples, ({ a, b, c }) => [partialSpearman(a, b, c)]),
    check('auroc', classified, ({ scores, positive }) => [
      auroc(
        scores,
        positive.map((one) => one === 1),
      ),
    ]),
    check('point_biserial', uncertain, ({ u, r }) => [pointBiserial(u, r) ?? Number.NaN]),
  ];
}

function fits(): Check[] {
  const curves = many('isotonic', 12, (random, i) => {
    const n = [1, 2, 30, 200][i % 4];
    const rising = i % 2 === 0;
    const x = i % 3 === 0 ? tied(random, n, 12) : reals(random, n);
    const noise = reals(random, n, i % 3 === 2 ? 1e6 : 0.5);
    const y = x.map((value, j) => (rising ? value : -value) + noise[j]);
    const weights = list(n, () => random.uniform() + 0.05);
    return { x, y, weights, rising, at: list(25, (j) => -2.4 + 0.2 * j) };
  });
  const samples = many('logistic', 8, (random, i) => {
    const n = [4, 20, 60, 150][i % 4];
    const scale = [1, 5, 0.02][i % 3];
    const rows = list(n, () => reals(random, 1 + (i % 3), scale));
    const isSeparable = i === 2;
    const targets = rows.map(([first]) => {
      if (isSeparable) return first > 0 ? 1 : 0;
      const mixed = 0.6 * random.uniform() + (first > 0 ? 0.4 : 0);
      return i % 2 === 0 ? Math.round(mixed) : mixed;
    });
    const weights = list(n, () => random.uniform() + 0.1);
    return { rows, targets, weights, ridge: [1, 0.01, 30][i % 3] };
  });
  return [
    check('pool_adjacent_violators', curves, ({ y, weights }) => [
      ...poolAdjacentViolators(y, weights),
    ]),
    check('isotonic', curves, ({ x, y, weights, rising, at }) => {
      const fit = isotonicFit(x, y, rising ? 'rising' : 'falling', weights);
      return at.map((place) => isotonicAt(fit, place));
    }),
    check('logistic_ridge', samples, ({ rows, targets, weights, ridge }) => {
      const { coefficients, intercept } = fitLogistic(rows, targets, { ridge, weights });
      return [...coefficients, intercept];
    }),
  ];
}

function distributions(): Check[] {
  const tails = [1e-12, 1e-6, 0.005, 0.025, 0.2, 0.5, 0.6, 0.95, 0.975, 0.9999];
  const places = [-1e4, -30, -5, -2.999, -0.4, 0, 0.1, 1, 2.5, 3.1, 7];
  const dfs = [1, 2, 3.5, 4, 9, 30, 400, 1e5];
  const withDf = (values: readonly number[]) =>
    dfs.flatMap((df) => values.map((value) => ({ value, df })));
  const withLog = (cdf: number) => [cdf, Math.log(cdf)];
  return [
    check('student_cdf', withDf(places), ({ value, df }) => withLog(studentCdf(value, df))),
    check('student_quantile', withDf(tails), ({ value, df }) => [studentQuantile(value, df)]),
    check('normal_cdf', places.slice(1), (value) => withLog(normalCdf(value))),
    check('normal_quantile', tails, (value) => [normalQuantile(value)]),
  ];
}

const ends = (interval: Interval | undefined): number[] =>
  interval === undefined ? [] : [interval.estimate, interval.low, interval.high];

interface Resampled {
  a: number[];
  b: number[];
  /** resamples x n */
  indices: number[][];
  level: number;
}

function intervals(): Check[] {
  const seeds = many('mean', 12, (random, i) => ({
    values: reals(random, [2, 3, 5, 40][i % 4], 10 ** [0, 6, -6][i % 3]),
    level: [0.9, 0.95][i % 2],
  }));
  const resamples = 400;
  const resampled = (name: string) =>
    pairsOf(name, [8, 25]).map(({ a, b }, i): Resampled => {
      const random = resampling(name, i);
      const indices = list(resamples, () => [...resampleIndices(a.length, random)]);
      return { a, b, indices, level: i % 2 === 0 ? 0.95 : 0.8 };
    });
  const bootstrap = (name: string, statistic: (a: number[], b: number[]) => number): Check[] => {
    const cases = resampled(name);
    return (['percentile', 'bca'] as const).map((method) =>
      check(`bootstrap_${method}_${name}`, cases, (one) => {
        const at = (indices: Int32Array) =>
          statistic(
            Array.from(indices, (i) => one.a[i]),
            Array.from(indices, (i) => one.b[i]),
          );
        const random = resampling(name, cases.indexOf(one));
        return ends(
          bootstrapInterval(one.a.length, at, { resamples, level: one.level, random, method }),
        );
      }),
    );
  };
  return [
    check('mean_interval', seeds, ({ values, level }) => [
      ...ends(meanInterval(values, level)),
      meanLowerBound(values, level),
    ]),
    ...bootstrap('difference', meanDifference),
    ...bootstrap('correlation', pearson),
  ];
}

/** The stream that a bootstrap case resamples with; SciPy is given the indices that it yields. */
function resampling(name: string, i: number): RandomStream {
  return stream(3, name, i);
}

function meanDifference(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value - b[i], 0) / a.length;
}

function pairedTests(): Check[] {
  const differing = ({ a, b }: { a: number[]; b: number[] }) =>
    new Set(a.map((value, i) => value - b[i])).size > 1;
  const pairs = pairsOf('paired t', [2, 5, 10, 100]).filter(differing);
  const ranked = pairsOf('wilcoxon', [2, 3, 5, 8, 11]);
  const untied = pairsOf('wilcoxon exact', [20, 60]).filter((_, i) => i % 3 !== 0);
  const large = pairsOf('wilcoxon normal', [130, 400]);
  const flipped = pairsOf('sign flips', [2, 5, 8, 11]);
  const comparisons = many('holm', 10, (random, i) =>
    list(1 + i, () => (i % 3 === 0 ? tied(random, 1)[0] : random.uniform() ** 4)),
  );
  const signedRanks = ({ a, b }: { a: number[]; b: number[] }) => {
    const { statistic, p, pGreater } = wilcoxonSignedRank(a, b);
    return [statistic, p, pGreater];
  };
  return [
    check('paired_t', pairs, ({ a, b }) => {
      const { difference, lower, t, df, p, pGreater } = pairedT(a, b, 0.95);
      return [...ends(difference), lower, t, df, p, pGreater];
    }),
    check('wilcoxon_ties_and_zeros', ranked, signedRanks),
    check('wilcoxon_exact', untied, signedRanks),
    check('wilcoxon_normal', large, signedRanks),
    check('sign_flip', flipped, ({ a, b }) => {
      const { difference, p, pGreater } = signFlipTest(a, b, { resamples: 0, random: stream(0) });
      return [difference, p, pGreater];
    }),
    check('holm', comparisons, (pValues) => [...holm(pValues)]),
  ];
}

function ratios(): Check[] {
  const measured = many('ratio', 9, (random, i) => {
    const n = [3, 5, 20][i % 3];
    const b = list(n, () => 5 + 2 * random.uniform());
    return { a: b.map((value) => value * (1 + i) + 3 * random.uniform()), b, level: 0.95 };
  });
  const runs = many('cost ratio', 12, (random, i) => {
    const n = [5, 8, 10, 30][i % 4];
    const [reference, arm] = [costs(random, n), costs(random, n)];
    // Without, then with, runs of the arm that never reached the target.
    return { reference, arm, reached: list(n, (j) => i < 6 || j % 6 !== 1), level: 0.95 };
  });
  return [
    check('ratio_of_means', measured, ({ a, b, level }) => ends(ratioOfMeans(a, b, level))),
    check('cost_ratio', runs, ({ reference, arm, reached, level }) => {
      const found = costRatio(
        reference.map((cost) => ({ cost, reached: true })),
        arm.map((cost, i) => ({ cost, reached: reached[i] })),
        level,
      );
      return [...ends(found.geometric), found.geometricLower, found.median, found.medianLower];
    }),
  ];
}
