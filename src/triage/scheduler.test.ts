/** The scheduler on pools with known pass rates: what it draws, asks for, leaves out and takes back. */
import { describe, expect, test } from 'vitest';
import { stream } from '../core/random.ts';
import { spearman } from '../core/ranks.ts';
import type { Scheduler } from './scheduler.ts';
import type { SchedulerPrompt } from './scheduler-types.ts';
import { begun, type SampledPrompt, sampledPool, visitTo } from './testing/sampled-pool.ts';
import { apart, group, schedulerOf } from './testing/schedulers.ts';
import { replay } from './transitions.ts';
import type { Transition } from './types.ts';

/** Draws 8 prompts at each of the steps and shows their groups; what was drawn. */
function drive(
  scheduler: Scheduler,
  pool: readonly SampledPrompt[],
  from: number,
  to: number,
  seed = 3,
): SampledPrompt[] {
  const byId = new Map(pool.map((prompt) => [prompt.promptId, prompt]));
  const drawn: SampledPrompt[] = [];
  for (let step = from; step <= to; step++) {
    const ids = scheduler.draw(8, stream(seed, 'drive', step));
    const prompts = ids.flatMap((id) => byId.get(id) ?? []);
    scheduler.observe(
      step,
      prompts.map((prompt) => visitTo(prompt, step)),
    );
    drawn.push(...prompts);
  }
  return drawn;
}

const isMiddle = ({ mu }: SampledPrompt) => mu > 0.2 && mu < 0.8;
const shareOf = <T>(list: readonly T[], is: (one: T) => boolean) =>
  list.filter(is).length / list.length;
describe('draws', () => {
  // Four in ten mastered, two in ten hopeless, a quarter in between.
  const pool = sampledPool(300, 1, { byFeature: [4], intercept: 1 });

  test('go where features predict that there is something to learn', () => {
    const scheduler = schedulerOf(begun(pool));
    const first = drive(scheduler, pool, 1, 4);
    expect(shareOf(first, isMiddle)).toBeLessThan(0.45);
    const seen = new Set(first);
    const later = drive(scheduler, pool, 5, 20);
    expect(shareOf(later, isMiddle)).toBeGreaterThan(0.75);
    expect(
      shareOf(
        later.filter((prompt) => !seen.has(prompt)),
        isMiddle,
      ),
    ).toBeGreaterThan(0.7);
  });

  test('without features have nothing to go by', () => {
    const blind = begun(pool).map((prompt) => ({ ...prompt, features: [] }));
    const scheduler = schedulerOf(blind);
    const seen = new Set(drive(scheduler, pool, 1, 4));
    const fresh = drive(scheduler, pool, 5, 20).filter((prompt) => !seen.has(prompt));
    expect(shareOf(fresh, isMiddle)).toBeLessThan(0.45);
    for (const { promptId } of pool)
      expect(scheduler.belief(promptId)).toEqual(scheduler.belief('p0'));
  });

  test('prefer what disagreed to what was unanimous', () => {
    const prompts = apart({ mixed: 'self', sure: 'self', other: 'self' });
    const scheduler = schedulerOf(prompts, { warmupGroups: 1, leaveBelow: 0 });
    for (let step = 1; step <= 3; step++)
      scheduler.observe(step, [group('mixed', 0.5), group('sure', 1)]);
    const random = stream(4);
    const drawn = Array.from({ length: 400 }, () => scheduler.draw(1, random)[0]);
    const times = (id: string) => drawn.filter((one) => one === id).length;
    expect(times('mixed')).toBeGreaterThan(8 * times('sure'));
  });
});

