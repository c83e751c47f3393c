import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stream } from '../core/random.ts';
import { dynamicStateFromJson, dynamicStateToJson } from './disk.ts';
import { createDynamicRouter } from './dynamic.ts';
import { expectedInformation } from './dynamic-draw.ts';
import type { DynamicSettings, Visit } from './dynamic-types.ts';
import { planTriage } from './plan.ts';
import { drawProbes } from './probes.ts';
import { rankPool } from './ranking.ts';
import { simulatedPool } from './simulated.ts';
import { replay, transitionsOf } from './transitions.ts';
import type { PromptState, Transition, TriagePlan } from './types.ts';

const pool = simulatedPool(100, 2);
function planOf(estimator = 'simulated'): TriagePlan {
  const column = { ...pool.column, estimator };
  return planTriage({
    name: 'main',
    scores: column,
    probes: pool.probe(drawProbes(rankPool(column), 0.1)),
    settings: { resamples: 50 },
  });
}
const plan = planOf();
const scoreOf = new Map(plan.decisions.map((one) => [one.promptId, one.score]));
const inState = (state: PromptState, from = plan) =>
  from.decisions
    .filter((one) => (one.probe ? 'annotated' : one.route) === state)
    .map((one) => one.promptId);

const settings = (over: Partial<DynamicSettings> = {}) => ({ labels: 40, warmupSteps: 0, ...over });
/** The same visit at steps from..to-1; all transitions. */
function repeat(
  router: ReturnType<typeof createDynamicRouter>,
  visit: Visit,
  from: number,
  to: number,
): Transition[] {
  const all: Transition[] = [];
  for (let step = from; step < to; step++) all.push(...router.observe(step, [visit]));
  return all;
}

