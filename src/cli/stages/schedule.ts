/** Which schedule a run has: fixed targets of its arm, or the scheduler from a plan or from the bare pool. */
import { UserError } from '../../core/errors.ts';
import { plannedWishes } from '../../label/live.ts';
import type { LabelDesk, LiveDesk } from '../../label/types.ts';
import type { Prompt } from '../../pool/types.ts';
import type { VerifierOf } from '../../reward/types.ts';
import type { Response } from '../../rollout/types.ts';
import { principalComponents } from '../../stats/pca.ts';
import type { Store } from '../../store/types.ts';
import { ChangeSketch, summarisePivots, traceChanges } from '../../trace/index.ts';
import { completeTrace, traceRequest } from '../../trace/request.ts';
import type { Head } from '../../trace/types.ts';
import type { Policy } from '../../train/policy.ts';
import {
  type GroupTracing,
  type Schedule,
  scheduled,
  shuffledSchedule,
} from '../../train/schedule.ts';
import type { Targets } from '../../train/types.ts';
import { schedulerStateFromJson } from '../../triage/disk.ts';
import { Scheduler } from '../../triage/scheduler.ts';
import type { SchedulerPrompt, SchedulerSettings } from '../../triage/scheduler-types.ts';
import { labelTransitions, refusalTransitions } from '../../triage/transitions.ts';
import type { Transition, TriagePlan } from '../../triage/types.ts';
import type { PromptObservation } from '../../uncertainty/types.ts';
import type { Config } from '../config.ts';
import { savedPlan } from './labels.ts';
import { observePool, traceManifest } from './observations.ts';
import { measureProbes } from './probes.ts';
import type { ProfileBatch } from './trace-profile.ts';
import { boiledDown, keptSignals, traceSettings } from './trace-record.ts';

/** The share of the pool that may be labelled where nothing else is said (DE-Venus, its split of DAPO-Math-14K). */
const LABEL_SHARE = 0.293;

export interface ScheduleNeeds {
  store: Store;
  config: Config;
  desk: LabelDesk;
  /** The same desk where its labels come in their own time; else null. */
  live: LiveDesk | null;
  prompts: ReadonlyMap<string, Prompt>;
  verifierOf: VerifierOf;
  /** With the weights that the run starts from, whatever it goes on with: beliefs must not depend on a restart. */
  policy: Pick<Policy, 'promptFeatures'>;
  /** Traces all heads on a small batch; called where nothing was traced before. */
  profile(): Promise<ProfileBatch>;
  /** What the schedule of the checkpoint saved; null at the start. */
  saved: unknown;
}

/** The schedule that the configuration asks for. UserError where it has no prompt to train on. */
export async function scheduleOf(needs: ScheduleNeeds): Promise<Schedule> {
  const { arm, dynamic } = needs.config.train;
  if (arm === 'pivottrace' && dynamic.enabled) return await dynamicSchedule(needs);
  const targets = arm === 'pivottrace' ? await plannedTargets(needs) : await armTargets(needs);
  if (targets.size > 0) {
    const schedule = shuffledSchedule(targets, needs.config.seed, needs.live !== null);
    return arm === 'pivottrace' && needs.live !== null ? await recorded(schedule, needs) : schedule;
  }
  throw new UserError({
    wanted: 'prompts to train on',
    found: 'none',
    where: `arm ${arm}`,
    fix: 'Run `pivottrace triage` and `pivottrace label` first; full supervision needs an answer file (label.answers).',
  });
}

/** Whether the run follows a triage plan. */
export function followsPlan({ train }: Config): boolean {
  return train.arm === 'pivottrace' && !(train.dynamic.enabled && train.dynamic.start === 'pool');
}

/** Where the transitions of a run without a plan are filed. */
export function routesOfRun(run: string): string {
  return `run ${run}`;
}

export function planName({ train, triage }: Config): string {
  return train.plan ?? triage.plan;
}

async function armTargets({ config, desk, live, prompts }: ScheduleNeeds): Promise<Targets> {
  const pool = [...prompts.keys()];
  if (config.train.arm === 'majority') return new Map(pool.map((id) => [id, 'vote']));
  if (live !== null) {
    await live.put(plannedWishes(pool), { run: runOf(config), step: null });
    return new Map(pool.map((id) => [id, 'label']));
  }
  const labels = await desk.request(pool, { run: null, step: null });
  return new Map(labels.map(({ promptId }) => [promptId, 'label']));
}

