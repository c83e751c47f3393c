import { describe, expect, it } from 'vitest';
import type { Group } from '../method/types.ts';
import { majorityReward } from '../reward/majority.ts';
import { said, seenOf } from '../reward/testing/seen.ts';
import type { Target } from '../reward/types.ts';
import { schedulerStateFromJson } from '../triage/disk.ts';
import { Scheduler } from '../triage/scheduler.ts';
import { begun, sampledPool, settings } from '../triage/testing/sampled-pool.ts';
import { rewardGroup } from './groups.ts';
import { type GroupTracing, scheduled, shuffledSchedule } from './schedule.ts';
import { verifier } from './testing/loop.ts';

const targets = new Map(
  Array.from({ length: 10 }, (_, i) => [`p${i}`, i % 2 === 0 ? 'label' : 'vote'] as const),
);

describe('shuffledSchedule', () => {
  it('visits every target once per pass, in another order each time', () => {
    const schedule = shuffledSchedule(targets, 1);
    expect(schedule.promptIds).toEqual([...targets.keys()]);
    const passes = [0, 10, 20].map((drawn) => schedule.draw(1, drawn, 10));
    for (const pass of passes) expect([...pass].sort()).toEqual([...targets.keys()].sort());
    expect(new Set(passes.map(String)).size).toBe(3);
    expect(shuffledSchedule(targets, 2).draw(1, 0, 10)).not.toEqual(passes[0]);
  });

  it('draws the same after a resume from a cursor, however the draws are cut', () => {
    const whole = shuffledSchedule(targets, 1);
    const order = [...whole.draw(1, 0, 10), ...whole.draw(2, 10, 10), ...whole.draw(3, 20, 10)];
    const resumed = shuffledSchedule(targets, 1);
    expect(resumed.draw(5, 7, 8)).toEqual(order.slice(7, 15));
    expect(resumed.draw(6, 15, 3)).toEqual(order.slice(15, 18));
    expect(resumed.draw(6, 2, 4)).toEqual(order.slice(2, 6));
  });

  it('lets its targets vote where a label is missing, draws no more than there are and remembers nothing', async () => {
    const schedule = shuffledSchedule(targets, 1);
    expect(['p0', 'p1', 'other'].map(schedule.targetOf)).toEqual(['vote', 'vote', 'none']);
    expect(schedule.draw(1, 0, 50)).toHaveLength(10);
    expect(shuffledSchedule(new Map(), 1).draw(1, 0, 5)).toEqual([]);
    const seen = [await groupOf('p0', ['o', 'x', 'y', 'z'])];
    expect(schedule.wanted(seen)).toEqual([]);
    expect([
      ...schedule.asked(1, seen),
      ...schedule.labelled(1, ['p0']),
      ...(await schedule.observe(1, seen)),
    ]).toEqual([]);
    expect([schedule.save(), schedule.surprise(), schedule.trace]).toEqual([null, null, undefined]);
  });
});

async function groupOf(promptId: string, answers: string[], target?: Target): Promise<Group> {
  const seen = { ...(await seenOf(said(...answers), verifier)), promptId };
  return await rewardGroup(1, seen, target ?? { kind: 'vote' }, {
    verifierOf: () => verifier,
    methods: {
      retarget: async (_step, _seen, given) => given,
      reward: async (_step, one) => majorityReward(one),
    },
    settings: { undecided: 'drop', selfWeight: 1, advantage: 'std' },
  });
}

describe('scheduled', () => {
  const pool = sampledPool(60, 2);
  const ids = pool.map(({ promptId }) => promptId);
  const make = (saved: unknown = null, tracing: GroupTracing | null = null) => {
    const state = saved === null ? undefined : schedulerStateFromJson(saved);
    const origin = { plan: 'main', round: 0 };
    const scheduler = new Scheduler(origin, begun(pool), { ...settings, warmupGroups: 8 }, state);
    return { scheduler, schedule: scheduled(scheduler, ids, 3, tracing) };
  };
  const three = ['o', 'o', 'o', 'x'];

  it('draws, asks and moves the same from a saved state as without the stop', async () => {
    const one = make().schedule;
    const visit = async (schedule: typeof one, step: number) => {
      const drawn = schedule.draw(step, step * 4, 4);
      const groups = await Promise.all(
        drawn.map((id, i) => groupOf(id, i % 2 === 0 ? three : ['x', 'x', 'x', 'x'])),
      );
      const wanted = schedule.wanted(groups);
      const asked = schedule.asked(
        step,
        groups.filter(({ promptId }) => wanted.includes(promptId)),
      );
      return [drawn, asked, schedule.labelled(step, wanted), await schedule.observe(step, groups)];
    };
    for (let step = 1; step <= 3; step++) await visit(one, step);
    const other = make(JSON.parse(JSON.stringify(one.save()))).schedule;
    for (let step = 4; step <= 6; step++)
      expect(await visit(other, step)).toEqual(await visit(one, step));
    expect(other.save()).toEqual(one.save());
    // A second draw within a step is another one.
    expect(one.draw(7, 40, 4)).not.toEqual(one.draw(7, 44, 4));
  });

  it('lets every prompt vote until its label is there', () => {
    const { schedule } = make();
    expect(schedule.promptIds).toEqual(ids);
    expect(schedule.targetOf('p0')).toBe('vote');
  });

  it('shows the scheduler verified shares where there is a label, and votes elsewhere', async () => {
    const { scheduler, schedule } = make();
    const label: Target = { kind: 'label', answer: 'x' };
    const unsure: Target = { kind: 'label', answer: '?' };
    await schedule.observe(1, [
      await groupOf('p0', three, label),
      await groupOf('p1', three),
      // Nothing could be judged: the vote stands in.
      await groupOf('p2', three, unsure),
    ]);
    const [right, voted, doubted] = scheduler.save().prompts;
    expect(right).toMatchObject({ hits: 1, misses: 3, verified: true });
    expect(voted).toMatchObject({ hits: 3, misses: 1, verified: false });
    expect(doubted).toMatchObject({ hits: 3, misses: 1, verified: false });
    // A quarter above what was expected, a quarter below and above again.
    expect(schedule.surprise()).toBeCloseTo(0.25, 12);
  });

  it('reads traces where it traces', async () => {
    const request = { heads: [], signals: [], delta: 1, window: 2, sinks: 1 };
    const read: GroupTracing['read'] = async (id, responses) => [ids.indexOf(id), responses.length];
    const { scheduler, schedule } = make(null, { request, read });
    expect(schedule.trace).toBe(request);
    await schedule.observe(1, [await groupOf('p3', three)]);
    expect(scheduler.save().prompts[3].traced).toEqual([3, 4]);
    expect(make().schedule.trace).toBeUndefined();
  });
});