describe('moves', () => {
  test('a mastered prompt leaves after unanimous visits in a row, not before', () => {
    const [promptId] = inState('self');
    const router = createDynamicRouter(plan, settings({ masteredVisits: 3 }));
    const visit = { promptId, voteShare: 1 };
    expect(repeat(router, visit, 0, 2)).toEqual([]);
    expect(router.observe(2, [{ promptId, voteShare: 0.875 }])).toEqual([]);
    expect(repeat(router, visit, 3, 5)).toEqual([]);
    expect(repeat(router, visit, 5, 6)).toMatchObject([
      { promptId, from: 'self', to: 'discard', rule: 'dynamic:mastered', step: 5, plan: 'main' },
    ]);
  });

  test('a labelled prompt leaves when it is right, not when it is wrong throughout', () => {
    const [promptId] = inState('annotated');
    const router = createDynamicRouter(plan, settings());
    expect(repeat(router, { promptId, passRate: 0, voteShare: 1 }, 0, 5)).toEqual([]);
    expect(repeat(router, { promptId, passRate: 1, voteShare: 1 }, 5, 9)).toHaveLength(1);
    // Drifting back it is annotated at once: its label is owned.
    const back = repeat(router, { promptId, passRate: 0.5, voteShare: 0.5 }, 9, 14);
    expect(back).toMatchObject([{ from: 'discard', to: 'annotated' }]);
  });

  test('a group that disagrees is queued for a label, the most uncertain first, within the budget', () => {
    const [low, , high] = inState('self');
    const committed = plan.counts.annotate;
    const router = createDynamicRouter(plan, settings({ labels: committed + 1 }));
    const visits = [low, high].map((promptId) => ({ promptId, voteShare: 0.5 }));
    expect(router.observe(0, visits)).toMatchObject([{ promptId: high, to: 'annotate' }]);
    expect(router.report().labels).toEqual({
      owned: plan.counts.probes,
      waiting: committed - plan.counts.probes + 1,
      left: 0,
    });
    expect(repeat(router, visits[0], 1, 9)).toEqual([]);
    expect(router.labelled(9, [high])).toMatchObject([{ from: 'annotate', to: 'annotated' }]);
    expect(router.labelled(9, [high])).toEqual([]);
  });

  test('a prompt without an answer goes back, frees its budget and is not asked again', () => {
    const [first, second] = inState('self');
    const router = createDynamicRouter(plan, settings({ labels: plan.counts.annotate + 1 }));
    router.observe(0, [{ promptId: first, voteShare: 0.5 }]);
    expect(router.refused(0, [first])).toMatchObject([{ from: 'annotate', to: 'self' }]);
    expect(repeat(router, { promptId: first, voteShare: 0.5 }, 1, 4)).toEqual([]);
    expect(router.observe(4, [{ promptId: second, voteShare: 0.5 }])).toHaveLength(1);
  });

  test('scores far beyond a threshold move a prompt after `patience` visits', () => {
    const [promptId] = inState('self');
    const down = createDynamicRouter(plan, settings({ scoreDecay: 0, patience: 3 }));
    const visit = { promptId, voteShare: 0.9 };
    expect(repeat(down, { ...visit, score: -1 }, 0, 2)).toEqual([]);
    expect(repeat(down, { ...visit, score: -1 }, 2, 3)).toMatchObject([
      { to: 'discard', rule: 'dynamic:score_below' },
    ]);
    expect(repeat(down, { ...visit, score: 0.8 }, 3, 6)).toMatchObject([
      { from: 'discard', to: 'self', rule: 'dynamic:drifted_back', step: 5 },
    ]);
    const up = createDynamicRouter(plan, settings({ scoreDecay: 0, patience: 3 }));
    expect(repeat(up, { ...visit, score: 2 }, 0, 3)).toMatchObject([
      { to: 'annotate', rule: 'dynamic:score_above' },
    ]);
  });

  test('a discarded prompt whose group disagrees comes back to be annotated, or stays out', () => {
    const [promptId] = inState('discard');
    const visit = { promptId, voteShare: 0.5 };
    const rich = createDynamicRouter(plan, settings());
    expect(repeat(rich, visit, 0, 2)).toMatchObject([{ from: 'discard', to: 'annotate' }]);
    const poor = createDynamicRouter(plan, settings({ labels: plan.counts.annotate }));
    expect(repeat(poor, visit, 0, 6)).toEqual([]);
  });

  test('a drift of all scores moves the thresholds and nobody else, though few are visited', () => {
    const driven = (driftDecay: number) => {
      const router = createDynamicRouter(plan, settings({ driftDecay }));
      let moved = 0;
      for (let step = 0; step < 80; step++) {
        const visits = router.draw(step, 16, stream(7, 'drift', step)).map((promptId) => ({
          promptId,
          score: (scoreOf.get(promptId) ?? 0) - 0.01 * step,
          voteShare: 0.9,
        }));
        moved += router.observe(step, visits).length;
      }
      return { moved, thresholds: router.report().thresholds };
    };
    const before = createDynamicRouter(plan, settings()).report().thresholds;
    const { moved, thresholds } = driven(0.7);
    expect(moved).toBeLessThanOrEqual(2);
    // They trail a moving target by a little.
    for (const side of ['low', 'high'] as const) {
      expect(Math.abs(thresholds[side] - (before[side] - 0.79))).toBeLessThan(0.12);
    }
    expect(driven(1).moved).toBeGreaterThan(5);
  });

  test('thresholds move to the quantiles of refreshed scores', () => {
    const router = createDynamicRouter(plan, settings({ scoreDecay: 0, thresholdDecay: 0.5 }));
    const before = router.report().thresholds;
    // The lower half of the pool sinks: the lower cut goes with it, the upper one stays.
    for (let step = 0; step < 30; step++) {
      router.observe(
        step,
        [...scoreOf].map(([promptId, score]) => ({
          promptId,
          score: score < 0.6 ? score / 2 : score,
        })),
      );
    }
    const { low, high } = router.report().thresholds;
    expect(low).toBeCloseTo(before.low / 2, 2);
    expect(high).toBeCloseTo(before.high, 2);
  });
});

