/** One training run: what the configuration says, wired to the store, the label desk and a run directory. */
import { join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import type { Progress } from '../../core/progress.ts';
import type { OptimizerSettings } from '../../engine/adamw.ts';
import type { LabelDesk } from '../../label/types.ts';
import { readPool } from '../../pool/read.ts';
import type { VerifierOf } from '../../reward/types.ts';
import type { Store } from '../../store/types.ts';
import { summarisePivots, traceChanges } from '../../trace/index.ts';
import { completeTrace, traceRequest } from '../../trace/request.ts';
import type { Policy, Response } from '../../train/policy.ts';
import { RunDirectory } from '../../train/run-directory.ts';
import { routedSchedule, type Schedule, shuffledSchedule } from '../../train/schedule.ts';
import { type TrainJob, train } from '../../train/trainer.ts';
import type { Arm, EvalItem, TrainPorts, TrainSettings, TrainState } from '../../train/types.ts';
import { defaultDynamicSettings } from '../../triage/dynamic.ts';
import { estimatorByName } from '../../uncertainty/registry.ts';
import type { Verifiers } from '../../verify/verifiers.ts';
import type { Config } from '../config.ts';
import { labelAccount, labelDesk, savedPlan } from './labels.ts';
import { modelIdentity } from './model-identity.ts';
import { traceManifest } from './observations.ts';
import { samplingOf, startPolicy } from './policy.ts';
import { boiledDown, classified, keptSignals } from './trace.ts';
import { verifierByPrompt } from './workspace.ts';

export interface TrainStage {
  store: Store;
  config: Config;
  verifiers: Pick<Verifiers, 'of'>;
  progress: Progress;
  stop: AbortSignal;
  /** Policies that run at the same time as this one. */
  sharing: number;
}

export interface TrainOutcome {
  run: string;
  directory: string;
  state: TrainState;
}

/** Name of the run that the configuration describes. */
export function runName({ train: settings }: Config): string {
  return settings.run ?? settings.arm;
}

export function runPath(config: Config): string {
  return join(config.workspace, 'runs', runName(config));
}

/** Trains to the end, from the newest checkpoint if there is one, and saves the policy under `final`. */
export async function trainRun(stage: TrainStage): Promise<TrainOutcome> {
  const { store, config } = stage;
  const run = runName(config);
  const settings = { ...settled(config), model_sha256: await modelIdentity(config.model) };
  const directory = RunDirectory.open(runPath(config), settings);
  const checkpoint = directory.latest();
  directory.rewind(checkpoint?.state.step ?? null);
  const record = {
    name: run,
    kind: `train ${config.train.arm}`,
    plan: config.train.arm === 'pivottrace' ? planName(config) : null,
    account: accountOf(config),
    config: settings,
    summary: null,
  };
  await store.runs.put({ ...record, status: 'running' });
  const policy = startPolicy(config, { sharing: stage.sharing, optimizer: optimizerOf(config) });
  try {
    if (checkpoint !== null) {
      await policy.load(checkpoint.directory);
      await policy.loadOptimizer(join(checkpoint.directory, 'optimizer.safetensors'));
    }
    const state = checkpoint?.state ?? { ...FRESH };
    const job = await jobOf(stage, policy, directory, state);
    const done = await train(job, state);
    await policy.save(join(directory.path, 'final'), false);
    const { router: _, seconds: __, ...summary } = done;
    await store.runs.put({ ...record, status: 'done', summary });
    return { run, directory: directory.path, state: done };
  } catch (error) {
    const stopped = stage.stop.aborted;
    await store.runs.put({ ...record, status: stopped ? 'stopped' : 'failed' });
    throw error;
  } finally {
    await policy.close();
  }
}

/** What determines a run's result; where it runs and what is kept of it do not. */
function settled(config: Config): Record<string, unknown> {
  const { train: trained, ...rest } = config;
  const { keep: _, checkpoint_every: __, ...own } = trained;
  const { seed, rollout, trace, verify, triage, label } = rest;
  return { seed, rollout, trace, verify, triage, label, train: own, eval: rest.eval };
}

function planName({ train: settings, triage }: Config): string {
  return settings.plan ?? triage.plan;
}

/** A run that follows a plan uses what the plan bought; others have accounts of their own. */
function accountOf(config: Config): string {
  if (config.label.account !== null) return config.label.account;
  if (config.train.arm === 'pivottrace')
    return labelAccount({ ...config, triage: { ...config.triage, plan: planName(config) } });
  return `run ${runName(config)}`;
}

/** Counters of training alone: the report adds what scoring and probing cost before it. */
const FRESH: Readonly<TrainState> = {
  step: 0,
  cursor: 0,
  rollouts: 0,
  tokens: 0,
  seconds: 0,
  labels: 0,
  router: null,
};

function optimizerOf({ train: t }: Config): OptimizerSettings {
  return {
    lr: t.lr,
    beta1: t.betas[0],
    beta2: t.betas[1],
    eps: 1e-8,
    weightDecay: t.weight_decay,
    maxGradNorm: t.grad_clip,
    warmupSteps: t.warmup_steps,
    schedule: t.schedule,
    totalSteps: t.steps * t.epochs * t.updates_per_epoch,
    minLrRatio: 0.1,
  };
}

function trainSettings({ train: t, eval: e, seed }: Config): TrainSettings {
  return {
    steps: t.steps,
    promptsPerStep: t.prompts_per_step,
    groupSize: t.group_size,
    epochs: t.epochs,
    updatesPerEpoch: t.updates_per_epoch,
    clipLow: t.clip_low,
    clipHigh: t.clip_high,
    kl: t.kl,
    loss: t.loss,
    advantage: t.advantage,
    minVoteShare: t.min_vote_share,
    undecided: t.undecided,
    selfWeight: t.self_weight,
    resampleRounds: t.resample_rounds,
    evalEvery: e.every,
    evalSamples: e.samples,
    greedyEvery: e.greedy_every,
    checkpointEvery: t.checkpoint_every,
    seed,
  };
}

async function jobOf(
  stage: TrainStage,
  policy: Policy,
  directory: RunDirectory,
  state: TrainState,
): Promise<TrainJob> {
  const { store, config, verifiers, progress, stop } = stage;
  const prompts = new Map((await store.prompts.list()).map((prompt) => [prompt.id, prompt]));
  const desk = await labelDesk(store, config, accountOf(config));
  const verifierOf = verifierByPrompt(verifiers, prompts.values());
  const judged = { ...stage, verifierOf };
  const { schedule, tracing } = await scheduleOf(judged, desk, [...prompts.keys()], state);
  const items = await evalItems(config);
  const asked = [...prompts.values(), ...items];
  await policy.check(
    asked.map(({ id, prompt }) => ({ promptId: id, prompt })),
    samplingOf(config),
  );
  return {
    policy,
    settings: trainSettings(config),
    schedule,
    prompts,
    evalItems: items,
    sampling: samplingOf(config),
    verifiers,
    verifierOf,
    ports: portsOf(store, desk, runName(config)),
    events: {
      asked: (questions) => {
        for (const { promptId, ...rest } of questions)
          directory.append('questions', { ...rest, prompt_id: promptId });
      },
      stepDone: (metrics) => directory.append('metrics', metrics),
      evaluated: ({ perPrompt, ...rest }) =>
        directory.append('evaluations', { ...rest, per_prompt: perPrompt }),
    },
    tracing,
    progress,
    stop,
    checkpoint: (at) =>
      directory.checkpoint(at, config.train.keep, async (folder) => {
        await policy.save(folder, true);
        await policy.saveOptimizer(join(folder, 'optimizer.safetensors'));
      }),
    clock: () => performance.now() / 1000,
  };
}

function portsOf(store: Store, desk: LabelDesk, run: string): TrainPorts {
  const asMap = (labels: readonly { promptId: string; answer: string }[]) =>
    new Map(labels.map(({ promptId, answer }) => [promptId, answer]));
  return {
    arrived: async (step) => asMap(await desk.arrived({ run, step })),
    request: async (ids, step) => asMap(await desk.request(ids, { run, step })),
    spent: (step) => desk.spent({ run, step }),
    moved: async (transitions) => {
      if (transitions.length > 0) await store.transitions.append(transitions);
    },
  };
}

/** The stage with the verifier of each prompt of its pool. */
type JudgedStage = TrainStage & { verifierOf: VerifierOf };

async function scheduleOf(
  stage: JudgedStage,
  desk: LabelDesk,
  pool: readonly string[],
  state: TrainState,
): Promise<{ schedule: Schedule; tracing: TrainJob['tracing'] }> {
  const { store, config } = stage;
  const { arm, dynamic } = config.train;
  if (arm !== 'pivottrace') {
    const target = arm === 'full' ? 'label' : 'vote';
    const labels = arm === 'full' ? await desk.request(pool, { run: null, step: null }) : [];
    const ids = arm === 'full' ? labels.map(({ promptId }) => promptId) : pool;
    const targets: Arm['targets'] = new Map(ids.map((id) => [id, target]));
    return { schedule: shuffledSchedule(requireSome(targets, config), config.seed), tracing: null };
  }
  const { plan } = await savedPlan(store, planName(config));
  if (dynamic.enabled) {
    const labels = dynamic.labels ?? config.label.budget ?? plan.counts.annotate;
    const settings = { ...dynamicSettings(config), labels };
    const schedule = routedSchedule(plan, settings, config.seed, state.router);
    return { schedule, tracing: await tracingOf(stage, plan.estimator) };
  }
  const states = await store.transitions.routes(plan.name);
  const owned = new Set(
    (await desk.arrived({ run: null, step: null })).map(({ promptId }) => promptId),
  );
  const targets = new Map<string, 'label' | 'vote'>();
  for (const id of pool) {
    if (owned.has(id)) targets.set(id, 'label');
    else if (states.get(id) === 'self') targets.set(id, 'vote');
  }
  return { schedule: shuffledSchedule(requireSome(targets, config), config.seed), tracing: null };
}

function requireSome(targets: Arm['targets'], config: Config): Arm['targets'] {
  if (targets.size > 0) return targets;
  throw new UserError({
    wanted: 'prompts to train on',
    found: 'none',
    where: `arm ${config.train.arm}`,
    fix: 'Run `pivottrace triage` and `pivottrace label` first; full supervision needs an answer file (label.answers).',
  });
}

function dynamicSettings({
  train: { dynamic: d },
}: Config): Omit<NonNullable<Arm['dynamic']>, 'labels'> {
  return {
    ...defaultDynamicSettings,
    warmupSteps: d.warmup_steps,
    scoreDecay: d.score_decay,
    thresholdDecay: d.threshold_decay,
    margin: d.margin,
    patience: d.patience,
    masteredVisits: d.mastered_visits,
    agreeShare: d.agree_share,
    disagreeVisits: d.disagree_visits,
    explore: d.explore,
    power: d.power,
    uniform: d.uniform,
  };
}

/** Training rollouts are traced as they are made; a visited prompt's score is the plan's, on its new responses. */
async function tracingOf(
  { store, config, verifierOf }: JudgedStage,
  name: string,
): Promise<TrainJob['tracing']> {
  const manifest = await traceManifest(store, 0);
  const estimator = estimatorByName(name);
  if (manifest === undefined || manifest.tau === null || estimator.needs.labels === true)
    return null;
  const { settings, heads, tau } = manifest;
  const signals = keptSignals(config);
  return {
    request: traceRequest(heads, signals, settings),
    async score(promptId: string, responses: Response[]): Promise<number> {
      const pivots = responses.flatMap(({ trace }) => {
        if (trace === undefined) return [];
        const whole = completeTrace(trace, signals, settings);
        return [summarisePivots(traceChanges(whole, settings), tau, settings.delta)];
      });
      const rollouts = await classified(responses.map(boiledDown), verifierOf(promptId));
      const [score] = estimator.score([{ promptId, rollouts, pivots }], { seed: config.seed });
      return score;
    },
  };
}

/** The held-out questions; none where no file is set. */
export async function evalItems(config: Config): Promise<EvalItem[]> {
  const { file, limit } = config.eval;
  if (file === null) return [];
  const items: EvalItem[] = [];
  for await (const entry of readPool(file, {})) {
    if (entry.kind === 'reject' || entry.answer === undefined) {
      throw new UserError({
        wanted: 'a held-out prompt with its answer in every row',
        found: entry.kind === 'reject' ? entry.reason : 'no answer',
        where: `${entry.at.file}:${entry.at.line}`,
      });
    }
    const { id, prompt, source } = entry.prompt;
    items.push({ id, prompt, answer: entry.answer, source });
  }
  if (limit === null || limit >= items.length) return items;
  const step = items.length / limit;
  return Array.from({ length: limit }, (_, i) => items[Math.floor(i * step)]);
}