describe('beliefs', () => {
  test('rest on what the groups of a prompt showed, a label before the vote', () => {
    const scheduler = schedulerOf(apart({ a: 'self', b: 'self', c: 'new' }), {
      ...{ warmupGroups: 2, noise: 0.5, decay: 0.9 },
    });
    expect(scheduler.belief('c')).toEqual({ mu: 0.5, utility: 0.25 });
    scheduler.observe(1, [group('a', 0.75), group('b', 0.5, 0.25)]);
    expect(scheduler.belief('c').mu).toBeCloseTo(0.5, 12);
    expect(scheduler.belief('a').mu).toBeCloseTo(0.5 + 0.25 / 1.5, 12);
    expect(scheduler.belief('b').mu).toBeCloseTo(0.5 - 0.25 / 1.5, 12);
    // Two steps on, what a showed counts for 0.81 of what it did.
    scheduler.observe(3, [group('a', 0, 0)]);
    const rollouts = 8 * 0.81 + 8;
    const share = (8 * 0.81 * 0.75) / rollouts;
    const mean = (share + 0.25) / 2;
    const doubt = (0.5 * 8) / rollouts;
    expect(scheduler.belief('a').mu).toBeCloseTo(mean + (share - mean) / (1 + doubt), 12);
    expect(scheduler.belief('c').mu).toBeCloseTo(mean, 12);
  });

  test('fade as the policy moves on', () => {
    const scheduler = schedulerOf(apart({ a: 'self', b: 'self', c: 'new' }), { warmupGroups: 1 });
    scheduler.observe(1, [group('a', 1)]);
    const gap = (step: number) => {
      scheduler.observe(step, [group('b', 0.5)]);
      return scheduler.belief('a').mu - scheduler.belief('c').mu;
    };
    const [soon, later, last] = [gap(2), gap(60), gap(900)];
    expect(soon).toBeGreaterThan(0.2);
    expect(later).toBeLessThan(0.75 * soon);
    expect(last).toBeCloseTo(0, 3);
  });

  test('begin with the probes', () => {
    const pool = sampledPool(120, 6);
    const probed = begun(pool, 'self').map((prompt, i): SchedulerPrompt => {
      if (i % 3 > 0) return prompt;
      const probe = { passRate: visitTo(pool[i], 0).passRate, samples: 8 };
      return { ...prompt, state: 'annotated', probe };
    });
    const rho = (scheduler: Scheduler) =>
      spearman(
        pool.filter((_, i) => i % 3 > 0).map(({ promptId }) => scheduler.belief(promptId).mu),
        pool.filter((_, i) => i % 3 > 0).map(({ mu }) => mu),
      );
    const scheduler = schedulerOf(probed);
    expect(scheduler.report()).toMatchObject({ coldStart: null, labels: { owned: 40, left: 60 } });
    expect(rho(scheduler)).toBeGreaterThan(0.9);
    // Fewer probes than the warm-up wants predict nothing yet.
    const few = schedulerOf(probed, { warmupGroups: 41 });
    expect(few.belief('p1').mu).toBe(0.5);
    expect(few.report().coldStart).toMatch(/before 1 more group/);
  });

  test('listen to traces, those before training and those of the last visit', () => {
    const pool = sampledPool(300, 8, { byFeature: [0.5], byTrace: [2] });
    const untraced = begun(pool, 'self');
    const traced = untraced.map((prompt, i) => ({ ...prompt, traced: pool[i].traced }));
    const visits = pool
      .slice(0, 100)
      .map((prompt) => ({ ...visitTo(prompt, 1), traced: prompt.traced }));
    const error = (scheduler: Scheduler, from: number, to: number) =>
      pool
        .slice(from, to)
        .reduce((sum, one) => sum + Math.abs(scheduler.belief(one.promptId).mu - one.mu), 0) /
      (to - from);
    const blind = schedulerOf(untraced);
    blind.observe(
      1,
      visits.map(({ traced: _, ...visit }) => visit),
    );
    const visited = schedulerOf(untraced);
    visited.observe(1, visits);
    expect(error(visited, 0, 100)).toBeLessThan(0.5 * error(blind, 0, 100));
    // Traced before training: what was never visited is known too.
    const planned = schedulerOf(traced);
    planned.observe(1, visits);
    expect(error(planned, 100, 300)).toBeLessThan(0.5 * error(visited, 100, 300));
    // A visit brings the traces of the policy as it is now.
    expect(planned.save().prompts[0].traced).toEqual(pool[0].traced);
    planned.observe(2, [{ ...visits[0], traced: [-1.5] }]);
    expect(planned.save().prompts[0].traced).toEqual([-1.5]);
    planned.observe(3, [group('p0', 0.5)]);
    expect(planned.save().prompts[0].traced).toEqual([-1.5]);
  });
});

