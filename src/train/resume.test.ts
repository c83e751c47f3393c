/** A run that is stopped and gone on with is the run that was not: with scripted policies for every method, and with a model. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyModel } from '../../test/reference/tiny-directory.ts';
import { Interrupted } from '../core/errors.ts';
import { Methods } from '../method/methods.ts';
import { methods as registry } from '../method/registry.ts';
import { type LoraSettings, loraTargets } from '../model/lora-settings.ts';
import { schedulerStateFromJson } from '../triage/disk.ts';
import { Scheduler } from '../triage/scheduler.ts';
import type { SchedulerPrompt } from '../triage/scheduler-types.ts';
import { settings as usual } from '../triage/testing/sampled-pool.ts';
import { inline } from '../verify/testing/inline.ts';
import type { Judge } from '../verify/types.ts';
import { Policy } from './policy.ts';
import { RunDirectory } from './run-directory.ts';
import { type Schedule, scheduled, shuffledSchedule } from './schedule.ts';
import {
  Books,
  contextOf,
  FRESH,
  loopOf,
  range,
  ScriptedPolicy,
  SETTINGS,
} from './testing/loop.ts';
import { type TrainJob, train } from './trainer.ts';
import type { StepMetrics, TrainSettings, TrainState } from './types.ts';

const ids = range(24);
const traceRequest = {
  heads: [
    { layer: 0, head: 1 },
    { layer: 1, head: 2 },
  ],
  ...{ signals: ['distance' as const], delta: 2, window: 16, sinks: 1 },
};

/** The scheduler over the pool, from the state of a checkpoint or from the start. */
function dynamic(saved: unknown): Schedule {
  const prompts = ids.map((promptId, i): SchedulerPrompt => {
    const state = i % 6 === 0 ? 'annotated' : i % 5 === 0 ? 'discard' : 'new';
    return { promptId, state, features: [i % 3, i / 12] };
  });
  const settings = { ...usual, labels: 14, warmupSteps: 8, agreeShare: 1, explore: 0.1 };
  const state = saved === null ? undefined : schedulerStateFromJson(saved);
  const scheduler = new Scheduler({ plan: 'main', round: 0 }, prompts, settings, state);
  return scheduled(scheduler, ids, 1, {
    request: traceRequest,
    read: async (_id, responses) => {
      const seen = responses.flatMap(({ trace, tokens }) => [
        ...(trace?.signals.distance ?? [tokens.length]),
      ]);
      return [seen.reduce((a, b) => a + b, 0) / seen.length, responses.length];
    },
  });
}
const fixed = () =>
  shuffledSchedule(new Map(ids.map((id, i) => [id, i % 3 === 0 ? 'vote' : 'label'])), 1);
const owned = (isDynamic: boolean) => ids.filter((_, i) => (isDynamic ? i % 6 === 0 : i % 3 > 0));

