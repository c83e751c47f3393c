/** What a step draws, samples, buys and counts, with a policy that says what it is told. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Methods } from '../method/methods.ts';
import type { Group, Method } from '../method/types.ts';
import { Scheduler } from '../triage/scheduler.ts';
import type { SchedulerPrompt, SchedulerSettings } from '../triage/scheduler-types.ts';
import { settings as usual } from '../triage/testing/sampled-pool.ts';
import { replay } from '../triage/transitions.ts';
import type { PromptState } from '../triage/types.ts';
import { labOf, sampleBatch } from './batch.ts';
import { scheduled, shuffledSchedule } from './schedule.ts';
import {
  Books,
  contextOf,
  FRESH,
  hooked,
  type LoopParts,
  loopOf,
  promptsOf,
  range,
  ScriptedPolicy,
} from './testing/loop.ts';
import type { TrainState } from './types.ts';

vi.mock('../method/registry.ts', async (load) => {
  const { withOwnMethods } = await import('./testing/own-methods.ts');
  return withOwnMethods(await load<typeof import('../method/registry.ts')>());
});

const ids = range(10);
const targets = (list: readonly string[]) => new Map(list.map((id) => [id, 'vote'] as const));
const promptIds = (groups: readonly Group[]) => groups.map(({ promptId }) => promptId);
const byId = (groups: readonly Group[]) =>
  new Map(groups.map((group) => [group.promptId, group] as const));

function scheduleOf(
  list: readonly string[],
  settings: Partial<SchedulerSettings>,
  state: PromptState = 'new',
) {
  const prompts = list.map((promptId): SchedulerPrompt => ({ promptId, state, features: [] }));
  const origin = { plan: 'main', round: 0 };
  const scheduler = new Scheduler(origin, prompts, { ...usual, ...settings });
  return { scheduler, schedule: scheduled(scheduler, list, 3, null) };
}

/** Makes the batches of steps one after the other, as the loop does, with what arrived before each. */
function batches(parts: LoopParts, state: TrainState = structuredClone(FRESH)) {
  const { job, policy } = loopOf(parts);
  return {
    state,
    policy,
    async next(step: number) {
      const labels = new Map(await job.ports.arrived(step - 1));
      await job.ports.moved(job.schedule.labelled(step, [...labels.keys()]));
      const batch = await sampleBatch(job, state, step, labels);
      await job.ports.moved(await job.schedule.observe(step, batch.groups));
      return { ...batch, labels };
    },
  };
}

