/** The pool, the labels and the runs at a glance: sums, pages, and curves as they grow. */
import { z } from 'zod';
import { thin } from '../../report/charts/scale.ts';
import type { MovedOnMap } from '../../store/browse-types.ts';
import { stageCosts } from '../../store/costs.ts';
import type { Run } from '../../store/types.ts';
import { planFromJson } from '../../triage/disk.ts';
import type { TriagePlan } from '../../triage/types.ts';
import { behind, type RunCurves, RunReader } from '../run-view.ts';
import { type Call, Refusal, type Routes, type ServerContext } from '../types.ts';
import {
  accountQuery,
  type DashboardNames,
  LOG_LIMIT,
  planQuery,
  runsQuery,
  type StepColumn,
  transitionsQuery,
  type WireCost,
  type WireLabelFigures,
  type WirePoolMap,
  type WireRun,
  type WireTransitionsPage,
} from '../wire-dashboard.ts';

const BINS = 40;
/** Points on the map, of each sort. */
const MOST_POINTS = 2_000;
const CURVE_POINTS = 120;
/** Points of a run's curves that a page gets when it asks for all of them. */
const STEP_POINTS = 1_500;
const HOUR = 3_600_000;
const PACE_HOURS = 14 * 24;

export const routes: Routes = (context) => {
  const reader = new RunReader(context.workspace, context.clock());
  const planOf = planReader(context);
  const get = (path: string, handle: (call: Call) => unknown) =>
    ({ method: 'GET', path, access: 'viewer', handle }) as const;
  return [
    get('/api/dashboard', () => names(context)),
    get('/api/dashboard/map', async (call) => {
      const name = call.query(planQuery).plan ?? context.plan;
      return await mapOf(context, await planOf(name));
    }),
    get('/api/dashboard/labels', (call) =>
      labelFiguresOf(context, call.query(accountQuery).account ?? context.account),
    ),
    get('/api/dashboard/runs', async (call) => {
      const { known } = call.query(runsQuery);
      // A run may be called as what every object has: `constructor`.
      const versions = new Map(Object.entries(known));
      const runs = await context.store.runs.list();
      const read = runs.map(async (run) => {
        const curves = await reader.read(run.name);
        return curves === null ? [] : [wireRunOf(run, curves, versions.get(run.name))];
      });
      return { runs: (await Promise.all(read)).flat() };
    }),
    get('/api/dashboard/transitions', (call) => log(context, call.query(transitionsQuery))),
    get('/api/dashboard/cost', () => costOf(context)),
  ];
};

async function names({ store, plan, account }: ServerContext): Promise<DashboardNames> {
  const [plans, logs, accounts] = [
    await store.plans.names(),
    await store.browse.transitionPlans(),
    await store.labels.accounts(),
  ];
  return { plan, account, plans, logs, accounts: [...new Set([account, ...accounts])].sort() };
}

interface HeldPlan {
  name: string;
  revision: number;
  plan: TriagePlan;
}

/** Reads a plan without its decisions; the last one that was asked for is kept until it is saved again. */
function planReader({ store }: ServerContext): (name: string) => Promise<HeldPlan> {
  let held: HeldPlan | null = null;
  return async (name) => {
    const revision = await store.browse.planRevision(name);
    if (revision === null) {
      throw new Refusal(404, `There is no plan "${name}": run \`pivottrace triage\`.`);
    }
    if (held?.name === name && held.revision === revision) return held;
    const saved = await store.browse.planWithoutDecisions(name);
    if (saved === undefined) throw new Refusal(404, `There is no plan "${name}".`);
    held = { name, revision: saved.revision, plan: planFromJson(saved.body, `plan "${name}"`) };
    return held;
  };
}

async function mapOf({ store }: ServerContext, held: HeldPlan): Promise<WirePoolMap> {
  const { name, revision, plan } = held;
  const { round, estimator } = plan;
  const { browse } = store;
  const histogram = await browse.histogram(name, round, estimator, BINS);
  const moved = await browse.moved(name, round, estimator, MOST_POINTS);
  return {
    ...{ plan: name, revision, round, estimator, rule: plan.rule, fallback: plan.fallback },
    ...{ warnings: plan.warnings, pool: plan.counts.pool, thresholds: plan.thresholds },
    states: await browse.states(name),
    histogram:
      histogram === null
        ? null
        : { low: histogram.low, high: histogram.high, bins: BINS, parts: histogram.bins },
    probes: await browse.probes(name, round, estimator, MOST_POINTS),
    moved: moved.flatMap(pointOf),
    curve: thin(plan.calibration.curve, CURVE_POINTS).map(({ score, passRate }) => ({
      ...{ score, rate: passRate.estimate, low: passRate.low, high: passRate.high },
    })),
  };
}

