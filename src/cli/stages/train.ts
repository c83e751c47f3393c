/** One training run: what the configuration says, wired to the store, the label desk and a run directory. */
import { join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import type { Progress } from '../../core/progress.ts';
import type { OptimizerSettings } from '../../engine/adamw.ts';
import { Methods } from '../../method/methods.ts';
import { isText } from '../../pool/content.ts';
import { readPool } from '../../pool/read.ts';
import type { Store } from '../../store/types.ts';
import type { Policy } from '../../train/policy.ts';
import { RunDirectory } from '../../train/run-directory.ts';
import { type TrainJob, train } from '../../train/trainer.ts';
import type { EvalItem, TrainSettings, TrainState } from '../../train/types.ts';
import type { Verifiers } from '../../verify/verifiers.ts';
import type { Config } from '../config.ts';
import { labelAccount } from './labels.ts';
import { modelIdentity } from './model-identity.ts';
import { leftOutText, poolPrompts } from './observations.ts';
import { samplingOf, startPolicy } from './policy.ts';
import { followsPlan, planName, scheduleOf } from './schedule.ts';
import { profileBatch } from './trace.ts';
import { openRunLabels, type RunLabels } from './train-labels.ts';
import { verifierByPrompt } from './workspace.ts';

export interface TrainStage {
  store: Store;
  config: Config;
  verifiers: Pick<Verifiers, 'of'>;
  progress: Progress;
  stop: AbortSignal;
  /** Policies that run at the same time as this one. */
  sharing: number;
  /** Says a sentence to the person. Default: nothing. */
  note?: (sentence: string) => void;
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
  const { store, config, verifiers, progress, stop, note = () => {} } = stage;
  const run = runName(config);
  const settings = { ...settled(config), model_sha256: await modelIdentity(config.model) };
  const directory = RunDirectory.open(runPath(config), settings);
  const checkpoint = directory.latest();
  directory.rewind(checkpoint?.state.step ?? null);
  const record = {
    name: run,
    kind: `train ${config.train.arm}`,
    plan: followsPlan(config) ? planName(config) : null,
    account: accountOf(config),
    config: settings,
    summary: null,
  };
  await store.runs.put({ ...record, status: 'running' });
  const policy = startPolicy(config, { sharing: stage.sharing, optimizer: optimizerOf(config) });
  let labels: RunLabels | undefined;
  try {
    labels = await openRunLabels({
      ...{ store, config, account: accountOf(config), run, folder: directory.path },
      ...{ verifiers, progress, stop, note },
    });
    const state = checkpoint?.state ?? structuredClone(FRESH);
    // The schedule looks at prompts with the weights that the run began with: before a checkpoint's are loaded.
    const job = await jobOf(stage, labels, policy, directory, state);
    if (checkpoint !== null) {
      await policy.load(checkpoint.directory);
      await policy.loadOptimizer(join(checkpoint.directory, 'optimizer.safetensors'));
      await policy.loadTeacher(join(checkpoint.directory, 'teacher.safetensors'));
    }
    const leftOut = await leftOutText(store);
    if (leftOut !== null) note(leftOut);
    const done = await train(job, state);
    const by = job.settings.average > 0 ? 'teacher' : 'policy';
    await policy.save(join(directory.path, 'final'), false, by);
    const { rank, merge } = config.train.lora;
    if (rank > 0 && merge) await policy.saveMerged(join(directory.path, 'merged'), by);
    const { schedule: _, methods: __, seconds: ___, ...summary } = done;
    await store.runs.put({ ...record, status: 'done', summary });
    return { run, directory: directory.path, state: done };
  } catch (error) {
    const stopped = stop.aborted;
    await store.runs.put({ ...record, status: stopped ? 'stopped' : 'failed' });
    throw error;
  } finally {
    await policy.close();
    await labels?.close();
  }
}

/** What determines a run's result; where it runs and what is kept of it do not. */
function settled(config: Config): Record<string, unknown> {
  const { train: trained, ...rest } = config;
  const { keep: _, checkpoint_every: __, lora, ...own } = trained;
  const { merge: ___, ...adapter } = lora;
  const { seed, rollout, trace, verify, triage } = rest;
  const methods = Object.fromEntries(own.methods.map((name) => [name, rest.methods[name]]));
  return {
    ...{ seed, rollout, trace, verify, triage, ...labelling(config) },
    ...{ train: lora.rank === 0 ? own : { ...own, lora: adapter }, methods, eval: rest.eval },
  };
}

/** How long a person is waited for may change while a run is stopped; who answers may not. */
function labelling({ label, teacher }: Config): Record<string, unknown> {
  const { source, when_missing: _, wait_minutes: __, ...rest } = label;
  const { spot_check: ___, images: ____, ...file } = rest;
  if (source === 'file') return { label: file };
  const { model, name, samples, temperature, max_tokens, instruction } = teacher;
  const own = { model, name, samples, temperature, max_tokens, instruction };
  return { label: { source, ...file }, ...(source === 'teacher' ? { teacher: own } : {}) };
}

/** A run that follows a plan uses what the plan bought; others have accounts of their own, and one without labels always. */
function accountOf(config: Config): string {
  if (config.train.arm === 'majority') return `run ${runName(config)}`;
  if (config.label.account !== null) return config.label.account;
  // The desk is open for one account: what a run asks of people must be there, whatever it starts from.
  if (config.label.source !== 'file' && !followsPlan(config)) return labelAccount(config);
  if (followsPlan(config))
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
  schedule: null,
  methods: {},
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
    maxRollouts: t.max_rollouts,
    promptsPerStep: t.prompts_per_step,
    groupSize: t.group_size,
    epochs: t.epochs,
    updatesPerEpoch: t.updates_per_epoch,
    clipLow: t.clip_low,
    clipHigh: t.clip_high,
    kl: t.kl,
    loss: t.loss,
    advantage: t.advantage,
    average: t.average,
    minVoteShare: t.min_vote_share,
    undecided: t.undecided,
    selfWeight: t.self_weight,
    evalEvery: e.every,
    evalAtStart: e.at_start,
    evalSamples: e.samples,
    greedyEvery: e.greedy_every,
    checkpointEvery: t.checkpoint_every,
    seed,
  };
}