describe('a batch', () => {
  it('has a group for every prompt, its responses numbered by step and counted', async () => {
    const { state, policy, next } = batches({});
    const [first, second] = [await next(1), await next(2)];
    const drawn = shuffledSchedule(targets(ids), 1).draw(1, 0, 8);
    expect([...promptIds(first.groups), ...promptIds(second.groups)]).toEqual(drawn);
    for (const [step, { groups, replaced }] of [first, second].entries()) {
      expect(replaced).toBe(0);
      for (const { responses, vote } of groups) {
        expect(responses.map(({ sample }) => sample)).toEqual(
          Array.from({ length: 8 }, (_, i) => 8 * (step + 1) + i),
        );
        expect(vote.answers).toHaveLength(8);
      }
    }
    const responses = [...first.groups, ...second.groups].flatMap((group) => group.responses);
    const tokens = responses.reduce((sum, one) => sum + one.tokens.length, 0);
    expect(state).toMatchObject({ cursor: 8, rollouts: 64, tokens });
    expect(policy.made.map(({ by, trace }) => [by, trace])).toEqual(
      Array(2).fill(['policy', undefined]),
    );
  });

  it('has every prompt of a small pool once', async () => {
    const small = range(3);
    for (const schedule of [shuffledSchedule(targets(small), 1), scheduleOf(small, {}).schedule]) {
      const { state, next } = batches({ ids: small, schedule });
      for (const step of [1, 2]) {
        const { groups } = await next(step);
        expect(promptIds(groups).sort()).toEqual(small);
      }
      expect(state.rollouts).toBe(2 * 3 * 8);
      // Replacements are looked for and not found.
      const methods = Methods.open(['dapo'], { dapo: { rounds: 5 } }, contextOf(small));
      const mastered = batches({
        ids: small,
        schedule,
        methods,
        policy: new ScriptedPolicy(() => 1),
      });
      expect(promptIds((await mastered.next(3)).groups).sort()).toEqual(small);
    }
  });

  it('is drawn from what the methods admit, and may be empty', async () => {
    const admitting = (admits: NonNullable<Method['admits']>) => ({
      methods: hooked({ admits }),
    });
    const some = batches(admitting((id, step) => Number(id.slice(1)) % 3 === step));
    expect(promptIds((await some.next(1)).groups).sort()).toEqual(['p1', 'p4', 'p7']);
    expect(promptIds((await some.next(2)).groups).sort()).toEqual(['p2', 'p5', 'p8']);
    const none = batches(admitting(() => false));
    expect((await none.next(1)).groups).toEqual([]);
    expect(none.policy.made).toEqual([]);
    expect(none.state.rollouts).toBe(0);
    const nothing = batches({ ids: [] });
    expect((await nothing.next(1)).groups).toEqual([]);
  });

  it('replaces groups that do not count by other prompts, for as many rounds as there are', async () => {
    // Only the last three prompts have groups that disagree.
    const skill = (id: string) => (Number(id.slice(1)) < 7 ? 1 : 0.5);
    const made = async (rounds: number, steps = 1) => {
      const methods = Methods.open(
        rounds > 0 ? ['dapo'] : [],
        { dapo: { rounds } },
        contextOf(ids),
      );
      const { state, next } = batches({ methods, policy: new ScriptedPolicy(skill) });
      let last = await next(1);
      for (let step = 2; step <= steps; step++) last = await next(step);
      return { ...last, state };
    };
    const order = shuffledSchedule(targets(ids), 1).draw(1, 0, 10);
    const easy = order.slice(0, 4).filter((id) => skill(id) === 1).length;
    expect(easy).toBeGreaterThan(1);
    const plain = await made(0);
    expect([plain.groups.length, plain.replaced]).toEqual([4, 0]);
    const once = await made(1);
    expect([once.groups.length, once.replaced]).toEqual([4 + easy, easy]);
    expect(promptIds(once.groups)).toEqual(order.slice(0, 4 + easy));
    expect(once.state).toMatchObject({ cursor: 4 + easy, rollouts: 8 * (4 + easy) });
    // In the end the whole pool was tried, none twice.
    const often = await made(9);
    expect(promptIds(often.groups).sort()).toEqual(ids);
    expect(often.groups.filter(({ active }) => active).length).toBe(3);
  });

  it('gives no more rollouts to a group that is of one mind after a pilot', async () => {
    const policy = () => new ScriptedPolicy((id) => (Number(id.slice(1)) % 2 === 0 ? 1 : 0.5));
    const plain = await batches({ policy: policy() }).next(1);
    const methods = Methods.open(['early_stop'], { early_stop: { pilot: 3 } }, contextOf(ids));
    const { state, next } = batches({ policy: policy(), methods });
    const { groups } = await next(1);
    for (const [i, { responses, vote, advantages }] of groups.entries()) {
      const whole = plain.groups[i].responses;
      const isOne = new Set(whole.slice(0, 3).map(({ text }) => text)).size === 1;
      expect(responses).toEqual(whole.slice(0, isOne ? 3 : 8));
      expect([vote.classes.length, advantages.length]).toEqual(Array(2).fill(responses.length));
    }
    const sizes = groups.map(({ responses }) => responses.length);
    expect(new Set(sizes)).toEqual(new Set([3, 8]));
    expect(state.rollouts).toBe(sizes.reduce((a, b) => a + b, 0));
    const long = Methods.open(['early_stop'], { early_stop: { pilot: 20 } }, contextOf(ids));
    const again = await batches({ policy: policy(), methods: long }).next(1);
    expect(again.groups).toEqual(plain.groups);
  });

  it('goes on when all its prompts were left out', async () => {
    const { scheduler, schedule } = scheduleOf(ids, { warmupGroups: 1 }, 'discard');
    const { next } = batches({ schedule });
    expect((await next(1)).groups).toHaveLength(4);
    expect(scheduler.report().counts.discard).toBeLessThan(10);
  });

  it('does not accept a prompt that is not in the pool', async () => {
    const { next } = batches({ prompts: promptsOf(['p0']) });
    await expect(next(1)).rejects.toThrow(/not in the pool/);
  });

  it('is traced as the schedule asks', async () => {
    const request = { heads: [], signals: [], delta: 1, window: 2, sinks: 1 };
    const { scheduler } = scheduleOf(ids, {});
    const schedule = scheduled(scheduler, ids, 3, {
      request,
      read: async (_id, responses) => [responses.filter(({ trace }) => trace).length],
    });
    const { policy, next } = batches({ schedule });
    const { groups } = await next(1);
    expect(policy.made[0].trace).toBe(request);
    const visited = scheduler.save().prompts.filter(({ traced }) => traced !== null);
    expect(visited.map(({ promptId }) => promptId).sort()).toEqual(promptIds(groups).sort());
    for (const { traced } of visited) expect(traced).toEqual([8]);
  });
});