const observedSchema = z.object({ hits: z.number().min(0), misses: z.number().min(0) });

/** What a move was based on; a move without rollouts (a label arrived) is no point. */
function pointOf({ promptId, score, step, evidence, state }: MovedOnMap): WirePoolMap['moved'] {
  const seen = observedSchema.safeParse(evidence).data;
  if (seen === undefined || seen.hits + seen.misses === 0) return [];
  const rollouts = seen.hits + seen.misses;
  return [{ promptId, score, step, state, agreement: seen.hits / rollouts, rollouts }];
}

async function labelFiguresOf(context: ServerContext, account: string): Promise<WireLabelFigures> {
  const { store, queue, clock } = context;
  const use = await store.browse.labelUse(account);
  const sources = new Map<string, { labels: number; cost: number }>();
  for (const { source, labels, cost } of use) {
    const before = sources.get(source) ?? { labels: 0, cost: 0 };
    sources.set(source, { labels: before.labels + labels, cost: before.cost + cost });
  }
  return {
    account,
    owned: await store.labels.count(account),
    budget: account === context.account ? queue.settings.budget : null,
    sources: [...sources].map(([source, sums]) => ({ source, ...sums })),
    use: stepSums(use),
    pace: await store.browse.answersByTime(account, clock() - PACE_HOURS * HOUR, HOUR),
  };
}

/** Sources of one step are added up. */
function stepSums(
  use: readonly { run: string | null; step: number | null; labels: number }[],
): WireLabelFigures['use'] {
  const sums = new Map<string, WireLabelFigures['use'][number]>();
  for (const { run, step, labels } of use) {
    const key = JSON.stringify([run, step]);
    sums.set(key, { run, step, labels: (sums.get(key)?.labels ?? 0) + labels });
  }
  return [...sums.values()];
}

const plannedSchema = z.object({ train: z.object({ steps: z.int() }) });

function wireRunOf(run: Run, curves: RunCurves, before: string | undefined): WireRun {
  const { steps, evaluations, version } = curves;
  const from = before === undefined ? null : behind(version, before);
  const fresh = from === null ? thin(steps, STEP_POINTS) : steps.slice(from.steps);
  const last = steps.at(-1);
  const column = (name: StepColumn) => fresh.map((step) => step[name]);
  return {
    ...{ name: run.name, kind: run.kind, status: run.status, plan: run.plan, account: run.account },
    planned: plannedSchema.safeParse(run.config).data?.train.steps ?? null,
    step: last?.step ?? null,
    rollouts: last?.rollouts ?? 0,
    tokens: last?.num_tokens ?? 0,
    labels: last?.labels_used ?? 0,
    seconds: steps.reduce((sum, { seconds }) => sum + seconds, 0),
    version,
    follows: from !== null,
    points: {
      steps: fresh.map(({ step }) => step),
      columns: {
        reward: column('reward'),
        frac_reward_zero_std: column('frac_reward_zero_std'),
        entropy: column('entropy'),
        'completions/mean_length': column('completions/mean_length'),
        labels_used: column('labels_used'),
      },
    },
    evaluations: evaluations.slice(from?.evaluations ?? 0),
  };
}

async function log(
  { store }: ServerContext,
  { plan, prompt, rule, before }: z.output<typeof transitionsQuery>,
): Promise<WireTransitionsPage> {
  const rows = await store.browse.transitions({
    ...{ plan, promptId: prompt, rule, from: before ?? null },
    ...{ order: 'newest', limit: LOG_LIMIT },
  });
  const last = rows.at(-1);
  return {
    rows,
    next: last === undefined || rows.length < LOG_LIMIT ? null : last.ordinal,
    // The rules of a log do not change from page to page.
    rules: before === undefined ? await store.browse.rules(plan) : [],
  };
}

async function costOf({ store, workspace }: ServerContext): Promise<WireCost> {
  const { seconds, peakMemory } = stageCosts(workspace);
  return {
    rounds: await store.browse.sampledRounds(),
    stages: Object.entries(seconds).map(([stage, spent]) => ({ stage, seconds: spent })),
    peakMemoryBytes: peakMemory,
  };
}
