/**
 * Triage from start to end: scores, probes, plan, and carrying the plan out.
 *
 * Everything it does can be repeated: a run that was killed is finished by the same call.
 */
import { UserError } from '../../core/errors.ts';
import { stopHere } from '../../core/progress.ts';
import type { LabelDesk } from '../../label/types.ts';
import type { Repositories, Store } from '../../store/types.ts';
import { planToJson } from '../../triage/disk.ts';
import { planTriage } from '../../triage/plan.ts';
import { drawProbes } from '../../triage/probes.ts';
import { rankPool } from '../../triage/ranking.ts';
import { labelTransitions, probeTransitions, transitionsOf } from '../../triage/transitions.ts';
import type {
  Probe,
  ScoreColumn,
  Transition,
  TriagePlan,
  TriageSettings,
} from '../../triage/types.ts';
import { computableEstimators, estimatorByName } from '../../uncertainty/registry.ts';
import type {
  Estimator,
  EstimatorContext,
  FusedFit,
  PromptObservation,
} from '../../uncertainty/types.ts';
import type { Verifiers } from '../../verify/verifiers.ts';
import type { Config } from '../config.ts';
import { type Fits, saveFits } from './fits.ts';
import { meanLengths, observePool } from './observations.ts';
import { readPassRates } from './pass-rates.ts';
import { writePlanFile } from './plan-file.ts';
import { measureProbes } from './probes.ts';
import { verifierByPrompt } from './workspace.ts';

/** Scores belong to a round of tracing; round 0 is the policy before training. */
const ROUND = 0;
const beforeTraining = { run: null, step: null };

export interface TriageStage {
  store: Store;
  config: Config;
  desk: LabelDesk;
  verifiers: Pick<Verifiers, 'of'>;
  /** Samples more responses, so that each of these prompts has `samples` in round 0. */
  sampleMore: (promptIds: readonly string[], samples: number) => Promise<void>;
  stop: AbortSignal;
}

/**
 * The plan as it stands, without buying, sampling or writing anything: it knows the probes that are measured already,
 * and none on a fresh pool.
 */
export async function draftPlan(stage: Omit<TriageStage, 'sampleMore' | 'stop'>): Promise<{
  plan: TriagePlan;
  /** Probes that carrying it out would buy labels for. */
  probesToBuy: string[];
}> {
  const pool = await observe(stage);
  const labels = await stage.desk.arrived(beforeTraining);
  const owned = new Set(labels.map((label) => label.promptId));
  const probeIds = new Set(pool.probeIds);
  const probes = await measured(
    stage,
    labels.filter((label) => probeIds.has(label.promptId)),
  );
  return {
    plan: makePlan(stage.config, pool, probes, owned).plan,
    probesToBuy: pool.probeIds.filter((id) => !owned.has(id)),
  };
}

export interface CarriedOut {
  plan: TriagePlan;
  /** Transitions that are new. */
  moved: number;
  /** The manifest. */
  path: string;
  /** Probes that no label could be bought for. */
  probesWithoutLabel: number;
}

/** Buys the probes' labels, measures them, makes the plan and carries it out: database first, manifest last. */
export async function triage(stage: TriageStage): Promise<CarriedOut> {
  const { store, config, desk } = stage;
  const pool = await observe(stage);
  const bought = await desk.request(pool.probeIds, beforeTraining);
  stopHere(stage.stop, 'Triage');
  if (bought.length > 0) {
    const probeIds = bought.map((label) => label.promptId);
    await stage.sampleMore(probeIds, config.triage.probe_samples);
  }
  stopHere(stage.stop, 'Triage');
  const probes = await measured(stage, bought);
  const labels = await desk.arrived(beforeTraining);
  const owned = new Set(labels.map((label) => label.promptId));
  const { plan, columns, fits } = makePlan(config, pool, probes, owned);
  const moved = await store.transaction(async (tables) => {
    for (const { estimator, scores } of columns) await tables.scores.put(ROUND, estimator, scores);
    await tables.probes.put(plan.name, ROUND, probes);
    await tables.plans.save(plan.name, planToJson(plan));
    await saveFits(tables, plan.name, fits);
    return await tables.transitions.append(await changes(tables, plan, pool.probeIds, owned));
  });
  const revision = (await store.plans.get(plan.name))?.revision ?? 1;
  const path = writePlanFile(
    config.workspace,
    plan,
    revision,
    await store.transitions.of(plan.name),
  );
  return {
    plan,
    moved,
    path,
    probesWithoutLabel: pool.probeIds.length - bought.length,
  };
}

/** Probes go to annotate, those with a label become annotated, then the plan routes the rest. */
async function changes(
  tables: Repositories,
  plan: TriagePlan,
  probeIds: readonly string[],
  owned: ReadonlySet<string>,
): Promise<Transition[]> {
  const occasion = { plan: plan.name, round: plan.round, step: null };
  const states = await tables.transitions.routes(plan.name);
  const all: Transition[] = [];
  const move = (transitions: readonly Transition[]): void => {
    for (const one of transitions) states.set(one.promptId, one.to);
    all.push(...transitions);
  };
  const ownedProbes = probeIds.filter((id) => owned.has(id));
  move(probeTransitions(ownedProbes, states, occasion));
  move(labelTransitions(ownedProbes, states, occasion));
  move(transitionsOf(plan, states));
  return all;
}

