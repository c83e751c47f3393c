/**
 * The training part of a report: every arm beside full supervision, with everything that it cost.
 *
 * All figures come from the runs' own logs and the database.
 */
import type {
  Arm,
  ArmKind,
  Comparison,
  Estimate,
  RoutingReport,
  TrainingCurve,
} from '../../report/data.ts';
import { meanInterval, pairedT } from '../../stats/student.ts';
import type { Interval } from '../../stats/types.ts';
import { stageCosts } from '../../store/costs.ts';
import type { RolloutDigest, Store } from '../../store/types.ts';
import { planFromJson } from '../../triage/disk.ts';
import type { PromptState, TriagePlan } from '../../triage/types.ts';
import type { Config } from '../config.ts';
import { nothingSpent, type Spent, spentOnPlan } from './before-training.ts';
import type { Trained } from './report.ts';
import { costReport } from './report-cost.ts';
import { type LoggedEvaluation, type RunLog, runLogs } from './run-logs.ts';
import { routesOfRun } from './schedule.ts';

/** Routing changes are shown in so many steps of training. */
const INTERVALS = 20;
const LATEST_MOVES = 12;

/** A run with what it needed before its first step. */
export interface RunFacts {
  log: RunLog;
  kind: ArmKind;
  label: string;
  plan: TriagePlan | null;
  before: Before;
  /** Prompts that training could draw from. */
  trainedPrompts: number;
  wallSeconds: number | null;
}

/** Spent before the first step of a run. */
export interface Before {
  scoring: Spent;
  probes: Spent;
  labels: number;
}

const untraced: Pick<Before, 'scoring' | 'probes'> = {
  scoring: nothingSpent,
  probes: nothingSpent,
};

/** What the runs of the workspace logged; null parts where there is none. */
export async function trainedReport(store: Store, config: Config): Promise<Trained> {
  const logs = await runLogs(store, config.workspace);
  const digests = await store.rollouts.digests(0);
  const poolPrompts = await store.prompts.count();
  const { seconds } = stageCosts(config.workspace);
  const runs: RunFacts[] = [];
  for (const log of logs) {
    const wallSeconds = seconds[`run ${log.name}`] ?? null;
    runs.push({ ...(await factsOf(store, log, digests, poolPrompts)), wallSeconds });
  }
  runs.sort((a, b) => order(a) - order(b));
  nameApart(runs);
  return {
    comparison: comparisonOf(runs, poolPrompts),
    training: runs.length === 0 ? null : runs.map(curveOf),
    routing: await routingOf(store, runs),
    cost: await costReport(store, config, runs, digests),
  };
}

async function factsOf(
  store: Store,
  log: RunLog,
  digests: readonly RolloutDigest[],
  poolPrompts: number,
): Promise<Omit<RunFacts, 'wallSeconds'>> {
  const saved = log.plan === null ? undefined : await store.plans.get(log.plan);
  const plan = saved === undefined ? null : planFromJson(saved.body);
  const owned = (await store.labels.owned(log.account)).filter(({ step }) => step === null);
  const labelled = new Set(owned.map(({ promptId }) => promptId));
  const voted = (plan?.decisions ?? []).filter(
    ({ promptId, route }) => route === 'self' && !labelled.has(promptId),
  );
  const { arm, dynamic } = log.settings.train;
  const isWhole = arm === 'majority' || (arm === 'pivottrace' && dynamic.enabled);
  const { kind, label } = roleOf(log, plan);
  return {
    log,
    kind,
    label,
    plan,
    before: {
      ...(plan === null ? untraced : spentOnPlan(log.settings.trace, plan, digests)),
      labels: labelled.size,
    },
    // A dynamic run may come back to any prompt.
    trainedPrompts: isWhole ? poolPrompts : labelled.size + voted.length,
  };
}

function roleOf({ name, settings }: RunLog, plan: TriagePlan | null): Pick<Arm, 'kind' | 'label'> {
  const { arm, dynamic } = settings.train;
  if (arm === 'full') return { kind: 'full', label: 'Full supervision' };
  if (arm === 'majority') return { kind: 'other', label: 'Majority vote only' };
  if (dynamic.enabled) return { kind: 'pivottrace', label: 'PivotTrace' };
  if (plan === null) return { kind: 'other', label: name };
  // What was asked for: a score that failed on the probes is said so in a note.
  if (plan.requested === 'random') return { kind: 'random', label: 'Random triage' };
  return { kind: 'pivottrace', label: 'PivotTrace, fixed routes' };
}

