import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stream } from '../core/random.ts';
import { calibrate, curveAt, utility } from './calibration.ts';
import { drawProbes } from './probes.ts';
import { rankPool } from './ranking.ts';
import { triageSettings } from './settings.ts';
import { planFor, quick, simulatedPool } from './simulated.ts';

describe('ranking', () => {
  test('ties are split by the tie-breakers in turn, and counted', () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const column = (estimator: string, values: number[]) => ({
      estimator,
      scores: ids.map((promptId, i) => ({ promptId, value: values[i] })),
    });
    const ranking = rankPool(column('s', [0, 0, 0, 1, 0]), [
      column('flat', [1, 1, 1, 1, 1]),
      column('t', [3, 1, 2, 0, 1]),
    ]);
    expect(ranking.promptIds[2]).toBe('c');
    expect(ranking.promptIds.slice(3)).toEqual(['a', 'd']);
    expect(ranking.ties).toEqual({
      distinct: 2,
      distinctBroken: 4,
      tied: 4,
      tiedBroken: 2,
      largest: 0.8,
      largestBroken: 0.4,
      brokenBy: ['t'],
    });
    expect(ranking.positions[0]).toBe(ranking.positions[1]);
    expect(ranking.positions[0]).toBeCloseTo(0.2, 12);
  });

  test('the order of the input does not matter', () => {
    const pool = simulatedPool(50, 3, { levels: 4 });
    const shuffled = {
      ...pool.column,
      scores: stream(9).shuffled(pool.column.scores),
    };
    expect(rankPool(shuffled, [], 5).promptIds).toEqual(rankPool(pool.column, [], 5).promptIds);
  });

  test('a prompt scored twice, not at all or with NaN is named', () => {
    const scores = [
      { promptId: 'x', value: 1 },
      { promptId: 'x', value: 2 },
    ];
    expect(() => rankPool({ estimator: 's', scores })).toThrow(/prompt x/);
    expect(() =>
      rankPool({ estimator: 's', scores: [{ promptId: 'y', value: Number.NaN }] }),
    ).toThrow(/prompt y.*finite/);
    expect(() =>
      rankPool({ estimator: 's', scores: [scores[0]] }, [{ estimator: 't', scores: [] }]),
    ).toThrow(/prompt x.*t score/);
  });
});

describe('probes', () => {
  test('lie evenly over the ranking, one per stratum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.integer(),
        (n, share, seed) => {
          const ranking = rankPool(simulatedPool(n, 2).column);
          const ranks = drawProbes(ranking, share, seed).map((id) => ranking.promptIds.indexOf(id));
          const count = Math.max(1, Math.round(share * n));
          expect(ranks).toHaveLength(count);
          for (const [stratum, rank] of ranks.entries()) {
            expect(rank).toBeGreaterThanOrEqual(Math.floor((stratum * n) / count));
            expect(rank).toBeLessThan(Math.floor(((stratum + 1) * n) / count));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test('a share of 0 draws none', () => {
    expect(drawProbes(rankPool(simulatedPool(5, 1).column), 0)).toEqual([]);
  });
});

describe('calibration', () => {
  test('intervals cover the true pass rate at about their level', () => {
    const places = [0.05, 0.25, 0.5, 0.75, 0.95];
    let covered = 0;
    let width = 0;
    let total = 0;
    for (let seed = 0; seed < 40; seed++) {
      const pool = simulatedPool(600, seed);
      const ranking = rankPool(pool.column);
      const probes = pool.probe(drawProbes(ranking, 0.12, seed));
      const report = calibrate(ranking, probes, triageSettings({ resamples: 200, level: 0.9 }));
      for (const place of places) {
        const found = curveAt(report.curve, place);
        const truth = pool.mu.get(ranking.promptIds[Math.floor(place * 600)]) ?? Number.NaN;
        if (found === undefined) throw new Error('no curve');
        if (found.passRate.low <= truth && truth <= found.passRate.high) covered++;
        width += found.passRate.high - found.passRate.low;
        total++;
      }
    }
    expect(covered / total).toBeGreaterThan(0.83);
    expect(width / total).toBeLessThan(0.3);
  });

  test('the curve falls, stays in 0..1 and inside its intervals', () => {
    const { curve } = planFor(300).calibration;
    for (const [i, point] of curve.entries()) {
      for (const band of [point.passRate, point.vote ?? point.passRate]) {
        expect(band.low).toBeGreaterThanOrEqual(0);
        expect(band.low).toBeLessThanOrEqual(band.estimate);
        expect(band.estimate).toBeLessThanOrEqual(band.high);
        expect(band.high).toBeLessThanOrEqual(1);
      }
      if (i > 0) {
        expect(point.passRate.estimate).toBeLessThanOrEqual(curve[i - 1].passRate.estimate);
        expect(point.passRate.low).toBeLessThanOrEqual(curve[i - 1].passRate.low);
      }
      expect(point.utility).toBeCloseTo(utility(point.passRate.estimate), 12);
    }
  });

  test('a good score is good by every measure, and length is told apart', () => {
    const { calibration } = planFor(600);
    expect(calibration.verdict).toBe('beats chance');
    expect(calibration.auroc?.low).toBeGreaterThan(0.9);
    expect(calibration.spearman?.estimate).toBeLessThan(-0.9);
    expect(calibration.brier).toBeLessThan(0.03);
    expect(calibration.ece).toBeLessThan(0.1);
    expect(calibration.spearmanLength).toBeLessThan(-0.4);
    expect(calibration.spearmanLength).toBeGreaterThan(-0.9);
    expect(calibration.spearmanGivenLength).toBeLessThan(-0.8);
  });

  test('length as the score has nothing left given length', () => {
    const pool = simulatedPool(200, 4);
    const scores = [...pool.lengths].map(([promptId, value]) => ({ promptId, value }));
    const column = { estimator: 'length', scores };
    const probes = pool.probe(drawProbes(rankPool(column), 0.2));
    const report = calibrate(rankPool(column), probes, triageSettings(quick), pool.lengths);
    expect(report.spearmanGivenLength).toBeNull();
    expect(report.spearmanLength).toBeCloseTo(report.spearman?.estimate ?? Number.NaN, 12);
  });
});
