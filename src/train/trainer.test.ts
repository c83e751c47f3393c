/** The loop on a tiny random model in its thread, with stub ports: stop and go on, replace, route, learn. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyModel } from '../../test/reference/tiny-directory.ts';
import { Interrupted } from '../core/errors.ts';
import { silent } from '../core/progress.ts';
import type { Prompt } from '../pool/types.ts';
import { planTriage } from '../triage/plan.ts';
import { drawProbes } from '../triage/probes.ts';
import { rankPool } from '../triage/ranking.ts';
import { simulatedPool } from '../triage/simulated.ts';
import type { Transition } from '../triage/types.ts';
import { inline } from '../verify/testing/inline.ts';
import type { Judge } from '../verify/types.ts';
import { Policy } from './policy.ts';
import { RunDirectory } from './run-directory.ts';
import { routedSchedule, type Schedule, shuffledSchedule } from './schedule.ts';
import { type TrainJob, train } from './trainer.ts';
import type { StepMetrics, TrainPorts, TrainSettings, TrainState } from './types.ts';

const model = tinyModel(4);
const home = mkdtempSync(join(tmpdir(), 'pivottrace-train-'));
const policies: Policy[] = [];
afterAll(async () => {
  for (const policy of policies) await policy.close();
  rmSync(home, { recursive: true, force: true });
  model.remove();
});

function startPolicy(lr = 0.01): Policy {
  const policy = new Policy({
    model: model.directory,
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

/**
 * Right is a response that holds the label, and with the label "?" nobody knows; responses vote with whether they hold
 * an "o".
 */
const judge: Judge = {
  name: 'contains',
  candidates: (text) => [
    { text: text.includes('o') ? 'o' : 'none', start: 0, end: 0, mark: 'whole' },
  ],
  read: (answer) => ({ key: answer, bucket: answer, kind: 'text', shown: answer }),
  compare: (gold, answer) => {
    if (gold === '?') return { verdict: 'undecided', reason: 'nobody knows', rung: 'only' };
    const verdict = answer.includes(gold) ? 'right' : 'wrong';
    return { verdict, reason: 'it does or not', rung: 'only' };
  },
  verify: (gold, text) => judge.compare(gold, text),
};
const verifier = inline(judge);

const pool = simulatedPool(40, 1);
const ids = pool.column.scores.map(({ promptId }) => promptId);
const prompts = new Map(
  ids.map((id, i): [string, Prompt] => [
    id,
    { id, prompt: `what is ${i} + ${i * 7} ?`, source: 'test', metadata: {} },
  ]),
);

const SETTINGS: TrainSettings = {
  ...{ steps: 4, promptsPerStep: 4, groupSize: 4, epochs: 1, updatesPerEpoch: 1 },
  ...{ clipLow: 0.2, clipHigh: 0.28, kl: 0, loss: 'token', advantage: 'std' },
  ...{ minVoteShare: 0, undecided: 'zero', selfWeight: 0.5, resampleRounds: 1 },
  ...{ evalEvery: 2, evalSamples: 1, greedyEvery: 0, checkpointEvery: 2, seed: 1 },
};

/** What the database would hold: labels with the step of their purchase, and transitions by key. */
class Books {
  readonly bought = new Map<string, number>();
  readonly transitions = new Map<string, Transition>();

  ports(answer = 'o'): TrainPorts {
    const { bought } = this;
    const labels = (wanted: readonly string[]) => new Map(wanted.map((id) => [id, answer]));
    return {
      arrived: async (step) =>
        labels([...bought.keys()].filter((id) => (bought.get(id) ?? 0) <= step)),
      request: async (wanted, step) => {
        for (const id of wanted) if (!bought.has(id)) bought.set(id, step);
        return labels(wanted);
      },
      spent: async () => bought.size,
      moved: async (moves) => {
        for (const one of moves) {
          this.transitions.set(`${one.promptId} ${one.step} ${one.from} ${one.to}`, one);
        }
      },
    };
  }
}

interface Setup {
  settings: TrainSettings;
  schedule(state: TrainState): Schedule;
  tracing: TrainJob['tracing'];
}