function order({ kind, log }: RunFacts): number {
  if (kind === 'pivottrace') return log.settings.train.dynamic.enabled ? 0 : 1;
  return kind === 'full' ? 2 : kind === 'random' ? 3 : 4;
}

/** Arms of one kind are told apart by the names of their runs. */
function nameApart(runs: RunFacts[]): void {
  const counts = new Map<string, number>();
  for (const { label } of runs) counts.set(label, (counts.get(label) ?? 0) + 1);
  for (const run of runs) {
    if ((counts.get(run.label) ?? 0) > 1) run.label = `${run.label} (${run.log.name})`;
  }
}

function comparisonOf(runs: readonly RunFacts[], poolPrompts: number): Comparison | null {
  const evaluated = runs.filter(({ log }) => log.evaluations.length > 0);
  const [first] = evaluated;
  if (first === undefined) return null;
  const reference = evaluated.find(({ kind }) => kind === 'full');
  const pivot = evaluated.find(({ kind }) => kind === 'pivottrace');
  const rivals = { reference: lastOf(reference), pivot: lastOf(pivot) };
  const start = (reference ?? first).log.evaluations.find(({ step }) => step === 0);
  const trained = evaluated.map((run) => armOf(run, rivals));
  return {
    k: first.log.settings.eval.samples,
    testPrompts: first.log.evaluations[0].perPrompt.length,
    poolPrompts,
    reference: reference?.log.name ?? 'full',
    arms: start === undefined ? trained : [baseArm(start, rivals), ...trained],
  };
}

interface Rivals {
  reference: LoggedEvaluation | undefined;
  pivot: LoggedEvaluation | undefined;
}

function lastOf(run: RunFacts | undefined): LoggedEvaluation | undefined {
  return run?.log.evaluations.at(-1);
}

function baseArm(start: LoggedEvaluation, { reference, pivot }: Rivals): Arm {
  return {
    id: 'base policy',
    label: 'Base policy',
    kind: 'base',
    ...accuracyOf(start),
    versusReference: paired(start, reference),
    pivotTraceLead: paired(pivot, start),
    labelsUsed: 0,
    trainedPrompts: 0,
    steps: 0,
    rollouts: 0,
    reached: null,
    wallSeconds: null,
    seeds: 1,
    note: null,
  };
}

function armOf(run: RunFacts, { reference, pivot }: Rivals): Arm {
  const { log, kind, label } = run;
  const last = log.evaluations[log.evaluations.length - 1];
  return {
    id: log.name,
    label,
    kind,
    ...accuracyOf(last),
    versusReference: paired(last, reference),
    pivotTraceLead: paired(pivot, last),
    labelsUsed: labelsAt(run, last.labels),
    trainedPrompts: run.trainedPrompts,
    steps: last.step,
    rollouts: rolloutsAt(run, last.rollouts),
    reached: reachedBy(run, reference),
    wallSeconds: run.wallSeconds,
    seeds: 1,
    note: noteOf(run, last),
  };
}

function noteOf({ log, plan }: RunFacts, last: LoggedEvaluation): string | null {
  const { steps } = log.settings.train;
  const notes = [
    // A run may end before its last step: when its rollouts are used up.
    ...(log.status === 'done' ? [] : [`not finished: step ${last.step} of ${steps} at most`]),
    ...(plan?.fallback == null ? [] : [plan.fallback]),
  ];
  return notes.length === 0 ? null : notes.join('; ');
}

/** Labels are bought before the first step, but the log of a run starts with none. */
function labelsAt({ before }: RunFacts, logged: number): number {
  return Math.max(before.labels, logged);
}

function rolloutsAt({ before: { scoring, probes } }: RunFacts, logged: number): number {
  return scoring.rollouts + probes.rollouts + logged;
}