describe('with every method', () => {
  /** Settings that make methods do something in six steps. */
  const eager = {
    uc_offline: { keep: 0.9, proxy: true },
    difficulty: { low: 0, high: 0.95, samples: 4, rest: 2 },
    olr: { visits: 2, share: 0.3, slope: 0 },
    care: { per_step: 1 },
    dapo: { rounds: 2 },
    trapo: { warmup: 2, threshold: -1 },
    early_stop: { pilot: 3 },
  };
  const settings = { steps: 6, promptsPerStep: 6, checkpointEvery: 1, evalEvery: 3, seed: 2 };

  /** All steps, or those up to `until`, from what was kept at a checkpoint. */
  async function run(
    use: readonly string[],
    makeSchedule: (saved: unknown) => Schedule,
    books: Books,
    until: number,
    from: { state: TrainState; weights: string; teacher: string | null } | null,
  ) {
    const state = from === null ? structuredClone(FRESH) : structuredClone(from.state);
    const policy = new ScriptedPolicy((id) => [0.9, 0.5, 0.2][Number(id.slice(1)) % 3]);
    policy.weights = from?.weights ?? '';
    policy.teacher = from?.teacher ?? null;
    const stop = new AbortController();
    // Without a method that wants a teacher, a moving average takes its place.
    const average = use.length === 0 ? 0.9 : 0;
    const parts = { ids, policy, books, settings: { ...settings, average }, stop: stop.signal };
    const { job, heard } = loopOf({
      ...parts,
      methods: Methods.open(use, eager, contextOf(ids, settings), state.methods),
      schedule: makeSchedule(state.schedule),
    });
    const stepDone: TrainJob['events']['stepDone'] = (metrics) => {
      heard.metrics.push(metrics);
      if (metrics.step === until) stop.abort();
    };
    const trained = train({ ...job, events: { ...job.events, stepDone } }, state);
    if (until < settings.steps) await expect(trained).rejects.toThrow(Interrupted);
    else await trained;
    const kept: TrainState = JSON.parse(JSON.stringify(state));
    const { weights, teacher } = policy;
    return { ...heard, state: kept, weights, teacher };
  }

  const names = registry.map(({ name, surface }) => ({ name, surface }));
  const rewards = names.filter(({ surface }) => surface === 'reward').map(({ name }) => name);
  const others = names.filter(({ surface }) => surface !== 'reward').map(({ name }) => name);
  // All that go together, with each of the rewards, of which there may be one.
  const uses = [[], ...rewards.map((reward) => [...others, reward])];
  const cases = uses.flatMap((use, i) =>
    [false, true].map((isDynamic) => ({ use, isDynamic, cut: 1 + ((i + Number(isDynamic)) % 5) })),
  );

  it.each(cases)(
    '$use, dynamic $isDynamic, stopped after $cut',
    async ({ use, isDynamic, cut }) => {
      const schedule = isDynamic ? dynamic : fixed;
      const books = () =>
        new Books((id) => (id === 'p7' ? undefined : 'o'), 1).own(owned(isDynamic));
      const [mine, other] = [books(), books()];
      const whole = await run(use, schedule, mine, settings.steps, null);
      const first = await run(use, schedule, other, cut, null);
      const rest = await run(use, schedule, other, settings.steps, first);
      // As text: a checkpoint is compared byte by byte.
      expect(JSON.stringify(rest.state)).toBe(JSON.stringify(whole.state));
      expect([rest.weights, rest.teacher]).toEqual([whole.weights, whole.teacher]);
      expect([...first.metrics, ...rest.metrics]).toEqual(whole.metrics);
      expect([...first.evaluations, ...rest.evaluations]).toEqual(whole.evaluations);
      expect(other.bought).toEqual(mine.bought);
      expect(other.transitions).toEqual(mine.transitions);
      if (isDynamic) expect(mine.transitions.length).toBeGreaterThan(10);
      expect(Object.keys(whole.state.methods).sort()).toEqual(
        Object.keys(Methods.open(use, eager, contextOf(ids)).save()).sort(),
      );
    },
  );
});

const model = tinyModel(4);
const home = mkdtempSync(join(tmpdir(), 'pivottrace-train-'));
const policies: Policy[] = [];
afterAll(async () => {
  for (const policy of policies) await policy.close();
  rmSync(home, { recursive: true, force: true });
  model.remove();
});

function startPolicy(lr = 0.01, lora: LoraSettings | null = null): Policy {
  const base = { name: model.directory, revision: null };
  const policy = new Policy({
    model: model.directory,
    adapter: lora && { settings: lora, seed: 5, base },
    engine: { provider: 'cpu', threads: 1 },
    batchSize: 8,
    chat: 'auto',
    optimizer: {
      ...{ lr, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0, maxGradNorm: 1 },
      ...{ warmupSteps: 0, schedule: 'constant', totalSteps: 100, minLrRatio: 0.1 },
    },
    tokensPerMicroBatch: 512,
  });
  policies.push(policy);
  return policy;
}