/** Runs to the end, or until `stopAfter` steps were made, from the newest checkpoint of `name`. */
async function run(name: string, setup: Setup, books: Books, policy: Policy, stopAfter = Infinity) {
  const directory = RunDirectory.open(join(home, name), setup.settings);
  const checkpoint = directory.latest();
  directory.rewind(checkpoint?.state.step ?? null);
  if (checkpoint !== null) {
    await policy.load(checkpoint.directory);
    await policy.loadOptimizer(join(checkpoint.directory, 'optimizer.safetensors'));
  }
  const fresh = { step: 0, cursor: 0, rollouts: 0, tokens: 0, seconds: 0, labels: 0, router: null };
  const state = checkpoint?.state ?? fresh;
  const stop = new AbortController();
  if (stopAfter === 0) stop.abort();
  const job: TrainJob = {
    policy,
    settings: setup.settings,
    schedule: setup.schedule(state),
    prompts,
    evalItems: ids
      .slice(0, 4)
      .map((id) => ({ id, prompt: prompts.get(id)?.prompt ?? '', answer: 'o', source: 't' })),
    sampling: {
      ...{ temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 4, stop: [], seed: 1 },
      longPrompts: 'refuse',
    },
    verifiers: { of: () => verifier },
    verifierOf: () => verifier,
    ports: books.ports(),
    events: {
      asked: (questions) => {
        for (const question of questions) directory.append('questions', question);
      },
      stepDone: (metrics) => {
        directory.append('metrics', metrics);
        if (metrics.step === stopAfter) stop.abort();
      },
      evaluated: (evaluation) => directory.append('evaluations', evaluation),
    },
    tracing: setup.tracing,
    progress: silent,
    stop: stop.signal,
    checkpoint: (at) =>
      directory.checkpoint(at, 5, async (folder) => {
        await policy.save(folder, true);
        await policy.saveOptimizer(join(folder, 'optimizer.safetensors'));
      }),
    clock: () => 0,
  };
  await train(job, state);
  return directory;
}

const fileOf = (run: RunDirectory, step: number, name: string) =>
  readFileSync(join(run.path, `checkpoint-${step}`, name));
const metricsOf = (run: RunDirectory) => run.read('metrics') as StepMetrics[];

const targets = new Map(
  ids.slice(0, 24).map((id, i) => [id, i % 3 === 0 ? 'vote' : 'label'] as const),
);
const plan = planTriage({
  name: 'main',
  scores: pool.column,
  probes: pool.probe(drawProbes(rankPool(pool.column), 0.1)),
  settings: { resamples: 20 },
});

const fixed: Setup = {
  settings: { ...SETTINGS, kl: 0.05, epochs: 2, updatesPerEpoch: 2 },
  schedule: () => shuffledSchedule(targets, 1),
  tracing: null,
};
const dynamic: Setup = {
  settings: SETTINGS,
  schedule: ({ router }) =>
    routedSchedule(
      plan,
      { labels: 30, warmupSteps: 0 } as Parameters<typeof routedSchedule>[1],
      1,
      router,
    ),
  tracing: {
    request: {
      heads: [
        { layer: 0, head: 1 },
        { layer: 1, head: 2 },
      ],
      ...{ signals: ['distance'], delta: 2, window: 16, sinks: 1 },
    },
    score: async (_id, responses) => {
      const values = responses.flatMap(({ trace }) => [...(trace?.signals.distance ?? [])]);
      return values.reduce((a, b) => a + b, 0) / values.length;
    },
  },
};
/** Labels that are there before training. */
function booksOf(setup: Setup): Books {
  const books = new Books();
  const owned =
    setup === fixed
      ? targets.keys()
      : plan.decisions.filter(({ probe }) => probe).map(({ promptId }) => promptId);
  for (const id of owned) books.bought.set(id, 0);
  return books;
}

describe.each([
  ['fixed routes, KL, two epochs of two updates', 'fixed', fixed],
  ['dynamic routing', 'dynamic', dynamic],
])('a run that is stopped and goes on: %s', (_what, name, setup) => {
  let whole: RunDirectory;
  let stopped: RunDirectory;
  const books = booksOf(setup);
  const other = booksOf(setup);
  beforeAll(async () => {
    whole = await run(`${name}-whole`, setup, books, startPolicy());
    const cut = run(`${name}-cut`, setup, other, startPolicy(), 2);
    await expect(cut).rejects.toThrow(Interrupted);
    stopped = await run(`${name}-cut`, setup, other, startPolicy());
  }, 240_000);

  it('gives the same weights, optimizer and state, bit for bit', () => {
    for (const file of ['model.safetensors', 'optimizer.safetensors', 'state.json']) {
      expect(fileOf(stopped, 4, file).equals(fileOf(whole, 4, file)), file).toBe(true);
    }
    const [before, after] = [2, 4].map((step) => fileOf(whole, step, 'model.safetensors'));
    expect(after.equals(before)).toBe(false);
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
      rollouts += one.groups * SETTINGS.groupSize;
      expect(one.rollouts).toBe(rollouts);
      expect(one.groups_verified + one.groups_majority).toBe(one.groups);
      expect(one.grad_norm).toBeGreaterThan(0);
      expect(one['completions/mean_length']).toBeLessThanOrEqual(4);
      if (name === 'fixed') expect(one.kl).toBeGreaterThan(one.step === 1 ? -1e-6 : 1e-6);
    }
    expect(metricsOf(whole).some(({ groups_verified }) => groups_verified > 0)).toBe(true);
    expect(metricsOf(whole).some(({ groups_majority }) => groups_majority > 0)).toBe(true);
  });

  it('buys and moves the same', () => {
    expect(other.bought).toEqual(books.bought);
    expect([...other.transitions.keys()]).toEqual([...books.transitions.keys()]);
    if (name === 'dynamic') expect(books.transitions.size).toBeGreaterThan(0);
    expect(metricsOf(whole)[3].labels_used).toBe(books.bought.size);
  });
});

