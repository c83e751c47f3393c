import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stream } from '../core/random.ts';
import { calibrate, curveAt, utility } from './calibration.ts';
import { describePlan } from './describe.ts';
import { planTriage, type TriageInput } from './plan.ts';
import { drawProbes } from './probes.ts';
import { rankPool } from './ranking.ts';
import { budgetRule, type Candidate, selfUtility } from './rules.ts';
import { triageSettings } from './settings.ts';
import { type SimulationOptions, simulatedPool } from './simulated.ts';
import type { Probe, Route, TriagePlan, TriageSettings } from './types.ts';

const quick = { resamples: 200 };

function planFor(
  n: number,
  settings: Partial<TriageSettings> = {},
  over: Partial<TriageInput> & SimulationOptions & { share?: number } = {},
): TriagePlan {
  const pool = simulatedPool(n, 1, over);
  const ranking = rankPool(pool.column, over.tieBreaks, 0);
  return planTriage({
    name: 'main',
    scores: pool.column,
    lengths: pool.lengths,
    probes: pool.probe(drawProbes(ranking, over.share ?? 0.1, 2)),
    settings: { ...quick, ...settings },
    ...over,
  });
}

const routesOf = (plan: TriagePlan, route: Route) =>
  plan.decisions.filter((one) => one.route === route);

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
  test('intervals cover the true pass rate and vote at about their level', () => {
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

describe('quota', () => {
  test('the published split, the probes inside the annotate share', () => {
    const plan = planFor(1000, {}, { share: 0.05 });
    expect(plan.counts).toEqual({ pool: 1000, discard: 421, self: 286, annotate: 293, probes: 50 });
    expect(plan.budget).toMatchObject({ owned: 50, toBuy: 243 });
    expect(plan.fallback).toBeNull();
    for (const one of plan.decisions) {
      if (one.probe) expect(one.route).toBe('annotate');
      else if (one.score < plan.thresholds.discardBelow) expect(one.route).toBe('discard');
      else if (one.score > plan.thresholds.annotateAbove) expect(one.route).toBe('annotate');
      else expect(one.route).toBe('self');
    }
  });

  test('any split and label cap: every prompt once, never over the cap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.tuple(fc.nat(10), fc.nat(10), fc.integer({ min: 1, max: 10 })),
        fc.option(fc.nat(30)),
        fc.constantFrom('quota' as const, 'risk' as const),
        (n, parts, labels, rule) => {
          const sum = parts[0] + parts[1] + parts[2];
          const quota = { discard: parts[0] / sum, self: parts[1] / sum, annotate: parts[2] / sum };
          const plan = planFor(n, { quota, labels, rule, resamples: 20 }, { share: 0.2 });
          expect(new Set(plan.decisions.map((one) => one.promptId)).size).toBe(n);
          expect(plan.counts.discard + plan.counts.self + plan.counts.annotate).toBe(n);
          expect(plan.counts.annotate).toBe(plan.budget.owned + plan.budget.toBuy);
          if (labels !== null) {
            expect(plan.budget.toBuy).toBeLessThanOrEqual(Math.max(0, labels - plan.budget.owned));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('shares that do not add up are refused', () => {
    expect(() => planFor(10, { quota: { discard: 0.5, self: 0.5, annotate: 0.5 } })).toThrow(
      /add up to 1/,
    );
  });
});

describe('risk', () => {
  const pool = { mastered: 0.4 };
  const plan = planFor(1000, { rule: 'risk', resamples: 300 }, pool);
  test('discards what is surely mastered, trusts votes that are right, annotates the rest', () => {
    expect(plan.rule).toBe('risk');
    for (const one of plan.decisions.filter((decision) => !decision.probe)) {
      const { mu_low, vote } = one.evidence;
      const route = Number(mu_low) >= 0.85 ? 'discard' : Number(vote) >= 0.7 ? 'self' : 'annotate';
      expect(one.route).toBe(route);
    }
    const { mu } = simulatedPool(1000, 1, pool);
    for (const one of routesOf(plan, 'discard')) expect(mu.get(one.promptId)).toBeGreaterThan(0.75);
    expect(plan.counts.discard).toBeGreaterThan(250);
    expect(plan.counts.self).toBeGreaterThan(100);
    expect(plan.counts.annotate).toBeGreaterThan(200);
  });

  test('a cap buys the prompts with the most utility', () => {
    const capped = planFor(1000, { rule: 'risk', labels: 200, resamples: 300 }, pool);
    expect(capped.counts.annotate).toBe(200);
    expect(capped.warnings.join()).toMatch(/does not reach/);
    const bought = routesOf(capped, 'annotate').filter((one) => !one.probe);
    const left = capped.decisions.filter((one) => one.rule === 'risk:over_label_budget');
    const least = Math.min(...bought.map((one) => Number(one.evidence.utility)));
    for (const one of left) expect(Number(one.evidence.utility)).toBeLessThanOrEqual(least);
  });
});

describe('budget', () => {
  const worth = (candidates: readonly Candidate[], routes: readonly Route[]) =>
    candidates.reduce((sum, one, i) => {
      if (routes[i] === 'annotate') return sum + utility(one.mu);
      return sum + (routes[i] === 'self' ? selfUtility(one) : 0);
    }, 0);

  function best(candidates: readonly Candidate[], labels: number, places: number): number {
    let found = 0;
    const walk = (i: number, value: number, l: number, p: number): void => {
      if (i === candidates.length) {
        found = Math.max(found, value);
        return;
      }
      walk(i + 1, value, l, p);
      if (p > 0) walk(i + 1, value + selfUtility(candidates[i]), l, p - 1);
      if (p > 0 && l > 0) walk(i + 1, value + utility(candidates[i].mu), l - 1, p - 1);
    };
    walk(0, 0, labels, places);
    return found;
  }

  test('never over a budget, and as good as trying every choice', () => {
    const share = fc.integer({ min: 0, max: 20 }).map((value) => value / 20);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(share, share), { minLength: 1, maxLength: 7 }),
        fc.nat(5),
        fc.nat(7),
        (pairs, labels, trainPrompts) => {
          const candidates = pairs.map(([mu, vote]) => ({ owned: false, mu, muLow: mu, vote }));
          const settings = triageSettings({ rule: 'budget', labels, trainPrompts });
          const routes = budgetRule(candidates, settings).map((one) => one.route);
          const annotated = routes.filter((route) => route === 'annotate').length;
          const trained = routes.filter((route) => route !== 'discard').length;
          expect(annotated).toBeLessThanOrEqual(labels);
          expect(trained).toBeLessThanOrEqual(trainPrompts);
          expect(worth(candidates, routes)).toBeCloseTo(best(candidates, labels, trainPrompts), 9);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('spends its labels in the middle, not on the hopeless', () => {
    const plan = planFor(600, { rule: 'budget', labels: 150, trainPrompts: 300 });
    expect(plan.counts.annotate).toBe(150);
    expect(plan.counts.annotate + plan.counts.self).toBeLessThanOrEqual(300);
    const bought = routesOf(plan, 'annotate').filter((one) => !one.probe);
    const mean = bought.reduce((sum, one) => sum + (one.expectedPassRate ?? 0), 0) / bought.length;
    expect(mean).toBeGreaterThan(0.3);
    expect(mean).toBeLessThan(0.7);
  });

  test('needs a number of labels', () => {
    expect(() => planFor(10, { rule: 'budget' })).toThrow(/triage.labels/);
  });
});

describe('fallback', () => {
  const noisy = { noise: 1 };
  test('a score that is no better than chance is said so and replaced by random quotas', () => {
    const plan = planFor(400, { rule: 'risk' }, noisy);
    expect(plan.fallback).toMatch(/simulated ranks no better than chance on 40 probes/);
    expect(plan).toMatchObject({ estimator: 'random', requested: 'simulated', rule: 'quota' });
    expect(plan.alternatives.map((one) => one.estimator)).toEqual(['simulated']);
    expect(plan.counts.annotate).toBe(117);
    expect(new Set(plan.decisions.map((one) => one.expectedPassRate)).size).toBe(1);
    expect(describePlan(plan)).toMatch(/^WARNING: simulated ranks no better/);
  });

  test('an alternative that beats chance is preferred, and keeps the rule', () => {
    const good = { ...simulatedPool(400, 1).column, estimator: 'good' };
    const worse = { ...simulatedPool(400, 1, { noise: 0.5 }).column, estimator: 'worse' };
    const plan = planFor(400, { rule: 'risk' }, { ...noisy, alternatives: [worse, good] });
    expect(plan).toMatchObject({ estimator: 'good', rule: 'risk' });
    expect(plan.fallback).toMatch(/good does better/);
    expect(plan.alternatives.map((one) => one.estimator)).toEqual(['simulated', 'worse']);
  });

  test('a random plan is taken at its word, whatever else was offered', () => {
    const pool = simulatedPool(400, 1, noisy);
    const plan = planTriage({
      name: 'random',
      scores: { ...pool.column, estimator: 'random' },
      alternatives: [{ ...simulatedPool(400, 1).column, estimator: 'good' }],
      probes: pool.probe(drawProbes(rankPool(pool.column), 0.1)),
      settings: quick,
    });
    expect(plan).toMatchObject({ estimator: 'random', fallback: null, warnings: [] });
  });

  test('a false alarm is rare', () => {
    let beaten = 0;
    for (let seed = 0; seed < 60; seed++) {
      const pool = simulatedPool(200, seed, noisy);
      const probes = pool.probe(drawProbes(rankPool(pool.column), 0.2, seed));
      const report = calibrate(rankPool(pool.column), probes, triageSettings(quick));
      if (report.verdict === 'beats chance') beaten++;
    }
    expect(beaten).toBeLessThanOrEqual(4);
  });
});

describe('ties', () => {
  test('too many ties: said, and cut by quota instead of by calibration', () => {
    const plan = planFor(400, { rule: 'risk', tieLimit: 0.4 }, { levels: 2 });
    expect(plan).toMatchObject({ rule: 'quota', requestedRule: 'risk' });
    expect(plan.fallback).toMatch(/share one value.*quota instead of risk/);
  });

  test('a continuous variant breaks them, and is named', () => {
    const fine = { ...simulatedPool(400, 1).column, estimator: 'fine' };
    const plan = planFor(400, { rule: 'risk', tieLimit: 0.4 }, { levels: 2, tieBreaks: [fine] });
    expect(plan).toMatchObject({ rule: 'risk', fallback: null });
    expect(plan.warnings[0]).toMatch(/ties are broken by fine/);
    const { auroc, aurocAlone, ties } = plan.calibration;
    expect(auroc?.estimate).toBeGreaterThan(aurocAlone ?? 1);
    expect(ties).toMatchObject({ distinct: 2, tiedBroken: 0, brokenBy: ['fine'] });
  });

  test('all scores equal: random quotas and no crash', () => {
    const plan = planFor(100, { rule: 'risk' }, { levels: 1, share: 0.2 });
    expect(plan).toMatchObject({ estimator: 'random', rule: 'quota' });
    expect(plan.counts).toMatchObject({ discard: 42, self: 29, annotate: 29 });
  });
});

describe('tiny pools', () => {
  test.each([0, 1, 2, 5])('%i prompts, with and without probes, by every rule', (n) => {
    for (const share of [0, 0.05, 1]) {
      for (const rule of ['quota', 'risk', 'budget'] as const) {
        const plan = planFor(n, { rule, labels: 3, resamples: 20 }, { share });
        expect(plan.decisions).toHaveLength(n);
        expect(plan.rule).toBe('quota');
        expect(plan.warnings.join()).toMatch(/too few to judge/);
        expect(describePlan(plan)).toContain('annotate');
        expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
      }
    }
  });

  test('zero probes in a large pool: the ranking is used as it is, unjudged', () => {
    const plan = planFor(100, { rule: 'budget', labels: 20 }, { share: 0 });
    expect(plan.calibration).toMatchObject({ verdict: 'unknown', curve: [], auroc: null });
    expect(plan.decisions.every((one) => one.expectedPassRate === null)).toBe(true);
    expect(plan.counts.annotate).toBe(20);
  });

  test('every probe mastered, or none', () => {
    const pool = simulatedPool(100, 1);
    for (const passRate of [0, 1]) {
      const probes: Probe[] = pool.column.scores
        .slice(0, 20)
        .map(({ promptId }) => ({ promptId, passRate, voteRight: null }));
      const plan = planTriage({ name: 'm', scores: pool.column, probes, settings: quick });
      expect(plan.fallback).toMatch(/AUROC is undefined/);
      expect(plan.calibration.meanVoteRight).toBeNull();
    }
  });
});

test('the description shows routes, budget, cuts and every score', () => {
  const text = describePlan(
    planFor(
      200,
      { labels: 59 },
      { alternatives: [{ ...simulatedPool(200, 1, { noise: 0.8 }).column, estimator: 'other' }] },
    ),
  );
  expect(text).toMatch(/Plan "main", round 0: 200 prompts by simulated, rule quota\n/);
  expect(text).toMatch(/discard +84 +42\.0 %/);
  expect(text).toMatch(/Labels: 20 owned, 39 to buy \(of 59\)/);
  expect(text).toMatch(/given length/);
  expect(text).toMatch(/\nother +0\./);
});

test('the same input gives the same plan', () => {
  expect(planFor(150, { rule: 'risk' })).toEqual(planFor(150, { rule: 'risk' }));
});