/** Right is a response that holds the label; responses vote with whether they hold an "o". */
const judge: Judge = {
  name: 'contains',
  candidates: (text) => [
    { text: text.includes('o') ? 'o' : 'none', start: 0, end: 0, mark: 'whole' },
  ],
  read: (answer) => ({ key: answer, bucket: answer, kind: 'text', shown: answer }),
  compare: (gold, answer) => {
    const verdict = answer.includes(gold) ? 'right' : 'wrong';
    return { verdict, reason: 'it does or not', rung: 'only' };
  },
  verify: (gold, text) => judge.compare(gold, text),
};
const contains = inline(judge);

interface Setup {
  /** The adapter that is trained; all weights where there is none. */
  lora?: LoraSettings;
  settings: TrainSettings;
  use: readonly string[];
  schedule(saved: unknown): Schedule;
}

/** Runs to the end, or until `stopAfter` steps were made, from the newest checkpoint of `name`. */
async function run(name: string, setup: Setup, books: Books, policy: Policy, stopAfter = Infinity) {
  const directory = RunDirectory.open(join(home, name), setup.settings);
  const checkpoint = directory.latest();
  directory.rewind(checkpoint?.state.step ?? null);
  if (checkpoint !== null) {
    await policy.load(checkpoint.directory);
    await policy.loadOptimizer(join(checkpoint.directory, 'optimizer.safetensors'));
    await policy.loadTeacher(join(checkpoint.directory, 'teacher.safetensors'));
  }
  const state = checkpoint?.state ?? structuredClone(FRESH);
  const stop = new AbortController();
  if (stopAfter === 0) stop.abort();
  const context = { ...contextOf(ids, setup.settings), verifierOf: () => contains };
  const { job } = loopOf({ ids, books });
  await train(
    {
      ...job,
      ...{ policy, settings: setup.settings, stop: stop.signal },
      schedule: setup.schedule(state.schedule),
      methods: Methods.open(setup.use, {}, context, state.methods),
      verifiers: { of: () => contains },
      verifierOf: () => contains,
      events: {
        asked: () => undefined,
        stepDone: (metrics) => {
          directory.append('metrics', metrics);
          if (metrics.step === stopAfter) stop.abort();
        },
        evaluated: (evaluation) => directory.append('evaluations', evaluation),
      },
      checkpoint: (at) =>
        directory.checkpoint(at, 5, async (folder) => {
          await policy.save(folder, true);
          await policy.saveOptimizer(join(folder, 'optimizer.safetensors'));
          await policy.saveTeacher(join(folder, 'teacher.safetensors'));
        }),
    },
    state,
  );
  return directory;
}

const fileOf = (run: RunDirectory, step: number, name: string) =>
  readFileSync(join(run.path, `checkpoint-${step}`, name));
const metricsOf = (run: RunDirectory) => run.read('metrics') as StepMetrics[];

const settings: TrainSettings = { ...SETTINGS, groupSize: 4, evalSamples: 1 };
const adapter: LoraSettings = { rank: 4, alpha: 32, targets: loraTargets, rslora: false };
const setups: Record<string, Setup> = {
  'fixed routes, KL, two epochs of two updates': {
    settings: { ...settings, kl: 0.05, epochs: 2, updatesPerEpoch: 2 },
    use: ['dapo'],
    schedule: fixed,
  },
  'the scheduler, traces, methods that remember and a teacher': {
    settings,
    use: ['care', 'olr', 'trapo', 'clip_higher', 'co_rewarding'],
    schedule: dynamic,
  },
  'an adapter, with KL to the weights without it and a teacher': {
    lora: adapter,
    settings: { ...settings, kl: 0.05, average: 0.5 },
    use: ['dapo'],
    schedule: fixed,
  },
};

