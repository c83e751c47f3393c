/** Each hook of a method, observed through the loop. */
import { describe, expect, it, vi } from 'vitest';
import { Methods } from '../method/methods.ts';
import type { Group, Lab, Method } from '../method/types.ts';
import {
  advantagesOf,
  Books,
  contextOf,
  hooked,
  type LoopParts,
  range,
  runLoop,
  ScriptedPolicy,
} from './testing/loop.ts';

vi.mock('../method/registry.ts', async (load) => {
  const { withOwnMethods } = await import('./testing/own-methods.ts');
  return withOwnMethods(await load<typeof import('../method/registry.ts')>());
});

const ids = range(10);
const owningAll = () => new Books().own(ids);

describe('the hooks of methods', () => {
  const once = (hooks: Method, parts: LoopParts = {}) =>
    runLoop({
      books: owningAll(),
      methods: hooked(hooks),
      ...parts,
      settings: { steps: 1, ...parts.settings },
    });

  it('weigh: a factor per group of what it kept, 0 takes it out', async () => {
    const plain = advantagesOf((await once({})).policy)[0];
    const seen: string[][] = [];
    const { policy, metrics } = await once({
      weigh: async (step, groups) => {
        seen.push([String(step), ...groups.map(({ promptId }) => promptId)]);
        return [1, 0, 0.5, 1];
      },
    });
    expect(seen).toHaveLength(1);
    const [weighed] = advantagesOf(policy);
    expect(weighed).toHaveLength(24);
    expect(metrics[0]).toMatchObject({ groups: 4, groups_rejected: 0, frac_reward_zero_std: 0 });
    const halved = await once({ weigh: async (_step, groups) => groups.map(() => 0.5) });
    expect(advantagesOf(halved.policy)[0]).toEqual(plain.map((value) => value / 2));
    await expect(once({ weigh: async () => [1, Number.NaN, 1, 1] })).rejects.toThrow(RangeError);
  });

  it('keep: what is left out was sampled in vain, and is observed', async () => {
    const observed: string[] = [];
    const { policy, metrics, state } = await once({
      keep: (_step, groups) => groups.slice(1, 3),
      weigh: async (_step, groups) => groups.map(() => 1),
      observe: (_step, groups) => void observed.push(...groups.map(({ promptId }) => promptId)),
    });
    expect(policy.updates[0].sequences).toHaveLength(16);
    expect(metrics[0]).toMatchObject({ groups: 4, groups_rejected: 2, rollouts: 32 });
    expect(state.rollouts).toBe(32);
    expect(observed).toHaveLength(4);
    const none = await once({ keep: () => [] });
    expect(none.policy.updates).toEqual([]);
    expect(none.metrics[0]).toMatchObject({ groups_rejected: 4, grad_norm: 0 });
  });

  it('clip: sets the bounds of the ratio', async () => {
    const { policy } = await once({ clip: ({ low, high }) => ({ low: low / 2, high: 2 * high }) });
    expect(policy.updates[0].surrogate).toMatchObject({ clipLow: 0.1, clipHigh: 0.56 });
  });

  it('retarget: holds groups against something else than their label', async () => {
    const rewards = async (hooks: Method) => (await once(hooks)).metrics[0];
    const right = (await rewards({})).reward;
    const wrong = await rewards({ retarget: async () => ({ kind: 'label', answer: 'x0' }) });
    expect(wrong.groups_verified).toBe(4);
    expect(wrong.reward).toBeLessThan(1 - right + 1e-9);
    const voted = await rewards({ retarget: async () => ({ kind: 'vote' }) });
    expect(voted).toMatchObject({ groups_verified: 0, groups_majority: 4 });
    const idle = await rewards({ retarget: async () => ({ kind: 'none' }) });
    expect(idle).toMatchObject({ groups_without_reward: 4, grad_norm: 0 });
  });

  it('reward: what a group without a label earns', async () => {
    const hooks: Method = {
      reward: async (_step, { responses }) => ({
        ...{ kind: 'intrinsic', reason: 'its place', undecided: [] },
        rewards: Float64Array.from(responses, (_, i) => i),
      }),
    };
    const settings = { advantage: 'none' } as const;
    const { metrics, policy } = await once(hooks, { books: new Books(), settings });
    expect(metrics[0]).toMatchObject({ groups_intrinsic: 4, reward: 3.5 });
    // Places 0 to 7 around their mean, at the weight of 0.5 of what has no label.
    const places = [-1.75, -1.25, -0.75, -0.25, 0.25, 0.75, 1.25, 1.75];
    expect(advantagesOf(policy)[0]).toEqual([0, 1, 2, 3].flatMap(() => places));
    expect((await once(hooks)).metrics[0]).toMatchObject({ groups_intrinsic: 0 });
  });

  it('teacherDecay: the teacher follows after every update', async () => {
    const settings = { epochs: 2, updatesPerEpoch: 2 };
    const { policy } = await once({ teacherDecay: 0.9 }, { settings });
    expect(policy.taught).toEqual([0.9, 0.9, 0.9, 0.9]);
    expect((await once({}, { settings })).policy.taught).toEqual([]);
    // At 0 it follows at once: that is not the same as no teacher.
    expect((await once({ teacherDecay: 0 })).policy.taught).toEqual([0]);
  });

  it('prepare: once, before the first step and after the first evaluation, its rollouts counted', async () => {
    const labs: Lab[] = [];
    const groups: Group[] = [];
    const hooks: Method = {
      prepare: async (lab) => {
        labs.push(lab);
        groups.push(...(await lab.sample(['p1', 'p2'], 5)));
      },
      save: () => ({ prepared: labs.length }),
    };
    const first = await once(hooks, { settings: { steps: 2 } });
    expect(labs).toHaveLength(1);
    expect(labs[0].promptIds).toEqual(ids);
    expect(groups.map(({ reward }) => reward.kind)).toEqual(['verified', 'verified']);
    expect(first.evaluations[0]).toMatchObject({ step: 0, rollouts: 0 });
    expect(first.metrics.map(({ rollouts }) => rollouts)).toEqual([42, 74]);
    const { state } = await runLoop(
      { methods: hooked(hooks), settings: { steps: 3 } },
      first.state,
    );
    expect(labs).toHaveLength(1);
    expect(state.methods).toEqual({ hooked: { prepared: 1 } });
  });

  it('observe and save: what the step showed is in its checkpoint', async () => {
    let sum = 0;
    const { checkpoints } = await once(
      {
        observe: (step, groups) => {
          sum += step * groups.length;
        },
        save: () => sum,
      },
      { settings: { steps: 4 } },
    );
    expect(checkpoints.map(({ methods }) => methods)).toEqual([{ hooked: 12 }, { hooked: 40 }]);
  });

  it('all together: dapo replaces, the budget of rollouts is told', async () => {
    const methods = Methods.open(['dapo'], { dapo: { rounds: 2 } }, contextOf(ids));
    const { metrics, state } = await runLoop({
      ...{ methods, books: owningAll(), policy: new ScriptedPolicy(() => 1) },
      settings: { steps: 1 },
    });
    // All are right, nothing is to be learned: two rounds of replacements, until the pool is used up.
    expect(metrics).toMatchObject([
      { groups: 10, groups_replaced: 6, frac_reward_zero_std: 1, reward: 1, grad_norm: 0 },
    ]);
    expect(state).toMatchObject({ rollouts: 80 });
  });
});