describe('cold start', () => {
  test('nothing moves before the warm-up is over, and the report says so', () => {
    const [promptId] = inState('self');
    const router = createDynamicRouter(plan, settings({ warmupSteps: 5 }));
    expect(repeat(router, { promptId, voteShare: 1 }, 0, 5)).toEqual([]);
    expect(router.report().coldStart).toMatchObject({ warmingUp: true });
    expect(router.report().coldStart.message).toMatch(/before step 5/);
    expect(repeat(router, { promptId, voteShare: 1 }, 5, 6)).toHaveLength(1);
    expect(router.report().coldStart).toMatchObject({ warmingUp: false, message: null });
  });

  test('flat scores move nobody; agreement still does', () => {
    const router = createDynamicRouter(plan, settings({ scoreDecay: 0 }));
    const flat = [...scoreOf.keys()].map((promptId) => ({ promptId, score: 0.5 }));
    for (let step = 0; step < 5; step++) expect(router.observe(step, flat)).toEqual([]);
    expect(router.report().coldStart).toMatchObject({ flat: true, flatSteps: 5 });
    expect(router.report().coldStart.message).toMatch(/flat/);
    const [promptId] = inState('self');
    expect(repeat(router, { promptId, voteShare: 1 }, 5, 8)).toHaveLength(1);
  });

  test('the scores of a random plan are not compared with those of training', () => {
    const random = planOf('random');
    const router = createDynamicRouter(random, settings({ scoreDecay: 0 }));
    const [promptId] = inState('self', random);
    expect(repeat(router, { promptId, score: -5, voteShare: 0.9 }, 0, 5)).toEqual([]);
    expect(router.report().coldStart.message).toMatch(/plan is random/);
  });
});

/** Random visits, from a seed. */
function visitsOf(seed: number, step: number): Visit[] {
  const random = stream(seed, 'visits', step);
  return random
    .shuffled([...scoreOf.keys()])
    .slice(0, 16)
    .map((promptId) => ({
      promptId,
      score: random.uniform() * 2 - 0.5,
      voteShare: Math.ceil(random.uniform() * 8) / 8,
    }));
}