describe('labels', () => {
  /** Half of the prompts are answered alike, the others never. */
  const skill = (id: string) => (Number(id.slice(1)) % 2 === 0 ? 1 : 0.5);
  const parts = (labels: number, books: Books): LoopParts & { scheduler: Scheduler } => {
    const { scheduler, schedule } = scheduleOf(ids, { labels });
    const settings = { promptsPerStep: 10 };
    return { scheduler, schedule, books, settings, policy: new ScriptedPolicy(skill) };
  };
  const odd = ids.filter((id) => skill(id) < 1);

  it('bought in a step reward the groups of that step', async () => {
    // The majority says otherwise: what the label says must win.
    const books = new Books(() => 'x1');
    const given = parts(10, books);
    const { next } = batches(given);
    const { groups, labels } = await next(1);
    expect([...books.asked[0].ids].sort()).toEqual(odd);
    expect([...labels.keys()].sort()).toEqual(odd);
    for (const { promptId, responses, reward, target } of groups) {
      const isOdd = odd.includes(promptId);
      expect(target).toEqual(isOdd ? { kind: 'label', answer: 'x1' } : { kind: 'vote' });
      expect(reward.kind).toBe(isOdd ? 'verified' : 'majority');
      const wanted = isOdd ? 'answer: x1' : 'answer: o';
      expect([...(reward.rewards ?? [])]).toEqual(
        responses.map(({ text }) => Number(text === wanted)),
      );
    }
    expect(replay(books.transitions).get('p1')).toBe('annotated');
    expect(given.scheduler.report().labels).toEqual({ owned: 5, waiting: 0, left: 5 });
    // Nobody is asked again for what is owned.
    await next(2);
    expect(books.asked).toHaveLength(1);
  });

  it.each([0, 2])('are never more than the %i there may be', async (labels) => {
    const books = new Books();
    const { next } = batches(parts(labels, books));
    for (const step of [1, 2, 3]) {
      const { groups } = await next(step);
      expect(groups.filter(({ reward }) => reward.kind === 'verified')).toHaveLength(labels);
    }
    expect(books.bought.size).toBe(labels);
  });

  it('that arrive later let their group vote until then', async () => {
    const books = new Books(() => 'o', 2);
    const { scheduler, ...given } = parts(3, books);
    const { next } = batches(given);
    const kinds = async (step: number) => {
      const groups = byId((await next(step)).groups);
      return [...books.bought.keys()].map((id) => groups.get(id)?.reward.kind);
    };
    expect(await kinds(1)).toEqual(Array(3).fill('majority'));
    expect(scheduler.report().labels).toEqual({ owned: 0, waiting: 3, left: 0 });
    expect(await kinds(2)).toEqual(Array(3).fill('majority'));
    expect(await kinds(3)).toEqual(Array(3).fill('majority'));
    // Asked for at step 1, there after step 3.
    expect(await kinds(4)).toEqual(Array(3).fill('verified'));
    expect(scheduler.report().labels).toEqual({ owned: 3, waiting: 0, left: 0 });
    expect(books.asked).toHaveLength(1);
    const rules = books.transitions.filter(({ promptId }) => books.bought.has(promptId));
    expect(new Set(rules.map(({ rule, step }) => `${rule} ${step}`))).toEqual(
      new Set(['dynamic:group_disagrees 1', 'dynamic:label_arrived 4']),
    );
    for (const id of books.bought.keys())
      expect(replay(books.transitions).get(id)).toBe('annotated');
  });

  it('that methods want are bought too, with what the schedule wants and once', async () => {
    const books = new Books();
    const calls: string[][] = [];
    const methods = hooked({
      wanted: (_step, seen, labelled) => {
        calls.push([...labelled].sort());
        return seen.map(({ promptId }) => promptId).filter((id) => id === 'p0' || id === 'p1');
      },
    });
    const { next } = batches({ ...parts(1, books), methods });
    const { groups } = await next(1);
    const [{ ids: asked }] = books.asked;
    expect(asked).toEqual([...new Set([asked[0], 'p0', 'p1'])]);
    expect(odd).toContain(asked[0]);
    expect(byId(groups).get('p0')?.reward.kind).toBe('verified');
    await next(2);
    expect(books.asked).toHaveLength(1);
    expect(calls).toEqual([[], [...asked].sort()]);
  });

  it('verify a group if and only if they have been bought and have arrived', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.constantFrom(...ids)),
        fc.uniqueArray(fc.constantFrom(...ids)),
        fc.nat(3),
        fc.integer({ min: 0, max: 6 }),
        async (answered, unanswered, delay, budget) => {
          const owned = answered.filter((id) => !unanswered.includes(id));
          const books = new Books((id) => (unanswered.includes(id) ? undefined : 'o'), delay);
          books.own(owned);
          const { schedule } = scheduleOf(ids, { labels: owned.length + budget });
          const { next } = batches({ schedule, books, settings: { groupSize: 2 } });
          for (const step of [1, 2, 3]) {
            const { groups } = await next(step);
            for (const { promptId, reward } of groups) {
              const since = books.bought.get(promptId) ?? Number.POSITIVE_INFINITY;
              const has = since + delay <= step - (since < step ? 1 : 0);
              expect(reward.kind).toBe(has ? 'verified' : 'majority');
            }
          }
          const fresh = [...books.bought.keys()].filter((id) => !owned.includes(id));
          expect(fresh.length).toBeLessThanOrEqual(budget);
        },
      ),
      { seed: 5, numRuns: 25 },
    );
  });
});

