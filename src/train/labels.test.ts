/** What a run does about labels that are not there: it waits, votes or leaves out, and frees what nobody can answer. */
import { describe, expect, it, vi } from 'vitest';
import { Interrupted } from '../core/errors.ts';
import { schedulerStateFromJson } from '../triage/disk.ts';
import { Scheduler } from '../triage/scheduler.ts';
import type { SchedulerPrompt } from '../triage/scheduler-types.ts';
import { settings as usual } from '../triage/testing/sampled-pool.ts';
import { replay } from '../triage/transitions.ts';
import { type Schedule, scheduled, shuffledSchedule } from './schedule.ts';
import { Books, FRESH, hooked, loopOf, range, runLoop, ScriptedPolicy } from './testing/loop.ts';
import { train } from './trainer.ts';
import type { TrainPorts, TrainState } from './types.ts';

vi.mock('../method/registry.ts', async (load) => {
  const { withOwnMethods } = await import('./testing/own-methods.ts');
  return withOwnMethods(await load<typeof import('../method/registry.ts')>());
});

const ids = range(10);

function dynamic(
  labels: number,
  saved: unknown = null,
): { scheduler: Scheduler; schedule: Schedule } {
  const prompts = ids.map((promptId): SchedulerPrompt => {
    return { promptId, state: 'new', features: [] };
  });
  const state = saved === null ? undefined : schedulerStateFromJson(saved);
  const scheduler = new Scheduler({ plan: 'main', round: 0 }, prompts, { ...usual, labels }, state);
  return { scheduler, schedule: scheduled(scheduler, ids, 3, null) };
}

/** People who answer when a test says so. */
class People extends Books {
  readonly answers = new Map<string, string>();
  readonly hopeless = new Set<string>();
  readonly awaited = new Set<string>();
  /** Called when training waits. */
  onWait: () => void = () => {};
  private readonly leave: boolean;

  constructor(leave = false) {
    super();
    this.leave = leave;
  }

  override ports(): TrainPorts {
    const missing = () =>
      [...this.awaited].filter((id) => !this.answers.has(id) && !this.hopeless.has(id));
    const there = async () => new Map(this.answers);
    return {
      ...super.ports(),
      arrived: there,
      request: async (wishes, step) => {
        this.asked.push({ step, ids: wishes.map(({ promptId }) => promptId) });
        for (const { promptId } of wishes) this.awaited.add(promptId);
        if (!this.leave && missing().length > 0) this.onWait();
        return there();
      },
      refused: async () => [...this.hopeless],
      left: () => new Set(this.leave ? missing() : []),
      change: async () => {
        this.onWait();
        return there();
      },
      spent: async () => this.answers.size,
      waits: true,
    };
  }
}

const torn = () => new ScriptedPolicy(() => 0.5);

describe('a prompt that nobody can answer', () => {
  it('goes back to self, frees its label for another and is not asked about again', async () => {
    const hopeless = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5'];
    const books = new Books((id) => (hopeless.includes(id) ? undefined : 'o'));
    const { scheduler, schedule } = dynamic(4);
    await runLoop({ schedule, books, policy: torn(), settings: { steps: 12 } });
    const asked = books.asked.flatMap((one) => one.ids);
    expect(new Set(asked).size).toBe(asked.length);
    expect([...books.bought.keys()].sort()).toEqual(['p6', 'p7', 'p8', 'p9']);
    expect(scheduler.report().labels).toEqual({ owned: 4, waiting: 0, left: 0 });
    const states = replay(books.transitions);
    for (const id of hopeless.filter((one) => asked.includes(one)))
      expect(['self', 'discard']).toContain(states.get(id));
    expect(books.transitions.some(({ rule }) => rule === 'dynamic:no_label_to_be_had')).toBe(true);
  });

  it('is no concern of methods that choose what to label either', async () => {
    const books = new Books(() => undefined);
    const settled: string[][] = [];
    const methods = hooked({
      wanted: (_step, seen, labelled) => {
        settled.push([...labelled]);
        return seen.map(({ promptId }) => promptId);
      },
    });
    await runLoop({ books, methods, settings: { steps: 6, promptsPerStep: 5 } });
    const asked = books.asked.flatMap((one) => one.ids);
    expect(asked.sort()).toEqual(ids);
    expect(settled.at(-1)?.sort()).toEqual(ids);
  });
});