describe('properties', () => {
  test('within the hysteresis margin no prompt ever moves', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(0, 0.5), (seed, scoreDecay) => {
        const router = createDynamicRouter(
          plan,
          settings({ margin: 0.2, scoreDecay, patience: 1 }),
        );
        // The interquartile range is near 0.5; scores and cuts may both shift by the noise.
        const noise = 0.04;
        for (let step = 0; step < 12; step++) {
          const random = stream(seed, step);
          const visits = [...scoreOf].map(([promptId, score]) => ({
            promptId,
            score: score + noise * (2 * random.uniform() - 1),
            voteShare: 0.9,
          }));
          const moved = router.observe(step, visits);
          expect(moved).toEqual([]);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('the label budget is never overrun, and the manifest replays to the states', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(20), (seed, extra) => {
        const labels = plan.counts.annotate + extra;
        const router = createDynamicRouter(plan, settings({ labels, patience: 1 }));
        const manifest = transitionsOf(plan, new Map());
        for (let step = 0; step < 15; step++) {
          manifest.push(...router.observe(step, visitsOf(seed, step)));
          const waiting = [...router.states()].filter(([, state]) => state === 'annotate');
          const some = waiting.map(([promptId]) => promptId).filter((_, i) => (i + step) % 3 === 0);
          if (step % 2 === 0) manifest.push(...router.labelled(step, some));
          else manifest.push(...router.refused(step, some.slice(0, 1)));
          const { owned, waiting: count } = router.report().labels;
          expect(owned + count).toBeLessThanOrEqual(labels);
        }
        expect(replay(manifest)).toEqual(router.states());
      }),
      { numRuns: 30 },
    );
  });

  test('a router restored from its saved state decides as the one that went on', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 9 }), (seed, cut) => {
        const whole = createDynamicRouter(plan, settings());
        const first = createDynamicRouter(plan, settings());
        for (let step = 0; step < cut; step++) {
          whole.observe(step, visitsOf(seed, step));
          first.observe(step, visitsOf(seed, step));
        }
        const text = JSON.stringify(dynamicStateToJson(first.save()));
        const second = createDynamicRouter(
          plan,
          settings(),
          dynamicStateFromJson(JSON.parse(text)),
        );
        for (let step = cut; step < 12; step++) {
          expect(second.draw(step, 8, stream(seed, 'd', step))).toEqual(
            whole.draw(step, 8, stream(seed, 'd', step)),
          );
          expect(second.observe(step, visitsOf(seed, step))).toEqual(
            whole.observe(step, visitsOf(seed, step)),
          );
        }
        expect(second.save()).toEqual(whole.save());
      }),
      { numRuns: 20 },
    );
  });

  test('draws are different prompts, as many as there are, with few of the discarded', () => {
    const router = createDynamicRouter(plan, settings());
    const states = router.states();
    let discarded = 0;
    for (let step = 0; step < 200; step++) {
      const drawn = router.draw(step, 10, stream(3, step));
      expect(new Set(drawn).size).toBe(10);
      discarded += drawn.filter((promptId) => states.get(promptId) === 'discard').length;
    }
    expect(discarded / 2000).toBeGreaterThan(0.03);
    expect(discarded / 2000).toBeLessThan(0.08);
    expect(router.draw(0, 1000, stream(1))).toHaveLength(100);
    expect(router.draw(0, 0, stream(1))).toEqual([]);
  });
});

test('prompts that disagree are drawn more often than unanimous ones', () => {
  const [mixed, sure] = inState('annotated').slice(4, 6);
  const router = createDynamicRouter(plan, settings({ masteredVisits: 99 }));
  for (let step = 0; step < 6; step++) {
    router.observe(step, [
      { promptId: mixed, passRate: 0.5 },
      { promptId: sure, passRate: 1 },
    ]);
  }
  const times = { [mixed]: 0, [sure]: 0 };
  for (let step = 6; step < 300; step++) {
    for (const promptId of router.draw(step, 10, stream(4, step))) {
      if (promptId in times) times[promptId]++;
    }
  }
  expect(times[mixed]).toBeGreaterThan(5 * times[sure]);
});

test('old outcomes fade: information returns to the prior', () => {
  const memory = { ...createDynamicRouter(plan, settings()).save().prompts[0], prior: 0.5 };
  const options = { priorStrength: 3, countDecay: 0.9 };
  const sure = { ...memory, hits: 40, misses: 0, seen: 0 };
  const fresh = expectedInformation({ ...memory, hits: 0, misses: 0 }, 0, options);
  expect(expectedInformation(sure, 0, options)).toBeLessThan(fresh / 3);
  expect(expectedInformation(sure, 200, options)).toBeCloseTo(fresh, 6);
});

describe('refusals', () => {
  test('a plan that needs more labels than there are', () => {
    expect(() => createDynamicRouter(plan, { labels: 3 })).toThrow(/within 3 labels/);
  });
  test('a state of another plan', () => {
    const saved = { ...createDynamicRouter(plan, settings()).save(), plan: 'other' };
    expect(() => createDynamicRouter(plan, settings(), saved)).toThrow(/"other"/);
  });
  test('an unknown prompt and a step that does not rise', () => {
    const router = createDynamicRouter(plan, settings());
    expect(() => router.observe(0, [{ promptId: 'constructor' }])).toThrow(/prompt constructor/);
    router.observe(1, []);
    expect(() => router.observe(1, [])).toThrow(/step 1 after step 1/);
  });
});