describe('what is left out', () => {
  const settings = { warmupGroups: 1, noise: 1, explore: 0 };
  // Those beside it keep the mean in the middle.
  const visits = (rate: number) => [group('a', 1, rate), group('b', 0.5), group('c', 0.5)];
  const states = { a: 'annotated', b: 'self', c: 'self' } as const;

  test.each([
    ['mastered', 1],
    ['hopeless', 0],
  ])('is predicted %s, and comes back when it drifts', (what, rate) => {
    const scheduler = schedulerOf(apart(states), settings);
    const utility = () => scheduler.belief('a').utility;
    const moves: Transition[] = [];
    let step = 0;
    while (moves.length === 0 && step < 20) {
      if (step > 0) expect(utility()).toBeGreaterThanOrEqual(0.03);
      moves.push(...scheduler.observe(++step, visits(rate)));
    }
    expect(step).toBeGreaterThan(2);
    expect(utility()).toBeLessThan(0.03);
    expect(moves).toMatchObject([
      { promptId: 'a', from: 'annotated', to: 'discard', rule: `dynamic:predicted_${what}`, step },
    ]);
    expect(moves[0].evidence).toMatchObject({ utility: utility(), mu: scheduler.belief('a').mu });
    expect(scheduler.draw(2, stream(1)).sort()).toEqual(['b', 'c']);
    expect(scheduler.report()).toMatchObject({ counts: { discard: 1 }, labels: { owned: 1 } });

    // Between the two bounds it stays where it is.
    let stayed = 0;
    const back: Transition[] = [];
    while (back.length === 0 && step < 60) {
      back.push(...scheduler.observe(++step, visits(rate === 1 ? 0.875 : 0.125)));
      if (back.length === 0 && utility() >= 0.03) stayed++;
    }
    expect(stayed).toBeGreaterThan(0);
    expect(utility()).toBeGreaterThan(0.06);
    expect(back).toMatchObject([
      { promptId: 'a', from: 'discard', to: 'annotated', rule: 'dynamic:drifted_back' },
    ]);
    expect(replay([...moves, ...back]).get('a')).toBe('annotated');
  });

  test('comes back to vote where it has no label, and leaves before it was visited', () => {
    const pool = sampledPool(200, 2, { byFeature: [4], intercept: 1 });
    const scheduler = schedulerOf(begun(pool), { leaveBelow: 0.06, returnAbove: 0.1 });
    drive(scheduler, pool, 1, 20);
    const { prompts } = scheduler.save();
    const unseen = prompts.flatMap((one, i) =>
      one.state === 'discard' && one.visits === 0 ? [pool[i]] : [],
    );
    expect(unseen.length).toBeGreaterThan(40);
    expect(shareOf(unseen, isMiddle)).toBeLessThan(0.05);
    const [first] = unseen;
    const moves = [21, 22, 23].flatMap((step) =>
      scheduler.observe(step, [group(first.promptId, 0.5)]),
    );
    expect(moves.filter(({ promptId }) => promptId === first.promptId)).toMatchObject([
      { from: 'discard', to: 'self', rule: 'dynamic:drifted_back' },
    ]);
  });

  test('is what was before, until the warm-up is over, and the report says so', () => {
    const planned = apart({ ...states, d: 'discard' });
    const scheduler = schedulerOf(planned, { ...settings, warmupGroups: 30 });
    for (let step = 1; step < 10; step++) expect(scheduler.observe(step, visits(1))).toEqual([]);
    expect(scheduler.belief('a')).toEqual({ mu: 0.5, utility: 0.25 });
    expect(scheduler.report().coldStart).toMatch(/before 3 more groups/);
    expect(scheduler.observe(10, visits(1))).toMatchObject([
      { promptId: 'a', to: 'discard' },
      { promptId: 'd', to: 'self' },
    ]);
    expect(scheduler.report().coldStart).toBeNull();
    expect(scheduler.belief('a').mu).toBeGreaterThan(0.9);
  });

  test('may be everything: draws go on with it', () => {
    const scheduler = schedulerOf(apart({ a: 'self', b: 'self' }), { warmupGroups: 1 });
    for (let step = 1; step < 12; step++) scheduler.observe(step, [group('a', 1), group('b', 1)]);
    expect(scheduler.report().counts.discard).toBe(2);
    expect(scheduler.draw(5, stream(1)).sort()).toEqual(['a', 'b']);
  });

  test('waits for its label first', () => {
    const scheduler = schedulerOf(apart({ ...states, a: 'annotate' }), settings);
    for (let step = 1; step < 20; step++) expect(scheduler.observe(step, visits(1))).toEqual([]);
    expect(scheduler.waiting()).toEqual(['a']);
  });
});

