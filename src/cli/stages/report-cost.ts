/** What everything in the workspace cost, by stage. Knows nothing of accuracies. */
import type { CostReport } from '../../report/data.ts';
import { stageCosts } from '../../store/costs.ts';
import type { RolloutDigest, Store } from '../../store/types.ts';
import type { Config } from '../config.ts';
import type { RunFacts } from './report-training.ts';

type Stage = CostReport['stages'][number];

/** null where nothing was sampled. */
export async function costReport(
  store: Store,
  config: Config,
  runs: readonly RunFacts[],
  digests: readonly RolloutDigest[],
): Promise<CostReport | null> {
  if (digests.length === 0) return null;
  const { seconds, peakMemory } = stageCosts(config.workspace);
  const perPrompt = config.trace.traces_per_prompt;
  const scored = digests.filter(({ sample }) => sample < perPrompt);
  const trace: Stage = {
    name: 'trace',
    seconds: seconds.trace ?? null,
    rollouts: scored.length,
    tokens: scored.reduce((total, { length }) => total + length, 0),
    labels: 0,
  };
  const stages = [trace];
  for (const name of await store.plans.names()) {
    const stage = await triageStage(store, name, runs);
    stages.push({ ...stage, seconds: seconds[stage.name] ?? null });
  }
  const share = sharedTime(runs, seconds.training);
  stages.push(...runs.map((run) => trainStage(run, share)));
  if (runs.some(({ log }) => log.evaluations.length > 0)) stages.push(evaluateStage(runs, share));
  return {
    stages,
    totalSeconds: seconds.demo ?? null,
    peakMemoryBytes: peakMemory,
  };
}

/** Labels of a plan are those that its account bought before training. */
async function triageStage(
  store: Store,
  plan: string,
  runs: readonly RunFacts[],
): Promise<Omit<Stage, 'seconds'>> {
  const run = runs.find(({ log }) => log.plan === plan);
  const labels = (await store.labels.owned(run?.log.account ?? plan)).filter(
    ({ step }) => step === null,
  );
  return {
    name: `triage ${plan}`,
    rollouts: run?.before.probes.rollouts ?? null,
    tokens: run?.before.probes.tokens ?? null,
    labels: labels.length,
  };
}

/**
 * Runs that shared the machine took their wall time at the same time: each is charged its part of the time that
 * all of them took, so that the stages add up to the wall clock. 1 where they ran one after the other.
 */
function sharedTime(runs: readonly RunFacts[], together: number | undefined): number {
  const wall = wallOf(runs);
  return together === undefined || wall === 0 ? 1 : Math.min(1, together / wall);
}

function wallOf(runs: readonly RunFacts[]): number {
  return runs.reduce((total, { wallSeconds }) => total + (wallSeconds ?? 0), 0);
}

/** Sampling and updates; labels that were not bought for a plan. */
function trainStage({ log, before }: RunFacts, share: number): Stage {
  const last = log.metrics.at(-1);
  const labels = Math.max(before.labels, last?.labels_used ?? 0);
  return {
    name: `train ${log.name}`,
    seconds: share * trainSeconds(log.metrics),
    rollouts: last?.rollouts ?? 0,
    tokens: last?.num_tokens ?? 0,
    labels: log.plan === null ? labels : labels - before.labels,
  };
}

/** Evaluations are not timed one by one: what is left of the runs' wall time is theirs. */
function evaluateStage(runs: readonly RunFacts[], share: number): Stage {
  const isTimed = runs.every(({ wallSeconds }) => wallSeconds !== null);
  const training = runs.reduce((total, { log }) => total + trainSeconds(log.metrics), 0);
  const rollouts = runs.flatMap(({ log }) =>
    log.evaluations.map(
      ({ perPrompt, greedy }) =>
        perPrompt.length * (log.settings.eval.samples + (greedy === null ? 0 : 1)),
    ),
  );
  return {
    name: 'evaluate, load, save',
    seconds: isTimed ? share * Math.max(0, wallOf(runs) - training) : null,
    rollouts: rollouts.reduce((total, count) => total + count, 0),
    tokens: null,
    labels: null,
  };
}

function trainSeconds(metrics: readonly { seconds: number }[]): number {
  return metrics.reduce((total, { seconds }) => total + seconds, 0);
}
