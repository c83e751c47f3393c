/** What a run starts from: the routes of a plan, the bare pool or the arm; with a store and a stub of a policy. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LabelDesk, LiveDesk } from '../../label/types.ts';
import type { Group } from '../../method/types.ts';
import { response, seenOf } from '../../reward/testing/seen.ts';
import { openStore } from '../../store/store.ts';
import { rolloutRow } from '../../store/testing/rows.ts';
import { freshWorkspace } from '../../store/testing/workspace.ts';
import type { Store } from '../../store/types.ts';
import { rewardGroup } from '../../train/groups.ts';
import type { Schedule } from '../../train/schedule.ts';
import { planToJson, schedulerStateFromJson } from '../../triage/disk.ts';
import { planFor } from '../../triage/simulated.ts';
import { entryTransitions, replay, transitionsOf } from '../../triage/transitions.ts';
import type { PromptState } from '../../triage/types.ts';
import { inlineVerifier } from '../../verify/testing/inline.ts';
import { loadConfig } from '../config.ts';
import { scheduleOf } from './schedule.ts';

const verifier = await inlineVerifier({ kind: 'text' });
const plan = planFor(60);
const ids = Array.from({ length: 60 }, (_, i) => `p${i}`);
const prompts = new Map(
  ids.map((id, i) => [id, { id, prompt: `${i} + 1`, source: 'test', metadata: {} }]),
);
const probes = plan.decisions.filter(({ probe }) => probe).map(({ promptId }) => promptId);
const open = plan.decisions
  .filter(({ probe, route }) => route === 'annotate' && !probe)
  .map(({ promptId }) => promptId);

let workspace: string;
let store: Store;
/** Every test has a plan of its own in the same database. */
let name = 'plan-0';
let plans = 0;

beforeAll(async () => {
  workspace = await freshWorkspace();
  store = await openStore(workspace);
  await store.prompts.add([...prompts.values()]);
  // Of the probes four rollouts each are there; those of the first half are right.
  await store.rollouts.put(
    0,
    probes.flatMap((promptId, i) =>
      [0, 1, 2, 3].map((sample) => ({
        ...rolloutRow(0, sample),
        promptId,
        text: `answer: ${i < probes.length / 2 ? 'o' : 'x'}`,
      })),
    ),
  );
});
beforeEach(async () => {
  plans += 1;
  name = `plan-${plans}`;
  await store.plans.save(name, planToJson({ ...plan, name }));
  const occasion = { plan: name, round: 0, step: null };
  const entered = entryTransitions(ids, occasion);
  const carried = transitionsOf({ ...plan, name }, replay(entered));
  await store.transitions.append([...entered, ...carried]);
});
afterAll(async () => {
  await store.close();
});

/** A desk that owns these labels from before training. */
function deskWith(owned: readonly string[]): LabelDesk {
  const labels = owned.map((promptId) => ({ promptId, answer: 'o', source: 'file', cost: 1 }));
  return {
    ...{ account: name, budget: null },
    request: async (wanted) => labels.filter(({ promptId }) => wanted.includes(promptId)),
    arrived: async () => labels,
    refused: () => [],
    spent: async () => labels.length,
  };
}

interface Start {
  saved?: unknown;
  owned?: readonly string[];
  live?: LiveDesk | null;
}

/** People who were asked for these prompts, in this order. */
function liveDesk(owned: readonly string[]): LiveDesk & { up: string[] } {
  const desk = deskWith(owned);
  const up: string[] = [];
  return {
    ...{ ...desk, up, waits: true },
    put: async (wishes) => void up.push(...wishes.map(({ promptId }) => promptId)),
    ask: async () => [],
    left: () => new Set(),
    change: desk.arrived,
    close: async () => {},
  };
}

