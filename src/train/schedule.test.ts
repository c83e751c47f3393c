import { describe, expect, it } from 'vitest';
import { planTriage } from '../triage/plan.ts';
import { drawProbes } from '../triage/probes.ts';
import { rankPool } from '../triage/ranking.ts';
import { simulatedPool } from '../triage/simulated.ts';
import { routedSchedule, shuffledSchedule } from './schedule.ts';

const targets = new Map(
  Array.from({ length: 10 }, (_, i) => [`p${i}`, i % 2 === 0 ? 'label' : 'vote'] as const),
);

describe('shuffledSchedule', () => {
  it('visits every target once per pass, in another order each time', () => {
    const schedule = shuffledSchedule(targets, 1);
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

  it('knows its targets, and draws no more than there are', () => {
    const schedule = shuffledSchedule(targets, 1);
    expect(['p0', 'p1', 'other'].map(schedule.targetOf)).toEqual(['label', 'vote', 'none']);
    expect(schedule.draw(1, 0, 50)).toHaveLength(10);
    expect(shuffledSchedule(new Map(), 1).draw(1, 0, 5)).toEqual([]);
    expect(schedule.router).toBeNull();
  });
});

describe('routedSchedule', () => {
  const { column, probe } = simulatedPool(60, 2);
  const plan = planTriage({
    name: 'main',
    scores: column,
    probes: probe(drawProbes(rankPool(column), 0.1)),
    settings: { resamples: 20 },
  });
  const dynamic = { labels: 60, warmupSteps: 0 } as Parameters<typeof routedSchedule>[1];

  it('draws the same from a saved state as without the stop', () => {
    const one = routedSchedule(plan, dynamic, 3, null);
    const visit = (schedule: typeof one, step: number) => {
      const drawn = schedule.draw(step, step * 4, 4);
      const moved = schedule.router.observe(
        step,
        drawn.map((promptId, i) => ({ promptId, voteShare: i % 2 === 0 ? 1 : 0.5, score: i })),
      );
      return [drawn, moved];
    };
    for (let step = 1; step <= 3; step++) visit(one, step);
    const other = routedSchedule(plan, dynamic, 3, structuredClone(one.router.save()));
    for (let step = 4; step <= 6; step++) expect(visit(other, step)).toEqual(visit(one, step));
    // A second draw within a step is another one.
    expect(one.draw(7, 40, 4)).not.toEqual(one.draw(7, 44, 4));
  });

  it('verifies only prompts whose label is there', () => {
    const schedule = routedSchedule(plan, dynamic, 3, null);
    const wanted = {
      annotated: 'label',
      annotate: 'vote',
      self: 'vote',
      discard: 'vote',
      new: 'none',
    };
    for (const [id, state] of schedule.router.states()) {
      expect(schedule.targetOf(id)).toBe(wanted[state]);
    }
    const [waiting] = [...schedule.router.states()].find(([, s]) => s === 'annotate') ?? [''];
    schedule.router.labelled(1, [waiting]);
    expect(schedule.targetOf(waiting)).toBe('label');
    expect(schedule.targetOf('other')).toBe('none');
  });
});