function accuracyOf({ average, greedy, perPrompt }: LoggedEvaluation): {
  avgAtK: Estimate;
  greedy: Estimate | null;
} {
  const { low, high } = meanInterval(perPrompt);
  return {
    avgAtK: { value: average, low, high },
    greedy: greedy === null ? null : greedyEstimate(greedy, perPrompt.length),
  };
}

/** One answer per prompt is right or wrong: the share and the number of prompts give the interval. */
function greedyEstimate(share: number, prompts: number): Estimate {
  const right = Math.round(share * prompts);
  return estimate(meanInterval(Array.from({ length: prompts }, (_, i) => (i < right ? 1 : 0))));
}

/** a - b over the same prompts; null for the same evaluation, or where the prompts are not the same. */
function paired(a: LoggedEvaluation | undefined, b: LoggedEvaluation | undefined): Estimate | null {
  if (a === undefined || b === undefined || a === b) return null;
  if (a.perPrompt.length !== b.perPrompt.length || a.perPrompt.length < 2) return null;
  return estimate(pairedT(a.perPrompt, b.perPrompt).difference);
}

function estimate({ estimate: value, low, high }: Interval): Estimate {
  return { value, low, high };
}

/**
 * The first evaluation at or above the reference's last, step 0 included: nothing is read off between two
 * evaluations.
 */
function reachedBy(run: RunFacts, reference: LoggedEvaluation | undefined): Arm['reached'] {
  if (reference === undefined) return null;
  const first = run.log.evaluations.find(({ average }) => average >= reference.average);
  if (first === undefined) return 'not reached';
  return { steps: first.step, rollouts: rolloutsAt(run, first.rollouts) };
}

function curveOf(run: RunFacts): TrainingCurve {
  const { log, kind, label } = run;
  return {
    id: log.name,
    label,
    kind,
    evaluations: log.evaluations.map((one) => {
      const { low, high } = meanInterval(one.perPrompt);
      return {
        step: one.step,
        rollouts: rolloutsAt(run, one.rollouts),
        labelsUsed: labelsAt(run, one.labels),
        avgAtK: one.average,
        low,
        high,
        greedy: one.greedy,
      };
    }),
    steps: log.metrics.map((one) => ({
      step: one.step,
      reward: one.reward,
      fracRewardZeroStd: one.frac_reward_zero_std,
      entropy: one.entropy,
      meanLength: one['completions/mean_length'],
      labelsUsed: one.labels_used,
    })),
  };
}

/** What a change of route means, in a word or two. */
function kindOf(from: PromptState | null, to: PromptState): string {
  if (from === 'discard') return 'came back';
  if (to === 'discard') return from === 'new' ? 'left out unseen' : 'left out';
  return to === 'annotate' ? 'label asked for' : 'drawn';
}

/** Changes of route while the first dynamic run trained; that a label arrived is none. */
async function routingOf(store: Store, runs: readonly RunFacts[]): Promise<RoutingReport | null> {
  const run = runs.find(
    ({ kind, log }) => kind === 'pivottrace' && log.settings.train.dynamic.enabled,
  );
  if (run === undefined) return null;
  const { steps, dynamic } = run.log.settings.train;
  const moves = (await store.transitions.of(run.log.plan ?? routesOfRun(run.log.name))).flatMap(
    (one) => (one.step === null || one.to === 'annotated' ? [] : [{ ...one, step: one.step }]),
  );
  const width = Math.max(1, Math.ceil(steps / INTERVALS));
  const counts = new Map<string, { step: number; kind: string; count: number }>();
  for (const { step, from, to } of moves) {
    const end = Math.ceil(step / width) * width;
    const kind = kindOf(from, to);
    const found = counts.get(`${end} ${kind}`);
    if (found === undefined) counts.set(`${end} ${kind}`, { step: end, kind, count: 1 });
    else found.count += 1;
  }
  return {
    arm: run.label,
    warmupGroups: dynamic.warmup_groups,
    total: moves.length,
    moves: [...counts.values()].sort((a, b) => a.step - b.step),
    latest: moves
      .slice(-LATEST_MOVES)
      .reverse()
      .map(({ step, promptId, from, to, rule, evidence }) => ({
        step,
        promptId,
        from: from ?? 'new',
        to,
        rule,
        evidence,
      })),
  };
}