async function start(
  overrides: readonly string[] = [],
  { saved = null, owned = probes, live = null }: Start = {},
): Promise<Schedule> {
  const usual = [`triage.plan=${name}`, 'train.dynamic.trace=false', 'train.dynamic.features=2'];
  const { config } = loadConfig({ cwd: workspace, overrides: [...usual, ...overrides] });
  return await scheduleOf({
    ...{
      store,
      config,
      prompts,
      saved,
      live,
      desk: deskWith(owned),
      verifierOf: () => verifier,
    },
    policy: {
      promptFeatures: async (all) =>
        all.map((_, i) => {
          const state = Float32Array.of(i, i % 7, (i * 5) % 11);
          return { last: state, mean: state };
        }),
    },
    profile: async () => {
      throw new Error('nothing is traced');
    },
  });
}
const stateOf = (schedule: Schedule) => schedulerStateFromJson(schedule.save());
const routesOf = (schedule: Schedule) =>
  new Map(stateOf(schedule).prompts.map(({ promptId, state }) => [promptId, state]));

/** The group of a prompt without a label, half of which say so and half another thing. */
async function torn(promptId: string): Promise<Group> {
  const said = ['o', 'o', 'x', 'y'].map((answer) => response(`answer: ${answer}`));
  const seen = { ...(await seenOf(said, verifier)), promptId };
  return await rewardGroup(
    1,
    seen,
    { kind: 'none' },
    {
      verifierOf: () => verifier,
      methods: {
        retarget: async (_step, _seen, target) => target,
        reward: async () => ({ kind: 'majority', rewards: null, reason: '', undecided: [] }),
      },
      settings: { undecided: 'zero', selfWeight: 1, advantage: 'std' },
    },
  );
}

/** One step: draws, asks for what is wanted, gets half of it, and observes; all is recorded. */
async function step(schedule: Schedule, at: number): Promise<string[]> {
  const drawn = schedule.draw(at, 8 * at, 8);
  const groups = await Promise.all(drawn.map(torn));
  const wanted = schedule.wanted(groups);
  const asked = groups.filter(({ promptId }) => wanted.includes(promptId));
  await store.transitions.append(schedule.asked(at, asked));
  await store.transitions.append(schedule.labelled(at, wanted.slice(0, 1)));
  await store.transitions.append(await schedule.observe(at, groups));
  return drawn;
}

describe('dynamic routing from a plan', () => {
  const warm = ['train.dynamic.warmup_groups=4', 'train.dynamic.labels=60'];

  test('begins with its routes, its labels and its probes; what was not bought is open', async () => {
    const schedule = await start(warm);
    const wanted = plan.decisions.map(({ promptId, route, probe }): [string, PromptState] => {
      const label = probe ? 'annotated' : null;
      return [promptId, label ?? (route === 'annotate' ? 'self' : route)];
    });
    expect(open.length).toBeGreaterThan(5);
    expect(new Map([...routesOf(schedule)].sort())).toEqual(new Map(wanted.sort()));
    const { groups, plan: filed, prompts: memories } = stateOf(schedule);
    expect([groups, filed]).toEqual([probes.length, name]);
    const shown = probes.map((id) => memories.find(({ promptId }) => promptId === id)?.hits);
    expect(shown).toEqual(probes.map((_, i) => (i < probes.length / 2 ? 4 : 0)));
    expect(schedule.trace).toBeUndefined();
  });

  test('writes a manifest that replays from the plan to the last step', async () => {
    const schedule = await start(warm);
    expect(await store.transitions.routes(name)).toEqual(routesOf(schedule));
    for (let at = 1; at <= 6; at++) await step(schedule, at);
    const states = replay(await store.transitions.of(name));
    expect(states).toEqual(routesOf(schedule));
    expect(await store.transitions.routes(name)).toEqual(new Map(routesOf(schedule)));
    const rules = new Set((await store.transitions.of(name)).map(({ rule }) => rule));
    expect(rules).toContain('dynamic:not_bought');
    expect(rules).toContain('dynamic:label_arrived');
  });

  test('begins again as it began, whatever the first attempt had come to', async () => {
    const first = await start(warm);
    const drawn = [await step(first, 1), await step(first, 2)];
    const recorded = await store.transitions.of(name);
    expect(recorded.some(({ step: at }) => at === 2)).toBe(true);
    // Stopped before its first checkpoint: there is no state to go on from.
    const second = await start(warm);
    expect([await step(second, 1), await step(second, 2)]).toEqual(drawn);
    expect(stateOf(second)).toEqual(stateOf(first));
    expect(await store.transitions.of(name)).toEqual(recorded);
  });

  test('goes on from a checkpoint', async () => {
    const first = await start(warm);
    await step(first, 1);
    const saved: unknown = JSON.parse(JSON.stringify(first.save()));
    const second = await start(warm, { saved });
    expect(stateOf(second)).toEqual(stateOf(first));
    expect(await step(second, 2)).toEqual(await step(first, 2));
  });

  test('may buy as many labels as the plan would have, unless told', async () => {
    const most = async (...overrides: string[]) => {
      const schedule = await start(['train.dynamic.agree_share=1', ...overrides]);
      return schedule.wanted(await Promise.all(open.concat(ids).map(torn))).length + probes.length;
    };
    expect(await most()).toBe(plan.counts.annotate);
    expect(await most('label.budget=20')).toBe(20);
    expect(await most('label.budget=20', 'train.dynamic.labels=10')).toBe(10);
  });

  test('has nothing to go by without features, and goes on', async () => {
    const schedule = await start([...warm, 'train.dynamic.features=0']);
    expect(await step(schedule, 1)).toHaveLength(8);
    expect(await step(schedule, 2)).toHaveLength(8);
  });
});