async function jobOf(
  { store, config, verifiers, stop }: TrainStage,
  { desk, live, ports, progress, clock }: RunLabels,
  policy: Policy,
  directory: RunDirectory,
  state: TrainState,
): Promise<TrainJob> {
  const prompts = new Map((await poolPrompts(store)).map((prompt) => [prompt.id, prompt]));
  const verifierOf = verifierByPrompt(verifiers, prompts.values());
  const methods = Methods.open(
    config.train.methods,
    config.methods,
    {
      ...{ seed: config.seed, groupSize: config.train.group_size, prompts, verifierOf },
      minVoteShare: config.train.min_vote_share,
      represent: async (responses) => {
        const texts = responses.map(({ promptTokens, tokens }) => ({
          tokens: Int32Array.from([...promptTokens, ...tokens]),
          from: promptTokens.length,
        }));
        return (await policy.represent(texts, 'last')).map(({ mean }) => mean);
      },
    },
    state.methods,
  );
  if (methods.teacherDecay !== null && config.train.average > 0) {
    throw new UserError({
      wanted: 'one moving average of the weights',
      found: `train.average = ${config.train.average}, and a method with a teacher`,
      where: `train.methods = ${config.train.methods.join(', ')}`,
      fix: 'Set train.average=0.',
    });
  }
  const schedule = await scheduleOf({
    ...{ store, config, desk, live, prompts, verifierOf, policy },
    profile: async () => {
      const batch = await profileBatch({ config, policy, progress }, [...prompts.values()]);
      if (state.step === 0) {
        state.rollouts += batch.traces.length;
        state.tokens += batch.tokens;
      }
      return batch;
    },
    saved: state.schedule,
  });
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
    methods,
    prompts,
    evalItems: items,
    sampling: samplingOf(config),
    verifiers,
    verifierOf,
    ports,
    events: {
      asked: (questions) => {
        for (const { promptId, ...rest } of questions)
          directory.append('questions', { ...rest, prompt_id: promptId });
      },
      stepDone: (metrics) => directory.append('metrics', metrics),
      evaluated: ({ perPrompt, ...rest }) =>
        directory.append('evaluations', { ...rest, per_prompt: perPrompt }),
    },
    progress,
    stop,
    checkpoint: (at) =>
      directory.checkpoint(at, config.train.keep, async (folder) => {
        await policy.save(folder, true);
        await policy.saveOptimizer(join(folder, 'optimizer.safetensors'));
        await policy.saveTeacher(join(folder, 'teacher.safetensors'));
      }),
    clock,
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
    if (!isText(entry.prompt)) {
      throw new UserError({
        wanted: 'held-out prompts of text, which models here can read',
        found: 'one that holds an image',
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
