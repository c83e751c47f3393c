import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calibrate, utility } from './calibration.ts';
import { describePlan } from './describe.ts';
import { planTriage } from './plan.ts';
import { drawProbes } from './probes.ts';
import { rankPool } from './ranking.ts';
import { budgetRule, type Candidate, selfUtility } from './rules.ts';
import { triageSettings } from './settings.ts';
import { planFor, quick, simulatedPool } from './simulated.ts';
import type { Probe, Route, TriagePlan } from './types.ts';

const routesOf = (plan: TriagePlan, route: Route) =>
  plan.decisions.filter((one) => one.route === route);

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
