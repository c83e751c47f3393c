/** Labels that the scheduler asks for, and what a run keeps of it all. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stream } from '../core/random.ts';
import type { Scheduler } from './scheduler.ts';
import type { SchedulerPrompt } from './scheduler-types.ts';
import { begun, sampledPool } from './testing/sampled-pool.ts';
import { apart, group, schedulerOf, stored } from './testing/schedulers.ts';
import { replay } from './transitions.ts';
import type { PromptState, Transition } from './types.ts';

describe('labels', () => {
  const five = { a: 'self', b: 'self', c: 'new', d: 'discard', e: 'self' } as const;

  test('are wanted where a group disagrees, the most useful first, as far as the budget goes', () => {
    const visits = [group('a', 0.75), group('b', 0.5), group('c', 0.85), group('e', 0)];
    const scheduler = schedulerOf(apart(five), { labels: 9, warmupGroups: 1 });
    scheduler.observe(1, [group('a', 0.875), group('b', 0.5), group('e', 0.75)]);
    // b has shown to be in the middle; a and e less so.
    expect(scheduler.wanted(visits)).toEqual(['b', 'e', 'a']);
    for (const labels of [0, 1, 2.9]) {
      const poor = schedulerOf(apart(five), { labels, warmupGroups: 1 });
      poor.observe(1, [group('a', 0.875), group('b', 0.5), group('e', 0.75)]);
      expect(poor.wanted(visits)).toEqual(['b', 'e', 'a'].slice(0, Math.floor(labels)));
    }
  });

  test('are not wanted by a group that is of one mind, however high the share may be set', () => {
    for (const agreeShare of [0.85, 1]) {
      const scheduler = schedulerOf(apart(five), { agreeShare });
      expect(scheduler.wanted(['a', 'b', 'c', 'd'].map((id) => group(id, 1)))).toEqual([]);
      expect(scheduler.wanted([group('a', 0.875)])).toEqual(agreeShare === 1 ? ['a'] : []);
    }
  });

  test('are asked for once, counted while they are waited for, and owned for good', () => {
    const scheduler = schedulerOf(apart(five), { labels: 2 });
    const visits = [group('a', 0.5), group('b', 0.625), group('c', 0.5)];
    const wanted = scheduler.wanted(visits);
    expect(wanted).toEqual(['a', 'b']);
    const asked = scheduler.asked(
      3,
      visits.filter(({ promptId }) => wanted.includes(promptId)),
    );
    expect(asked).toMatchObject([
      { promptId: 'a', from: 'self', to: 'annotate', rule: 'dynamic:group_disagrees', step: 3 },
      { promptId: 'b', evidence: { vote_share: 0.625 } },
    ]);
    expect(scheduler.asked(3, visits.slice(0, 2))).toEqual([]);
    expect(scheduler.waiting()).toEqual(['a', 'b']);
    expect(scheduler.report().labels).toEqual({ owned: 0, waiting: 2, left: 0 });
    expect(scheduler.wanted(visits)).toEqual([]);
    const arrived = scheduler.labelled(5, ['b']);
    expect(arrived).toMatchObject([{ promptId: 'b', from: 'annotate', to: 'annotated', step: 5 }]);
    expect(scheduler.labelled(6, ['b'])).toEqual([]);
    expect(scheduler.owns('b')).toBe(true);
    expect(scheduler.report().labels).toEqual({ owned: 1, waiting: 1, left: 0 });
    expect(scheduler.wanted([group('b', 0.5)])).toEqual([]);
    expect(replay([...asked, ...arrived])).toEqual(
      new Map([
        ['a', 'annotate'],
        ['b', 'annotated'],
      ]),
    );
  });

  test('that cannot be had free their budget and are not asked for again', () => {
    const scheduler = schedulerOf(apart(five), { labels: 1 });
    const visits = [group('a', 0.5), group('b', 0.5)];
    const asked = scheduler.asked(1, visits.slice(0, 1));
    expect(scheduler.wanted(visits)).toEqual([]);
    const back = scheduler.refused(1, ['a']);
    expect(back).toMatchObject([
      { from: 'annotate', to: 'self', rule: 'dynamic:no_label_to_be_had' },
    ]);
    expect(scheduler.refused(2, ['a'])).toEqual([]);
    expect(scheduler.wanted(visits)).toEqual(['b']);
    expect(replay([...asked, ...back]).get('a')).toBe('self');
  });

  test('of a prompt that was left out wait with it', () => {
    const scheduler = schedulerOf(apart(five), { warmupGroups: 1 });
    expect(scheduler.labelled(1, ['d'])).toEqual([]);
    expect(scheduler.owns('d')).toBe(true);
    expect(scheduler.stateOf('d')).toBe('discard');
    expect(scheduler.observe(2, [group('a', 0.5)])).toMatchObject([
      { promptId: 'd', from: 'discard', to: 'annotated', rule: 'dynamic:drifted_back' },
    ]);
  });

  test('beyond the budget are refused at the start and lived with later', () => {
    const start = apart({ a: 'annotated', b: 'annotate', c: 'self' });
    expect(() => schedulerOf(start, { labels: 1 })).toThrow(/within 1 labels/);
    const scheduler = schedulerOf(start, { labels: 2 });
    // A method or a person adds one.
    scheduler.labelled(1, ['c']);
    const resumed = schedulerOf(start, { labels: 2 }, stored(scheduler));
    expect(resumed.report().labels).toEqual({ owned: 2, waiting: 1, left: 0 });
    expect(resumed.wanted([group('c', 0.5)])).toEqual([]);
  });
});

/** Steps of a run with random groups: labels asked for, some there at once, some later, some never. */
function play(scheduler: Scheduler, seed: number, from: number, to: number): unknown[] {
  const log: unknown[] = [];
  for (let step = from; step < to; step++) {
    const random = stream(seed, 'play', step);
    const late = scheduler.waiting().filter(() => random.uniform() < 0.3);
    log.push(scheduler.labelled(step, late));
    const drawn = scheduler.draw(6, random);
    const seen = drawn.map((id) => group(id, Math.ceil(8 * random.uniform() ** 0.3) / 8));
    const wanted = scheduler.wanted(seen);
    log.push(
      drawn,
      scheduler.asked(
        step,
        seen.filter(({ promptId }) => wanted.includes(promptId)),
      ),
    );
    const [there, never] = [wanted.slice(0, 1), wanted.slice(1, 2)];
    log.push(scheduler.labelled(step, there));
    if (step % 4 === 0) log.push(scheduler.refused(step, never));
    const traced = () => [random.normal(), random.normal()];
    const visits = seen.map((visit) => {
      const own = { ...visit, traced: traced() };
      return scheduler.owns(visit.promptId) ? { ...own, passRate: random.uniform() ** 0.2 } : own;
    });
    log.push(scheduler.observe(step, visits));
    const { owned, waiting } = scheduler.report().labels;
    log.push({ owned, waiting });
  }
  return log;
}

