/** The loop with a policy that says what it is told: what it tells, when it ends, how it updates. */
import { describe, expect, it, vi } from 'vitest';
import { Interrupted } from '../core/errors.ts';
import type { Progress } from '../core/progress.ts';
import { Scheduler } from '../triage/scheduler.ts';
import type { SchedulerPrompt } from '../triage/scheduler-types.ts';
import { settings as usual } from '../triage/testing/sampled-pool.ts';
import { replay } from '../triage/transitions.ts';
import { scheduled } from './schedule.ts';
import {
  advantagesOf,
  Books,
  FRESH,
  hooked,
  type LoopParts,
  loopOf,
  range,
  runLoop,
  ScriptedPolicy,
} from './testing/loop.ts';
import { train } from './trainer.ts';

vi.mock('../method/registry.ts', async (load) => {
  const { withOwnMethods } = await import('./testing/own-methods.ts');
  return withOwnMethods(await load<typeof import('../method/registry.ts')>());
});

const ids = range(10);

const owningAll = (answer = 'o') => new Books(() => answer).own(ids);
describe('what a run tells', () => {
  it('are metrics that add up, a line per step', async () => {
    const books = new Books().own(ids.filter((_, i) => i % 2 === 0));
    const { metrics, state, policy } = await runLoop({ books, ids: range(8) });
    expect(metrics.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    for (const [i, one] of metrics.entries()) {
      expect(one).toMatchObject({ groups: 4, groups_replaced: 0, groups_rejected: 0 });
      expect(one.groups_verified + one.groups_majority + one.groups_intrinsic).toBe(4);
      expect(one.rollouts).toBe(32 * (i + 1));
      expect(one).toMatchObject({ labels_used: 5, surprise: null, entropy: 0.5 });
      expect(one).toMatchObject({ loss: 0.5, 'clip_ratio/region_mean': 0.25, learning_rate: 0.01 });
      expect(one['completions/mean_length']).toBeGreaterThan(2);
    }
    expect(metrics.some((one) => one.groups_verified > 0 && one.groups_majority > 0)).toBe(true);
    expect(metrics[3].num_tokens).toBe(state.tokens);
    expect(policy.updates).toHaveLength(4);
    expect(state).toMatchObject({ step: 4, cursor: 16, rollouts: 128, labels: 5 });
  });

  it('are the mean and spread of rewards, and the share of groups that teach nothing', async () => {
    const skill = (id: string) => (Number(id.slice(1)) < 5 ? 1 : 0.5);
    const { metrics } = await runLoop({
      ...{ books: owningAll(), policy: new ScriptedPolicy(skill) },
      settings: { steps: 1, promptsPerStep: 10, groupSize: 64, evalEvery: 0 },
    });
    expect(metrics[0].frac_reward_zero_std).toBe(0.5);
    expect(metrics[0].reward).toBeCloseTo(0.75, 1);
    expect(metrics[0].reward_std).toBeCloseTo(0.25, 1);
  });

  it('are evaluations at the start, every so often and at the end, the greedy one at both ends', async () => {
    const { evaluations } = await runLoop({ settings: { steps: 5 } });
    expect(evaluations.map(({ step, rollouts }) => [step, rollouts])).toEqual([
      [0, 0],
      [2, 64],
      [4, 128],
      [5, 160],
    ]);
    expect(evaluations.map(({ greedy }) => greedy)).toEqual([1, null, null, 1]);
    for (const { perPrompt, average } of evaluations)
      expect(average).toBe((perPrompt[0] + perPrompt[1]) / 2);
    const often = await runLoop({ settings: { steps: 4, greedyEvery: 2 } });
    expect(often.evaluations.map(({ greedy }) => greedy)).toEqual([1, 1, 1]);
  });

  it('is no evaluation at the start where none is wanted', async () => {
    const { evaluations } = await runLoop({ settings: { evalAtStart: false } });
    expect(evaluations.map(({ step }) => step)).toEqual([2, 4]);
    const none = await runLoop({ settings: { evalAtStart: false, evalEvery: 0 } });
    expect(none.evaluations.map(({ step }) => step)).toEqual([4]);
  });

  it('are evaluations of the moving average where one is kept', async () => {
    const evaluated = ({ policy }: { policy: ScriptedPolicy }) =>
      new Set(policy.made.filter((one) => !policy.trained.includes(one)).map(({ by }) => by));
    const averaged = await runLoop({ settings: { average: 0.9, epochs: 2 } });
    expect(averaged.policy.taught).toEqual(Array(8).fill(0.9));
    expect(evaluated(averaged)).toEqual(new Set(['teacher']));
    const plain = await runLoop();
    expect([plain.policy.taught, evaluated(plain)]).toEqual([[], new Set(['policy'])]);
  });

  it('is how far it has come, in steps or in the rollouts that end it', async () => {
    const told = async (maxRollouts: number | null) => {
      const log: unknown[] = [];
      const progress: Progress = {
        start: (_label, total, unit) => log.push(total, unit),
        update: (done) => log.push(done),
        finish: (summary) => log.push(summary),
      };
      await runLoop({ progress, settings: { maxRollouts } });
      return log;
    };
    expect(await told(null)).toEqual([
      4,
      'steps',
      0,
      1,
      2,
      3,
      4,
      '4 steps, 128 rollouts, 0 labels',
    ]);
    expect(await told(50)).toEqual([50, 'rollouts', 0, 32, 50, '2 steps, 64 rollouts, 0 labels']);
  });

  it('are questions about what cannot be judged, which earn nothing', async () => {
    const settings = { steps: 1, undecided: 'ask' } as const;
    const { metrics, questions, policy } = await runLoop({ books: owningAll('?'), settings });
    expect(metrics).toMatchObject([{ groups_without_reward: 4, grad_norm: 0 }]);
    expect(policy.updates).toEqual([]);
    expect(questions).toHaveLength(32);
    expect(questions[0]).toMatchObject({
      step: 1,
      gold: '?',
      reason: 'nobody knows',
      rung: 'only',
    });
    expect(questions[0].response).toMatch(/^answer: /);
    const zero = await runLoop({ books: owningAll('?'), settings: { steps: 1 } });
    expect(zero.questions).toEqual([]);
    expect(zero.metrics[0].groups_without_reward).toBe(0);
  });
});

describe('a run ends', () => {
  it('with the first step that reaches the rollouts it may make, and is evaluated there', async () => {
    for (const [maxRollouts, steps] of [
      [32, 1],
      [33, 2],
      [64, 2],
      [1000, 4],
    ]) {
      const { state, evaluations, checkpoints } = await runLoop({ settings: { maxRollouts } });
      expect([state.step, state.rollouts]).toEqual([steps, 32 * steps]);
      expect(evaluations.at(-1)).toMatchObject({ step: steps, rollouts: 32 * steps, greedy: 1 });
      expect(evaluations.filter(({ step }) => step === steps)).toHaveLength(1);
      expect(checkpoints.at(-1)?.step).toBe(steps);
    }
  });

  it('after a step, though what came before used up the rollouts', async () => {
    const methods = hooked({
      prepare: async (lab) => {
        await lab.sample(ids, 10);
      },
    });
    const { state, evaluations } = await runLoop({
      methods,
      settings: { maxRollouts: 50, evalAtStart: false },
    });
    expect(state).toMatchObject({ step: 1, rollouts: 132 });
    expect(evaluations).toMatchObject([{ step: 1, rollouts: 132 }]);
  });

  it('and does nothing when it is gone on with', async () => {
    const settings = { maxRollouts: 40 };
    const { state } = await runLoop({ settings });
    const again = await runLoop({ settings }, structuredClone(state));
    expect(again.state).toEqual(state);
    expect([again.policy.made, again.evaluations]).toEqual([[], []]);
  });

  it('when it is asked to, with a checkpoint unless nothing was done', async () => {
    const stop = new AbortController();
    const { job, heard } = loopOf({ stop: stop.signal });
    const stepDone: typeof job.events.stepDone = (metrics) => {
      heard.metrics.push(metrics);
      if (metrics.step === 3) stop.abort();
    };
    const state = structuredClone(FRESH);
    await expect(train({ ...job, events: { ...job.events, stepDone } }, state)).rejects.toThrow(
      Interrupted,
    );
    expect(heard.checkpoints.map(({ step }) => step)).toEqual([2, 3]);
    const early = loopOf({ stop: AbortSignal.abort() });
    await expect(train(early.job, structuredClone(FRESH))).rejects.toThrow(Interrupted);
    expect(early.heard.checkpoints).toEqual([]);
  });

  it('though no prompt is ever drawn', async () => {
    const { metrics, policy, state } = await runLoop({ methods: hooked({ admits: () => false }) });
    expect(metrics).toHaveLength(4);
    expect(metrics[3]).toMatchObject({
      groups: 0,
      reward: 0,
      rollouts: 0,
      frac_reward_zero_std: 0,
    });
    expect([policy.updates, state.rollouts]).toEqual([[], 0]);
  });
});

describe('updates', () => {
  it('go over the groups that teach something, in epochs and parts', async () => {
    const settings = {
      steps: 1,
      epochs: 2,
      updatesPerEpoch: 2,
      kl: 0.1,
      loss: 'sequence',
    } as const;
    const { policy } = await runLoop({ books: owningAll(), settings });
    expect(policy.updates.map(({ sequences }) => sequences.length)).toEqual([16, 16, 16, 16]);
    for (const { sequences, surrogate } of policy.updates) {
      expect(surrogate).toEqual({ clipLow: 0.2, clipHigh: 0.28, kl: 0.1, temperature: 1 });
      for (const { reference, weight, tokens, from } of sequences) {
        expect(reference).toHaveLength(tokens.length - from);
        expect(weight).toBeCloseTo(1 / 16 / (tokens.length - from), 12);
      }
    }
    const [first, second] = [policy.updates.slice(0, 2), policy.updates.slice(2)].map((half) =>
      half.flatMap(({ sequences }) => sequences.map(({ old }) => old)),
    );
    expect(second).not.toEqual(first);
    expect(new Set(second)).toEqual(new Set(first));
  });

  it('weigh votes less than labels', async () => {
    const largest = async (books: Books) => {
      const { policy } = await runLoop({ books, settings: { steps: 1, advantage: 'none' } });
      return Math.max(...advantagesOf(policy)[0].map(Math.abs));
    };
    // Half right: at most 1 away from the mean, times the weight of a vote.
    expect(await largest(owningAll())).toBeGreaterThan(0.5);
    expect(await largest(new Books())).toBeLessThanOrEqual(0.5);
  });
});

describe('with the scheduler', () => {
  /** A third mastered, a third hopeless, a third in between; a feature tells which. */
  const pool = range(60);
  const skill = (id: string) => [0.99, 0.01, 0.5][Number(id.slice(1)) % 3];
  const prompts = pool.map((promptId, i): SchedulerPrompt => {
    return { promptId, state: 'new', features: [(i % 3) - 1, 0.01 * i] };
  });
  const parts = (labels: number, books: Books, delay = false): LoopParts => {
    const scheduler = new Scheduler({ plan: 'run a', round: 0 }, prompts, {
      ...{ ...usual, labels, warmupGroups: 16, agreeShare: delay ? 0.85 : 1 },
    });
    return {
      ...{ ids: pool, books, policy: new ScriptedPolicy(skill) },
      schedule: scheduled(scheduler, pool, 1, null),
      settings: { steps: 16, promptsPerStep: 8 },
    };
  };

  it('spends rollouts and labels where there is something to learn', async () => {
    const books = new Books();
    const { metrics, policy, state, checkpoints } = await runLoop(parts(12, books));
    expect(metrics.at(-1)?.labels_used).toBeLessThanOrEqual(12);
    expect(books.bought.size).toBeGreaterThan(8);
    const middle = (from: number, to: number) => {
      const drawn = policy.trained.slice(from, to).flatMap(({ requests }) => requests);
      return drawn.filter(({ promptId }) => skill(promptId) === 0.5).length / drawn.length;
    };
    expect(middle(0, 2)).toBeLessThan(0.6);
    expect(middle(8, 16)).toBeGreaterThan(0.75);
    expect(metrics.at(-1)?.surprise).toBeLessThan(metrics[0].surprise ?? 0);
    // Routes are what their log says, and the checkpoint has them.
    const routes = replay(books.transitions);
    expect(routes.size).toBeGreaterThan(20);
    expect(checkpoints.at(-1)?.schedule).toEqual(state.schedule);
    expect(JSON.stringify(state.schedule)).toContain('"annotated"');
    for (const id of books.bought.keys())
      expect(['annotated', 'discard']).toContain(routes.get(id));
  });

  it('trains without labels, and with labels that come late', async () => {
    const none = await runLoop(parts(0, new Books()));
    expect(none.metrics.every(({ groups_verified: verified }) => verified === 0)).toBe(true);
    const books = new Books(() => 'o', 3);
    const late = await runLoop(parts(12, books, true));
    expect(late.metrics.slice(0, 3).every((one) => one.groups_verified === 0)).toBe(true);
    expect(late.metrics.some((one) => one.groups_verified > 0)).toBe(true);
    expect(late.metrics[0].labels_used).toBeGreaterThan(0);
  });
});