/** As planned. Where labels come in their own time, prompts that wait for one are targets too: it may come. */
async function plannedTargets(needs: ScheduleNeeds): Promise<Targets> {
  const { store, config, desk, live, prompts } = needs;
  const { plan } = await savedPlan(store, planName(config));
  const routes = new Map(plan.decisions.map(({ promptId, route }) => [promptId, route]));
  const owned = new Set(
    (await desk.arrived({ run: null, step: null })).map(({ promptId }) => promptId),
  );
  const targets = new Map<string, 'label' | 'vote'>();
  for (const id of prompts.keys()) {
    if (owned.has(id)) targets.set(id, 'label');
    else if (routes.get(id) === 'self') targets.set(id, 'vote');
    else if (live !== null && routes.get(id) === 'annotate') targets.set(id, 'label');
  }
  // The most uncertain come last in a plan.
  const open = plan.decisions
    .map(({ promptId }) => promptId)
    .filter((id) => targets.get(id) === 'label' && !owned.has(id))
    .reverse();
  await live?.put(plannedWishes(open), { run: runOf(config), step: null });
  return targets;
}

/** A schedule of fixed routes that records what becomes of prompts that waited for a label. */
async function recorded(schedule: Schedule, { store, config }: ScheduleNeeds): Promise<Schedule> {
  const { plan } = await savedPlan(store, planName(config));
  const states = await store.transitions.routes(plan.name);
  const occasion = (step: number) => ({ plan: plan.name, round: plan.round, step });
  const moved = (transitions: Transition[]) => {
    for (const { promptId, to } of transitions) states.set(promptId, to);
    return transitions;
  };
  return {
    ...schedule,
    labelled: (step, ids) => moved(labelTransitions(ids, states, occasion(step))),
    refused: (step, ids) => moved(refusalTransitions(ids, states, occasion(step))),
  };
}

function runOf({ train }: Config): string {
  return train.run ?? train.arm;
}

async function dynamicSchedule(needs: ScheduleNeeds): Promise<Schedule> {
  const { config, prompts, saved } = needs;
  const ids = [...prompts.keys()];
  const fromPlan = followsPlan(config);
  const tracing = config.train.dynamic.trace ? await tracingOf(needs) : null;
  const start = fromPlan ? await fromThePlan(needs, tracing !== null) : null;
  const features = await promptFeatures(needs);
  const begin = ids.map((promptId, i): SchedulerPrompt => {
    const known = start?.prompts.get(promptId);
    return { promptId, features: features[i], state: 'new', ...known };
  });
  const labels =
    config.train.dynamic.labels ??
    config.label.budget ??
    start?.annotate ??
    Math.floor(LABEL_SHARE * ids.length);
  const scheduler = new Scheduler(
    { plan: fromPlan ? planName(config) : routesOfRun(runOf(config)), round: 0 },
    begin,
    { ...schedulerSettings(config), labels },
    saved == null ? undefined : schedulerStateFromJson(saved, 'the checkpoint'),
  );
  return scheduled(scheduler, ids, config.seed, tracing);
}

function schedulerSettings({ train: { dynamic: d } }: Config): Omit<SchedulerSettings, 'labels'> {
  return {
    warmupGroups: d.warmup_groups,
    reach: d.reach,
    noise: d.noise,
    decay: d.decay,
    memory: d.memory,
    power: d.power,
    uniform: d.uniform,
    explore: d.explore,
    agreeShare: d.agree_share,
    leaveBelow: d.leave_below,
    returnAbove: d.return_above,
  };
}

/**
 * Principal components of the prompts' hidden states at the last token under the starting policy. The mean over tokens
 * says less of a prompt's difficulty (docs/reproduction.md).
 */
async function promptFeatures({ config, prompts, policy }: ScheduleNeeds): Promise<Float64Array[]> {
  const pooled = await policy.promptFeatures([...prompts.values()].map(({ prompt }) => prompt));
  const rows = pooled.map(({ last }) => last);
  return principalComponents(rows, config.train.dynamic.features);
}