describe('second opinions', () => {
  const second = (by: 'policy' | 'teacher'): Method => ({
    second: ({ id, prompt }) =>
      id === 'p2' ? null : { by, prompt: `${prompt} again`, samples: 3 },
    reward: async (_step, seen) => ({
      ...{ kind: 'intrinsic', reason: 'how many there are', undecided: [] },
      rewards: Float64Array.from(seen.responses, (_, i) => (seen.second ?? []).length + i),
    }),
  });

  it.each(['policy', 'teacher'] as const)(
    'by the %s are made for prompts without a label, and counted',
    async (by) => {
      const small = range(4);
      const policy = new ScriptedPolicy();
      const books = new Books().own(['p0']);
      const methods = hooked(second(by), small);
      const { state, next } = batches({ ids: small, policy, books, methods });
      const groups = byId((await next(1)).groups);
      expect(policy.made.map((one) => one.by)).toEqual(['policy', by]);
      const [, { requests }] = policy.made;
      expect(requests.map(({ prompt }) => prompt)).toEqual(
        requests.map(({ promptId }) => `what is ${promptId} ? again`),
      );
      expect(state.rollouts).toBe(4 * 8 + 2 * 3);
      expect(state.tokens).toBeGreaterThan(4 * 8 * 2);
      const counts = small.map((id) => groups.get(id)?.second?.length);
      expect(counts).toEqual([undefined, 3, undefined, 3]);
      for (const id of ['p1', 'p3']) {
        expect(groups.get(id)?.second?.every(({ promptId }) => promptId === id)).toBe(true);
      }
      expect(groups.get('p1')?.reward.rewards?.[0]).toBe(3);
      // None is a response that training has sampled.
      const mine = new Set(policy.made[0].requests.map(({ sample }) => sample));
      expect(requests.filter(({ sample }) => mine.has(sample))).toEqual([]);
    },
  );
});

describe('a lab', () => {
  it('samples what it is asked for, against the labels that are there, and counts it', async () => {
    const books = new Books().own(['p1']);
    const { schedule } = scheduleOf(ids, {});
    const { job, policy } = loopOf({ schedule, books });
    const state = structuredClone(FRESH);
    const lab = labOf(job, state, await job.ports.arrived(0));
    expect(lab.promptIds).toEqual(ids);
    const groups = await lab.sample(['p1', 'p5'], 3);
    expect(
      groups.map(({ promptId, responses, reward }) => [promptId, responses.length, reward.kind]),
    ).toEqual([
      ['p1', 3, 'verified'],
      ['p5', 3, 'majority'],
    ]);
    expect(state).toMatchObject({ rollouts: 6, cursor: 0, step: 0 });
    expect(state.tokens).toBeGreaterThanOrEqual(12);
    expect(books.asked).toEqual([]);
    // Other responses than those of training.
    const mine = policy.made[0].requests.map(({ sample }) => sample);
    await sampleBatch(job, state, 1, new Map());
    const theirs = new Set(policy.made[1].requests.map(({ sample }) => sample));
    expect(mine.filter((sample) => theirs.has(sample))).toEqual([]);
  });

  it('is not traced', async () => {
    const request = { heads: [], signals: [], delta: 1, window: 2, sinks: 1 };
    const schedule = scheduled(scheduleOf(ids, {}).scheduler, ids, 3, {
      request,
      read: async () => [],
    });
    const { job, policy } = loopOf({ schedule });
    await labOf(job, structuredClone(FRESH), new Map()).sample(['p1'], 2);
    expect(policy.made[0].trace).toBeUndefined();
  });
});
