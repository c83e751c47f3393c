/**
 * Puts a report together from the workspace: the plan, the traces, the labels, and what training logged.
 */
import { existsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { formatBytes } from '../../core/rates.ts';
import { parameterShapes } from '../../model/config.ts';
import { loadConfig as loadModelConfig } from '../../model/directory.ts';
import type { Prompt } from '../../pool/types.ts';
import type { ReportData, RunInfo } from '../../report/data.ts';
import { writeReport } from '../../report/report.tsx';
import type { VerifierOf } from '../../reward/types.ts';
import type { Repositories, Store } from '../../store/types.ts';
import type { TriagePlan } from '../../triage/types.ts';
import type { Config } from '../config.ts';
import { dependencyVersions, packageVersion } from '../version.ts';
import { savedFits } from './fits.ts';
import { labelAccount, savedPlan } from './labels.ts';
import { type PlanFacts, scoreReport, triageSummary } from './report-score.ts';
import { exampleTraces, type Judge, sensitivity } from './report-traces.ts';
import { trainedReport } from './report-training.ts';
import { scoringCosts } from './scoring-costs.ts';
import { verifierByPrompt, withVerifiers } from './workspace.ts';

/** The parts of a report that come from training runs and evaluations. */
export type Trained = Pick<ReportData, 'comparison' | 'training' | 'routing' | 'cost'>;

export const nothingTrained: Trained = {
  comparison: null,
  training: null,
  routing: null,
  cost: null,
};

export interface ReportStage {
  store: Store;
  config: Config;
  trained: Trained;
  title: string;
  /** When it is written, ready to print. */
  generatedAt: string | null;
  /** The command that makes the figures again. */
  command: string | null;
}

/** Writes the report of the workspace, dated now, to `report.out` or the workspace. */
export async function createReport(
  stage: Omit<ReportStage, 'trained' | 'generatedAt'>,
): Promise<{ path: string; data: ReportData }> {
  const { store, config } = stage;
  const path = config.report.out ?? join(config.workspace, 'report.html');
  const generatedAt = `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const trained = await trainedReport(store, config);
  const data = await reportData({ ...stage, trained, generatedAt });
  writeReport(path, data);
  return { path, data };
}

/** The data of a report; parts for which nothing was run are null. */
export async function reportData(stage: ReportStage): Promise<ReportData> {
  const { store, config, trained } = stage;
  const prompts = await store.prompts.list();
  const plan = await planOf(store, config.triage.plan);
  const facts = plan === null ? null : await planFacts(store, config, plan, prompts);
  const hasModel = existsSync(join(config.model, 'config.json'));
  return {
    run: runInfo(stage, prompts, plan, hasModel),
    ...trained,
    triage: facts === null ? null : triageSummary(facts),
    score: facts === null ? null : scoreReport(facts),
    sensitivity: await sensitivity(
      store,
      plan?.round ?? 0,
      Math.min(config.trace.profile_prompts, prompts.length),
    ),
    examples:
      plan === null || !hasModel
        ? null
        : await withVerifiers(config, async (verifiers) => {
            const judge = await judgeOf(store, config, verifierByPrompt(verifiers, prompts));
            return await exampleTraces(store, plan, prompts, config.model, judge);
          }),
  };
}

async function planOf(store: Repositories, name: string): Promise<TriagePlan | null> {
  if (!(await store.plans.names()).includes(name)) return null;
  return (await savedPlan(store, name)).plan;
}

async function judgeOf(
  store: Repositories,
  config: Config,
  verifierOf: VerifierOf,
): Promise<Judge> {
  const labels = await store.labels.owned(labelAccount(config));
  const answers = new Map(labels.map(({ promptId, answer }) => [promptId, answer]));
  return async (promptId, response) => {
    const answer = answers.get(promptId);
    if (answer === undefined) return null;
    const [{ verdict }] = await verifierOf(promptId).verify(answer, [response]);
    return verdict;
  };
}

async function planFacts(
  store: Repositories,
  config: Config,
  plan: TriagePlan,
  prompts: readonly Prompt[],
): Promise<PlanFacts> {
  const labels = await store.labels.owned(labelAccount(config));
  const samples = await store.rollouts.counts(plan.round);
  const perProbe = plan.calibration.dots.map((dot) => samples.get(dot.promptId) ?? 0);
  return {
    plan,
    prompts,
    labelled: new Set(labels.map((label) => label.promptId)),
    rolloutsPerProbe: perProbe.length === 0 ? 0 : Math.min(...perProbe),
    scores: await scoresOf(store, plan.round),
    fits: await savedFits(store, plan.name),
    costs: await scoringCosts(store, config, plan.round),
  };
}

async function scoresOf(store: Repositories, round: number): Promise<PlanFacts['scores']> {
  const columns: [string, ReadonlyMap<string, number>][] = [];
  for (const estimator of await store.scores.estimators(round)) {
    const scores = await store.scores.of(round, estimator);
    columns.push([estimator, new Map(scores.map(({ promptId, value }) => [promptId, value]))]);
  }
  return new Map(columns);
}

function runInfo(
  { config, title, generatedAt, command, trained }: ReportStage,
  prompts: readonly Prompt[],
  plan: TriagePlan | null,
  hasModel: boolean,
): RunInfo {
  const { 'onnxruntime-node': onnx } = dependencyVersions();
  const { provider } = config.engine;
  const sources = [...new Set(prompts.map((prompt) => prompt.source))];
  return {
    title,
    generatedAt,
    model: hasModel ? modelInfo(config.model) : null,
    pool: {
      name: sources.slice(0, 3).join(', ') || 'empty',
      prompts: prompts.length,
      testPrompts: trained.comparison?.testPrompts ?? null,
    },
    seed: config.seed,
    versions: {
      pivottrace: packageVersion(),
      node: process.versions.node,
      'onnxruntime-node': onnx ?? 'missing',
    },
    machine: `${availableParallelism()} cores, ${formatBytes(totalmem())}, ${provider} provider`,
    command,
    notices: plan?.warnings ?? [],
  };
}

function modelInfo(directory: string): RunInfo['model'] {
  const config = loadModelConfig(directory);
  const sizes = [...parameterShapes(config).values()].map((shape) =>
    shape.reduce((a, b) => a * b, 1),
  );
  return {
    name: basename(directory),
    parameters: sizes.reduce((sum, size) => sum + size, 0),
    detail: `${config.architecture}, ${config.layers} layers`,
  };
}