describe.each(Object.entries(setups))('with a model: %s', (name, setup) => {
  const isDynamic = setup.schedule === dynamic;
  const [books, other] = [new Books(), new Books()].map((one) => one.own(owned(isDynamic)));
  let whole: RunDirectory;
  let stopped: RunDirectory;
  beforeAll(async () => {
    const policy = () => startPolicy(0.01, setup.lora);
    whole = await run(`${name} whole`, setup, books, policy());
    const cut = run(`${name} cut`, setup, other, policy(), 2);
    await expect(cut).rejects.toThrow(Interrupted);
    stopped = await run(`${name} cut`, setup, other, policy());
  }, 240_000);

  it('gives the same weights, optimizer, teacher and state, bit for bit', () => {
    const hasTeacher = isDynamic || setup.settings.average > 0;
    const teacher = hasTeacher ? ['teacher.safetensors'] : [];
    const weights = setup.lora === undefined ? 'model.safetensors' : 'adapter_model.safetensors';
    for (const file of [weights, 'optimizer.safetensors', 'state.json', ...teacher]) {
      expect(fileOf(stopped, 4, file).equals(fileOf(whole, 4, file)), file).toBe(true);
    }
    for (const file of [weights, ...teacher]) {
      const [before, after] = [2, 4].map((step) => fileOf(whole, step, file));
      expect(after.equals(before)).toBe(false);
    }
  });

  it('logs the same metrics and evaluations, each once', () => {
    expect(metricsOf(stopped)).toEqual(metricsOf(whole));
    expect(metricsOf(whole).map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    const evaluations = whole.read('evaluations');
    expect(stopped.read('evaluations')).toEqual(evaluations);
    expect(evaluations).toMatchObject([
      { step: 0, greedy: expect.any(Number), rollouts: 0 },
      { step: 2, greedy: null },
      { step: 4, greedy: expect.any(Number) },
    ]);
  });

  it('says in its metrics what it did', () => {
    let rollouts = 0;
    for (const one of metricsOf(whole)) {
      const seconds = one.rollouts - rollouts - 4 * one.groups;
      rollouts = one.rollouts;
      // Second opinions, of a group's size, for those without a label when it was drawn.
      expect(seconds % 4).toBe(0);
      expect(seconds / 4).toBeLessThanOrEqual(isDynamic ? one.groups : 0);
      expect(one.groups_verified + one.groups_majority).toBe(one.groups);
      expect(one['completions/mean_length']).toBeLessThanOrEqual(4);
      if (!isDynamic) expect(one.kl).toBeGreaterThan(one.step === 1 ? -1e-6 : 1e-6);
    }
    expect(metricsOf(whole).some((one) => one.grad_norm > 0)).toBe(true);
    expect(metricsOf(whole).some((one) => one.groups_verified > 0)).toBe(true);
    expect(metricsOf(whole).some((one) => one.groups_majority > 0)).toBe(true);
  });

  it('buys and moves the same', () => {
    expect(other.bought).toEqual(books.bought);
    expect(other.transitions).toEqual(books.transitions);
    if (isDynamic) expect(books.transitions.length).toBeGreaterThan(0);
    expect(metricsOf(whole)[3].labels_used).toBe(books.bought.size);
  });
});

describe('with a model', () => {
  const labelled: Setup = {
    ...{ settings, use: [] },
    schedule: () => shuffledSchedule(new Map(ids.map((id) => [id, 'label'])), 1),
  };

  it.each([
    ['all weights', null],
    ['an adapter', adapter],
  ])(
    'learns what is rewarded: %s',
    async (what, lora) => {
      const learning = { ...settings, steps: 10, groupSize: 8, evalEvery: 10, evalSamples: 8 };
      const setup = { ...labelled, settings: { ...learning, checkpointEvery: 10 } };
      const books = new Books().own(ids);
      const directory = await run(`learn ${what}`, setup, books, startPolicy(0.02, lora));
      const rewards = metricsOf(directory).map(({ reward }) => reward);
      expect(rewards[9]).toBeGreaterThan(rewards[0] + 0.2);
      const [before, after] = directory.read('evaluations') as { average: number }[];
      expect(after.average).toBeGreaterThan(before.average + 0.2);
    },
    240_000,
  );

  it('keeps no checkpoint of a run that was stopped before its first step', async () => {
    const policy = startPolicy();
    const setup = { ...labelled, settings: { ...settings, steps: 1 } };
    const books = new Books().own(ids);
    await expect(run('early', setup, books, policy, 0)).rejects.toThrow(Interrupted);
    const directory = await run('early', setup, books, policy);
    expect(directory.read('evaluations')).toMatchObject([{ step: 0 }, { step: 1 }]);
  }, 240_000);
});