describe('a label that is not there', () => {
  it('is asked for with what it is expected to teach', async () => {
    const { schedule, scheduler } = dynamic(10);
    const heard: number[] = [];
    const people = new People();
    const ports = people.ports();
    const { job } = loopOf({ schedule, policy: torn(), ids, settings: { steps: 1 } });
    const request: TrainPorts['request'] = (wishes, step) => {
      heard.push(...wishes.map(({ utility }) => utility));
      expect(wishes.map(({ promptId }) => scheduler.belief(promptId).utility)).toEqual(heard);
      return ports.request(wishes, step);
    };
    await train({ ...job, ports: { ...ports, request } }, structuredClone<TrainState>(FRESH));
    expect(heard.length).toBeGreaterThan(0);
  });

  it('is waited for: then its group is verified', async () => {
    const people = new People();
    people.onWait = () => {
      for (const id of people.awaited) people.answers.set(id, 'o');
    };
    const { schedule } = dynamic(10);
    const { metrics, state } = await runLoop({
      ...{ schedule, policy: torn(), ids, settings: { steps: 1 } },
      ...{ ports: people.ports() },
    });
    expect(metrics[0]).toMatchObject({ groups_verified: 4, labels_used: 4 });
    expect(state.labels).toBe(4);
  });

  it('lets its group vote, and verifies it from the step on at which it comes', async () => {
    const people = new People();
    const { schedule } = dynamic(10);
    const { job, heard } = loopOf({
      ...{ schedule, policy: torn(), ids, ports: people.ports() },
      settings: { steps: 2, promptsPerStep: 10 },
    });
    const stepDone = job.events.stepDone;
    job.events.stepDone = (metrics) => {
      for (const id of people.awaited) people.answers.set(id, 'o');
      stepDone(metrics);
    };
    await train(job, structuredClone<TrainState>(FRESH));
    expect(heard.metrics.map((one) => [one.groups_majority, one.groups_verified])).toEqual([
      [10, 0],
      [0, 10],
    ]);
  });

  it('leaves its group out, which is not sampled again until it is there', async () => {
    const people = new People(true);
    const { schedule } = dynamic(4);
    const { job, heard, policy } = loopOf({
      ...{ schedule, policy: torn(), ids, ports: people.ports() },
      settings: { steps: 3, promptsPerStep: 10, evalEvery: 0, evalAtStart: false },
    });
    job.evalItems = [];
    await train(job, structuredClone<TrainState>(FRESH));
    expect(heard.metrics[0]).toMatchObject({ groups: 10, groups_without_reward: 4 });
    expect(heard.metrics.slice(1).map((one) => one.groups)).toEqual([6, 6]);
    const later = policy.made.slice(1).flatMap(({ requests }) => requests.map((r) => r.promptId));
    expect(later.filter((id) => people.awaited.has(id))).toEqual([]);
  });

  it('is waited for after all where there is nothing else to train on', async () => {
    const people = new People(true);
    let waits = 0;
    people.onWait = () => {
      waits += 1;
      people.answers.set([...people.awaited][0], 'o');
      people.hopeless.add([...people.awaited][1]);
    };
    const { schedule } = dynamic(10);
    const { metrics } = await runLoop({
      ...{ schedule, policy: torn(), ids, ports: people.ports() },
      settings: { steps: 2, promptsPerStep: 10 },
    });
    expect(waits).toBe(1);
    expect(metrics.map(({ groups }) => groups)).toEqual([10, 2]);
    expect(metrics[1]).toMatchObject({ groups_verified: 1, groups_majority: 1 });
  });
});

describe('a run that is stopped while it waits', () => {
  it('keeps where its step began, and goes on as if it had not been stopped', async () => {
    const settings = { steps: 4, promptsPerStep: 3, checkpointEvery: 100 };
    const giving = () => {
      const people = new People();
      people.onWait = () => {
        for (const id of people.awaited) people.answers.set(id, 'o');
      };
      return people;
    };
    const whole = await runLoop({
      ...{ schedule: dynamic(10).schedule, policy: torn(), ids, settings },
      ports: giving().ports(),
    });
    const people = giving();
    const give = people.onWait;
    people.onWait = () => {
      if (people.asked.at(-1)?.step === 3) throw new Interrupted('Training');
      give();
    };
    const policy = torn();
    const { job, heard } = loopOf({
      ...{ schedule: dynamic(10).schedule, policy, ids, settings, ports: people.ports() },
    });
    const state = structuredClone<TrainState>(FRESH);
    await expect(train(job, state)).rejects.toThrow(Interrupted);
    expect(heard.checkpoints.map(({ step }) => step)).toEqual([2]);
    const [kept] = heard.checkpoints;
    people.onWait = give;
    const rest = loopOf({
      ...{ schedule: dynamic(10, kept.schedule).schedule, policy, ids, settings },
      ports: people.ports(),
    });
    const done = await train(rest.job, kept);
    expect([...heard.metrics, ...rest.heard.metrics]).toEqual(whole.metrics);
    expect(JSON.stringify(done)).toBe(JSON.stringify(whole.state));
    expect(policy.weights).toBe(whole.policy.weights);
  });
});

it('fixed routes ask for the labels of drawn prompts that the plan wants', async () => {
  const targets = new Map(ids.map((id, i) => [id, i < 4 ? 'label' : 'vote'] as const));
  const people = new People();
  const { metrics } = await runLoop({
    ...{ schedule: shuffledSchedule(targets, 1, true), policy: torn(), ids },
    ...{ ports: people.ports(), settings: { steps: 1, promptsPerStep: 10 } },
  });
  expect(people.asked.flatMap((one) => one.ids).sort()).toEqual(ids.slice(0, 4));
  expect(metrics[0].groups_majority).toBe(10);
});