/** Routes, probes and traces that a plan brings along, by prompt. */
async function fromThePlan(
  { store, config, desk, verifierOf, saved }: ScheduleNeeds,
  traced: boolean,
): Promise<{ annotate: number; prompts: Map<string, Partial<SchedulerPrompt>> }> {
  const { plan } = await savedPlan(store, planName(config));
  const owned = await desk.arrived({ run: null, step: null });
  const isProbe = new Set(plan.decisions.flatMap((one) => (one.probe ? [one.promptId] : [])));
  const labels = owned.filter(({ promptId }) => isProbe.has(promptId));
  const rollouts = await store.rollouts.of(plan.round, [...isProbe]);
  const probes = await measureProbes(labels, rollouts, verifierOf);
  const prompts = new Map<string, Partial<SchedulerPrompt>>();
  const put = (id: string, part: Partial<SchedulerPrompt>) =>
    prompts.set(id, { ...prompts.get(id), ...part });
  // As planned, not as the table of routes has it: a run that begins again must not begin where it had got to.
  for (const { promptId, route } of plan.decisions)
    put(promptId, { state: route === 'annotate' ? 'self' : route });
  for (const { promptId } of owned) put(promptId, { state: 'annotated' });
  if (saved === null) await leaveOpen(store, plan, new Set(owned.map((one) => one.promptId)));
  for (const { promptId, passRate } of probes) {
    const samples = rollouts.filter((one) => one.promptId === promptId).length;
    put(promptId, { probe: { passRate, samples } });
  }
  if (traced) {
    const samples = config.trace.traces_per_prompt;
    for (const one of await observePool(store, plan.round, samples)) {
      if (one.pivots.length > 0 && one.rollouts.length > 0)
        put(one.promptId, { traced: summary(one) });
    }
  }
  return { annotate: plan.counts.annotate, prompts };
}

/** What was planned and not bought stays open: the scheduler buys it when a group disagrees. */
async function leaveOpen(
  store: Store,
  { name, decisions }: TriagePlan,
  owned: ReadonlySet<string>,
): Promise<void> {
  const states = await store.transitions.routes(name);
  const open = decisions
    .filter(({ promptId, route }) => route === 'annotate' && !owned.has(promptId))
    .filter(({ promptId }) => states.get(promptId) === 'annotate');
  await store.transitions.append(
    open.map(({ promptId }) => ({
      promptId,
      from: 'annotate',
      to: 'self',
      rule: 'dynamic:not_bought',
      evidence: {},
      plan: name,
      round: 0,
      step: 0,
    })),
  );
}

/** Numbers that speak of a prompt's difficulty: pivots, entropies, length; means over its responses. */
function summary({ pivots, rollouts }: Pick<PromptObservation, 'pivots' | 'rollouts'>): number[] {
  const mean = <T>(list: readonly T[], read: (one: T) => number) =>
    list.reduce((sum, one) => sum + read(one), 0) / list.length;
  return [
    mean(pivots, ({ excess }) => excess),
    mean(pivots, ({ density }) => density),
    mean(rollouts, ({ meanEntropy }) => meanEntropy),
    mean(rollouts, ({ maxEntropy }) => maxEntropy),
    Math.log(mean(rollouts, ({ length }) => length)),
  ];
}

/** Heads and threshold: those of the pool's traces, or of a small batch where the pool was not traced. */
async function headsAndTau(needs: ScheduleNeeds): Promise<{ heads: Head[]; tau: number } | null> {
  const manifest = await traceManifest(needs.store, 0);
  if (manifest !== undefined) {
    const { heads, tau } = manifest;
    return tau === null ? null : { heads: [...heads], tau };
  }
  const settings = traceSettings(needs.config);
  const { chosen, traces } = await needs.profile();
  const sketch = new ChangeSketch();
  for (const trace of traces) sketch.add(traceChanges(trace, settings, chosen));
  return sketch.count === 0 ? null : { heads: chosen, tau: sketch.tau(settings.zeta) };
}

/** Training rollouts are traced as they are made. */
async function tracingOf(needs: ScheduleNeeds): Promise<GroupTracing | null> {
  const found = await headsAndTau(needs);
  if (found === null) return null;
  const { heads, tau } = found;
  const settings = traceSettings(needs.config);
  const signals = keptSignals(needs.config);
  return {
    request: traceRequest(heads, signals, settings),
    async read(_promptId: string, responses: readonly Response[]): Promise<number[]> {
      const pivots = responses.flatMap(({ trace }) => {
        if (trace === undefined) return [];
        const whole = completeTrace(trace, signals, settings);
        return [summarisePivots(traceChanges(whole, settings), tau, settings.delta)];
      });
      return summary({ pivots, rollouts: responses.map(boiledDown) });
    },
  };
}