describe('properties', () => {
  const pool = sampledPool(40, 12);
  const states: PromptState[] = ['new', 'self', 'annotated', 'discard', 'annotate'];
  const prompts = begun(pool).map((prompt, i): SchedulerPrompt => {
    const state = states[i % 7] ?? 'new';
    const traced = i % 3 === 0 ? { traced: [i, 9 - i] } : {};
    const probe = state === 'annotated' ? { probe: { passRate: 0.5, samples: 4 } } : {};
    return { ...prompt, state, ...traced, ...probe };
  });
  const settings = {
    labels: 20,
    warmupGroups: 12,
    leaveBelow: 0.08,
    returnAbove: 0.08,
    explore: 0.1,
  };
  const isTransition = (one: unknown): one is Transition =>
    typeof one === 'object' && one !== null && 'rule' in one;

  test('the budget holds, and the transitions replay to the states', () => {
    let moves = 0;
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 12, max: 25 }), (seed, labels) => {
        const scheduler = schedulerOf(prompts, { ...settings, labels });
        const log = play(scheduler, seed, 1, 15);
        for (const one of log) {
          if (typeof one === 'object' && one !== null && 'owned' in one && 'waiting' in one)
            expect(Number(one.owned) + Number(one.waiting)).toBeLessThanOrEqual(labels);
        }
        const manifest = log.flat().filter(isTransition);
        const replayed = replay(manifest);
        for (const { promptId, state } of prompts)
          expect(scheduler.stateOf(promptId)).toBe(replayed.get(promptId) ?? state);
        moves += new Set(manifest.map(({ rule }) => rule)).size;
      }),
      { numRuns: 15, seed: 2 },
    );
    expect(moves).toBeGreaterThan(15 * 4);
  });

  test('a scheduler that was stored and loaded believes and decides as the one that went on', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 9 }), (seed, cut) => {
        const whole = schedulerOf(prompts, settings);
        play(whole, seed, 1, cut);
        const loaded = schedulerOf(prompts, settings, stored(whole));
        expect(loaded.save()).toEqual(whole.save());
        for (const { promptId } of prompts)
          expect(loaded.belief(promptId)).toEqual(whole.belief(promptId));
        expect(play(loaded, seed, cut, 12)).toEqual(play(whole, seed, cut, 12));
        expect(loaded.save()).toEqual(whole.save());
      }),
      { numRuns: 10, seed: 3 },
    );
  });

  test('what was saved does not change with the scheduler, nor the scheduler with it', () => {
    const scheduler = schedulerOf(prompts, settings);
    const saved = scheduler.save();
    const other = schedulerOf(prompts, settings, saved);
    play(scheduler, 1, 1, 4);
    expect(other.save()).toEqual(saved);
    expect(scheduler.save()).not.toEqual(saved);
  });
});
