/**
 * Triage from start to end: scores, probes, plan, and carrying the plan out.
 *
 * Everything it does can be repeated: a run that was killed is finished by the same call.
 */
import { stopHere } from '../../core/progress.ts';
import type { LabelDesk } from '../../label/types.ts';
import type { Repositories, Store } from '../../store/types.ts';
import { decisionsToJson, planToJson } from '../../triage/disk.ts';
import { type PlannedPool, planPool } from '../../triage/plan.ts';
import { drawProbes } from '../../triage/probes.ts';
import { type PoolOrder, poolOrder, rankPool } from '../../triage/ranking.ts';
import { eachTransition, labelTransitions, probeTransitions } from '../../triage/transitions.ts';
import type { Probe, Transition, TriageSettings } from '../../triage/types.ts';
import type { Verifiers } from '../../verify/verifiers.ts';
import type { Config } from '../config.ts';
import { saveFits } from './fits.ts';
import { writePlanFile } from './plan-file.ts';
import { measureProbes } from './probes.ts';
import { type PoolScores, type ScoreSource, scoreSource } from './score-source.ts';
import { verifierByPrompt } from './workspace.ts';

/** Scores belong to a round of tracing; round 0 is the policy before training. */
const ROUND = 0;
/** Rows after which the database should look at its tables anew. */
const MANY = 10_000;
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
  plan: PlannedPool;
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
  plan: PlannedPool;
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
  const probeIds = bought.map((label) => label.promptId);
  if (await lackSamples(store, probeIds, config.triage.probe_samples)) {
    await stage.sampleMore(probeIds, config.triage.probe_samples);
  }
  stopHere(stage.stop, 'Triage');
  const probes = await measured(stage, bought);
  const labels = await desk.arrived(beforeTraining);
  const owned = new Set(labels.map((label) => label.promptId));
  const { plan, scores } = makePlan(config, pool, probes, owned);
  const moved = await store.transaction(async (tables) => {
    if (scores.computed) {
      for (const column of scores.all) {
        await tables.scores.put(ROUND, column.estimator, column.scores);
      }
    }
    const { head, decisions } = plan;
    await tables.probes.put(head.name, ROUND, probes);
    const body = planToJson({ ...head, decisions: [] });
    await tables.plans.save(head.name, body, decisionsToJson(decisions));
    await saveFits(tables, head.name, scores.fits);
    return await tables.transitions.append(await changes(tables, plan, pool.probeIds, owned));
  });
  if (moved >= MANY) await store.refresh();
  const path = await writePlanFile(store, config.workspace, plan.head.name);
  return {
    plan,
    moved,
    path,
    probesWithoutLabel: pool.probeIds.length - bought.length,
  };
}

/** Where the probes were sampled before, elsewhere perhaps, no model is needed. */
async function lackSamples(
  store: Repositories,
  promptIds: readonly string[],
  samples: number,
): Promise<boolean> {
  if (promptIds.length === 0) return false;
  const counts = await store.rollouts.counts(ROUND);
  return promptIds.some((id) => (counts.get(id) ?? 0) < samples);
}

/** Probes go to annotate, those with a label become annotated, then the plan routes the rest. */
async function changes(
  tables: Repositories,
  { head: plan, decisions }: PlannedPool,
  probeIds: readonly string[],
  owned: ReadonlySet<string>,
): Promise<Iterable<Transition>> {
  const occasion = { plan: plan.name, round: plan.round, step: null };
  const states = await tables.transitions.routes(plan.name);
  const moved = (transitions: Transition[]): Transition[] => {
    for (const one of transitions) states.set(one.promptId, one.to);
    return transitions;
  };
  const ownedProbes = probeIds.filter((id) => owned.has(id));
  const probed = moved(probeTransitions(ownedProbes, states, occasion));
  const labelled = moved(labelTransitions(ownedProbes, states, occasion));
  return (function* () {
    yield* probed;
    yield* labelled;
    yield* eachTransition(plan, decisions, states);
  })();
}

interface ObservedPool {
  source: ScoreSource;
  order: PoolOrder;
  probeIds: string[];
}

async function observe({
  store,
  config,
}: Pick<TriageStage, 'store' | 'config'>): Promise<ObservedPool> {
  const source = await scoreSource(store, config, ROUND);
  const { seed } = config;
  const order = poolOrder(source.ranker, seed);
  const ranking = rankPool(source.ranker, [], seed, order);
  return { source, order, probeIds: drawProbes(ranking, config.triage.probe_share, seed) };
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
  { source, order }: ObservedPool,
  probes: readonly Probe[],
  labelled: ReadonlySet<string>,
): { plan: PlannedPool; scores: PoolScores } {
  const scores = source.scores(probes);
  const plan = planPool({
    name: config.triage.plan,
    round: ROUND,
    scores: scores.wanted,
    pool: order,
    tieBreaks: scores.tieBreaks,
    alternatives: scores.all,
    lengths: source.lengths(probes.map(({ promptId }) => promptId)),
    probes,
    labelled,
    settings: triageSettingsOf(config),
  });
  return { plan, scores };
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