interface ObservedPool {
  observations: PromptObservation[];
  probeIds: string[];
  passRates: ReadonlyMap<string, number>;
}

async function observe({
  store,
  config,
}: Pick<TriageStage, 'store' | 'config'>): Promise<ObservedPool> {
  const samples = config.trace.traces_per_prompt;
  const observations = await observePool(store, ROUND, samples);
  const wanted = estimatorByName(config.triage.estimator);
  requireTraced(wanted, observations);
  const { seed } = config;
  const passRates = readPassRates(config.triage.pass_rates);
  const context = { seed, passRates };
  const ranking = rankPool(
    columnOf(probeRanker(wanted, observations), observations, context),
    [],
    seed,
  );
  return {
    observations,
    passRates,
    probeIds: drawProbes(ranking, config.triage.probe_share, seed),
  };
}

function requireTraced(wanted: Estimator, observations: readonly PromptObservation[]): void {
  const { samples, traces } = wanted.needs;
  const lacking = observations.filter(
    (one) => one.rollouts.length < samples || (traces === true && one.pivots.length === 0),
  );
  if (lacking.length === 0) return;
  throw new UserError({
    wanted: `${Math.max(samples, 1)} traced response(s) for every prompt, as ${wanted.name} needs`,
    found: `${lacking.length} of ${observations.length} prompts without, for example ${lacking[0].promptId}`,
    fix: '`pivottrace trace` makes them.',
  });
}

/** What the probes are drawn along: an estimator that learns from probes cannot rank before there are any. */
function probeRanker(wanted: Estimator, observations: readonly PromptObservation[]): Estimator {
  if (wanted.needs.labels !== true) return wanted;
  return computableEstimators(observations, 0).at(0) ?? estimatorByName('random');
}

function columnOf(
  estimator: Estimator,
  observations: readonly PromptObservation[],
  context: EstimatorContext,
): ScoreColumn {
  const values = estimator.score(observations, context);
  return {
    estimator: estimator.name,
    scores: observations.map(({ promptId }, i) => ({ promptId, value: values[i] })),
  };
}

async function measured(
  { store, verifiers }: Pick<TriageStage, 'store' | 'verifiers'>,
  labels: readonly { promptId: string; answer: string }[],
): Promise<Probe[]> {
  const ids = labels.map((label) => label.promptId);
  const rollouts = await store.rollouts.of(ROUND, ids);
  const verifierOf = verifierByPrompt(verifiers, await store.prompts.list(ids));
  return await measureProbes(labels, rollouts, verifierOf);
}

function makePlan(
  config: Config,
  { observations, passRates }: ObservedPool,
  probes: readonly Probe[],
  labelled: ReadonlySet<string>,
): { plan: TriagePlan; columns: ScoreColumn[]; fits: Fits } {
  const context = { seed: config.seed, probes, passRates };
  const wanted = estimatorByName(config.triage.estimator);
  const usable = [
    ...computableEstimators(observations, probes.length),
    // The oracle ranks only where it was asked for: it is never an alternative to a score without answers.
    ...(wanted.needs.passRates === true ? [wanted] : []),
  ];
  if (!usable.includes(wanted)) {
    throw new UserError({
      wanted: `at least two measured probes, as ${wanted.name} needs`,
      found: String(probes.length),
      fix: 'Give labels that can be bought (label.answers), or choose another triage.estimator.',
    });
  }
  const fits = new Map<string, FusedFit>();
  const scored = usable.map((one) =>
    columnOf(one, observations, { ...context, onFit: (fit) => fits.set(one.name, fit) }),
  );
  const columns = new Map(scored.map((column) => [column.estimator, column]));
  const scores = columns.get(wanted.name) ?? columnOf(wanted, observations, context);
  const plan = planTriage({
    name: config.triage.plan,
    round: ROUND,
    scores,
    tieBreaks: wanted.tieBreakers.flatMap((name) => columns.get(name) ?? []),
    alternatives: scored,
    lengths: meanLengths(observations),
    probes,
    labelled,
    settings: triageSettingsOf(config),
  });
  return { plan, columns: scored, fits };
}

function triageSettingsOf({ triage, seed }: Config): Partial<TriageSettings> {
  return {
    rule: triage.rule,
    quota: triage.quota,
    hi: triage.risk.hi,
    voteFloor: triage.risk.vote_floor,
    labels: triage.budget.labels,
    trainPrompts: triage.budget.train_prompts,
    masteredAt: triage.mastered_at,
    window: triage.window,
    level: triage.level,
    resamples: triage.resamples,
    minProbes: triage.min_probes,
    tieLimit: triage.tie_limit,
    seed,
  };
}