test('a first visit puts a prompt into training, a label in its step does so before', () => {
  const scheduler = schedulerOf(apart({ a: 'new', b: 'new', c: 'new' }));
  scheduler.asked(1, [group('b', 0.5)]);
  scheduler.labelled(1, ['b']);
  const moves = scheduler.observe(1, [group('a', 1), group('b', 0.5, 0.5)]);
  expect(moves).toMatchObject([{ promptId: 'a', from: 'new', to: 'self', rule: 'dynamic:drawn' }]);
  expect(scheduler.observe(2, [group('a', 1)])).toEqual([]);
  expect(scheduler.report().counts).toEqual({
    ...{ new: 1, discard: 0, self: 1, annotate: 0, annotated: 1 },
  });
});

test('the surprise is how far a step was from what was expected of it', () => {
  const scheduler = schedulerOf(apart({ a: 'self', b: 'self' }));
  expect(scheduler.report().surprise).toBeNull();
  scheduler.observe(1, [group('a', 1), group('b', 0.75, 0.25)]);
  expect(scheduler.report().surprise).toBeCloseTo((0.5 + 0.25) / 2, 12);
  scheduler.observe(2, []);
  expect(scheduler.report().surprise).toBeNull();
});

describe('refusals', () => {
  const prompts = apart({ a: 'self', b: 'self' });
  const saved = schedulerOf(prompts).save();

  test('a state of another plan, another round or other prompts', () => {
    for (const other of [
      { ...saved, plan: 'random' },
      { ...saved, round: 1 },
      { ...saved, prompts: saved.prompts.slice(1) },
      { ...saved, prompts: [...saved.prompts].reverse() },
    ]) {
      expect(() => schedulerOf(prompts, {}, other)).toThrow(/a state of the scheduler of "main"/);
    }
  });

  test('an unknown prompt and a step that does not rise', () => {
    const scheduler = schedulerOf(prompts);
    expect(() => scheduler.observe(1, [group('constructor', 1)])).toThrow(/prompt constructor/);
    expect(() => scheduler.belief('c')).toThrow(/prompt c/);
    scheduler.observe(2, []);
    expect(() => scheduler.observe(2, [])).toThrow(/step 2 after step 2/);
  });
});

test('bounds between which a prompt would flap are refused', () => {
  const bounds = { leaveBelow: 0.1, returnAbove: 0.05 };
  expect(() => schedulerOf(apart({ a: 'new' }), bounds)).toThrow(/leave_below/);
  expect(() => schedulerOf(apart({ a: 'new' }), { ...bounds, returnAbove: 0.1 })).not.toThrow();
});