describe('on one policy', () => {
  const always = (answer: string) => ({
    ...new Books().ports(),
    arrived: async () => new Map(ids.map((id) => [id, answer])),
  });
  class Owning extends Books {
    private readonly answer: string;
    constructor(answer: string) {
      super();
      this.answer = answer;
    }
    override ports(): TrainPorts {
      return always(this.answer);
    }
  }
  const labelled: Setup = {
    settings: SETTINGS,
    schedule: () => shuffledSchedule(new Map(ids.map((id) => [id, 'label'])), 1),
    tracing: null,
  };

  it('counts groups without a gradient and replaces them as often as it may', async () => {
    const policy = startPolicy();
    // Every response holds the empty string: all are right, nothing is to be learned.
    const settings = { ...SETTINGS, steps: 1, evalEvery: 0 };
    for (const [rounds, groups] of [
      [0, 4],
      [2, 12],
    ]) {
      const setup = { ...labelled, settings: { ...settings, resampleRounds: rounds } };
      const directory = await run(`same-${rounds}`, setup, new Owning(''), policy);
      expect(metricsOf(directory)).toMatchObject([
        { groups, groups_replaced: groups - 4, frac_reward_zero_std: 1, reward: 1, grad_norm: 0 },
      ]);
      expect(directory.latest()?.state).toMatchObject({ cursor: groups, rollouts: 4 * groups });
    }
  });

  it('asks a person about what it cannot judge, and rewards none of it', async () => {
    const settings: TrainSettings = { ...SETTINGS, steps: 1, undecided: 'ask', resampleRounds: 0 };
    const directory = await run('ask', { ...labelled, settings }, new Owning('?'), startPolicy());
    expect(metricsOf(directory)).toMatchObject([{ groups_without_reward: 4, grad_norm: 0 }]);
    const questions = directory.read('questions');
    expect(questions).toHaveLength(16);
    expect(questions[0]).toMatchObject({
      step: 1,
      gold: '?',
      reason: 'nobody knows',
      rung: 'only',
    });
    directory.rewind(0);
    expect(directory.read('questions')).toEqual([]);
  });

  it('verifies from the first step on what the plan has bought', async () => {
    const settings = { ...SETTINGS, steps: 1, promptsPerStep: 12, resampleRounds: 0, evalEvery: 0 };
    const schedule = dynamic.schedule({ router: null } as TrainState);
    const states = schedule.router?.states() ?? new Map();
    const drawn = schedule.draw(1, 0, 12).map((id) => states.get(id));
    expect(drawn).toContain('annotate');
    const bought = drawn.filter((state) => state === 'annotate' || state === 'annotated');
    const directory = await run('plan', { ...dynamic, settings }, new Owning('o'), startPolicy());
    expect(metricsOf(directory)[0].groups_verified).toBe(bought.length);
  });

  it('learns what is rewarded', async () => {
    const settings = {
      ...SETTINGS,
      steps: 10,
      groupSize: 8,
      evalEvery: 10,
      evalSamples: 8,
      checkpointEvery: 10,
    };
    const directory = await run(
      'learn',
      { ...labelled, settings },
      new Owning('o'),
      startPolicy(0.02),
    );
    const rewards = metricsOf(directory).map(({ reward }) => reward);
    expect(rewards[9]).toBeGreaterThan(rewards[0] + 0.2);
    const [before, after] = directory.read('evaluations') as { average: number }[];
    expect(after.average).toBeGreaterThan(before.average + 0.2);
  });

  it('keeps no checkpoint of a run that was stopped before its first step', async () => {
    const policy = startPolicy();
    const settings = { ...SETTINGS, steps: 1 };
    const books = new Owning('o');
    const cut = run('early', { ...labelled, settings }, books, policy, 0);
    await expect(cut).rejects.toThrow(Interrupted);
    const directory = await run('early', { ...labelled, settings }, books, policy);
    expect(directory.read('evaluations')).toMatchObject([{ step: 0 }, { step: 1 }]);
  });
});