describe('dynamic routing from the pool', () => {
  const bare = ['train.dynamic.start=pool', 'train.run=bare', 'train.dynamic.warmup_groups=4'];

  test('knows nothing, may label 29.3 % and files its routes under its own name', async () => {
    const schedule = await start(bare, { owned: [] });
    expect(new Set(routesOf(schedule).values())).toEqual(new Set(['new']));
    expect(stateOf(schedule)).toMatchObject({ groups: 0, plan: 'run bare' });
    expect(schedule.wanted(await Promise.all(ids.map(torn)))).toHaveLength(17);
    for (let at = 1; at <= 3; at++) await step(schedule, at);
    const moved = replay(await store.transitions.of('run bare'));
    expect(moved.size).toBeGreaterThan(10);
    for (const [id, state] of moved) expect(routesOf(schedule).get(id)).toBe(state);
    expect(await store.transitions.routes(name)).not.toEqual(
      await store.transitions.routes('run bare'),
    );
  });
});

describe('fixed routes', () => {
  const fixed = ['train.dynamic.enabled=false'];

  test('are those of the plan, also when a dynamic run has moved them', async () => {
    const targets = async () => (await start(fixed)).promptIds;
    const wanted = plan.decisions
      .filter(({ probe, route }) => probe || route === 'self')
      .map(({ promptId }) => promptId);
    expect([...(await targets())].sort()).toEqual(wanted.sort());
    const dynamic = await start(['train.dynamic.warmup_groups=4', 'train.dynamic.labels=60']);
    for (let at = 1; at <= 4; at++) await step(dynamic, at);
    expect([...(await targets())].sort()).toEqual(wanted);
  });

  test('put up what is planned to be annotated, where labels may come while training goes on', async () => {
    const live = liveDesk(probes);
    const schedule = await start(fixed, { live });
    // The most uncertain come last in a plan, and first in the queue.
    expect(live.up).toEqual([...open].reverse());
    for (const id of open) expect(schedule.promptIds).toContain(id);
    const drawn = await Promise.all(schedule.promptIds.map(torn));
    expect([...schedule.wanted(drawn)].sort()).toEqual([...probes, ...open].sort());
    const [arrived, hopeless] = open;
    await store.transitions.append(schedule.labelled(3, [...probes, arrived]));
    await store.transitions.append(schedule.refused(4, [hopeless]));
    expect([...schedule.labelled(5, [arrived]), ...schedule.refused(5, [hopeless])]).toEqual([]);
    const states = replay(await store.transitions.of(name));
    expect([states.get(arrived), states.get(hopeless)]).toEqual(['annotated', 'self']);
    const full = liveDesk([]);
    expect((await start(['train.arm=full'], { live: full })).promptIds).toEqual(ids);
    expect(full.up).toEqual(ids);
  });

  test('of an arm are its labels, or the whole pool', async () => {
    const full = await start(['train.arm=full'], { owned: ['p1', 'p5'] });
    expect(full.promptIds).toEqual(['p1', 'p5']);
    const majority = await start(['train.arm=majority'], { owned: [] });
    expect(majority.promptIds).toEqual(ids);
    await expect(start(['train.arm=full'], { owned: [] })).rejects.toThrow(/prompts to train on/);
  });
});
