/**
 * Puts a report together from the workspace: the plan, the traces, the labels, and what training logged.
 */
import { availableParallelism, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { formatBytes } from '../../core/rates.ts';
import { parameterShapes } from '../../model/config.ts';
import { loadConfig as loadModelConfig } from '../../model/directory.ts';
import { isModel } from '../../model/resolve.ts';
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
import { exampleIds, exampleTraces, type Judge, sensitivity } from './report-traces.ts';
import { trainedReport } from './report-training.ts';
import { scoringCosts } from './scoring-costs.ts';
import { sourceNotices, type TraceSource, traceSource } from './trace-source.ts';
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
  const plan = await planOf(store, config.triage.plan);
  const facts = plan === null ? null : await planFacts(store, config, plan);
  const sources = await store.browse.sources();
  const prompts = sources.reduce((sum, one) => sum + one.prompts, 0);
  const hasModel = isModel(config.model);
  return {
    run: runInfo(stage, sources, plan, hasModel, await traceSource(store, plan?.round ?? 0)),
    ...trained,
    triage: facts === null ? null : triageSummary(facts),
    score: facts === null ? null : scoreReport(facts),
    sensitivity: await sensitivity(
      store,
      plan?.round ?? 0,
      Math.min(config.trace.profile_prompts, prompts),
    ),
    examples:
      plan === null || !hasModel
        ? null
        : await withVerifiers(config, async (verifiers) => {
            const shown = await store.prompts.list(exampleIds(plan));
            const judge = await judgeOf(store, config, verifierByPrompt(verifiers, shown));
            return await exampleTraces(store, plan, shown, config.model, judge);
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
): Promise<PlanFacts> {
  const labels = await store.labels.owned(labelAccount(config));
  const samples = await store.rollouts.counts(plan.round);
  const perProbe = plan.calibration.dots.map((dot) => samples.get(dot.promptId) ?? 0);
  const probes = plan.calibration.dots.map((dot) => dot.promptId);
  return {
    plan,
    origins: await promptOrigins(store),
    labelled: new Set(labels.map((label) => label.promptId)),
    rolloutsPerProbe: perProbe.reduce(
      (least, count) => Math.min(least, count),
      perProbe.at(0) ?? 0,
    ),
    scores: await store.scores.among(plan.round, probes),
    fits: await savedFits(store, plan.name),
    costs: await scoringCosts(store, config, plan.round),
  };
}

/** Families or sources by prompt. Each name is kept once, however many prompts have it. */
async function promptOrigins(store: Repositories): Promise<PlanFacts['origins']> {
  const names = new Map<string, string>();
  const nameOf = (name: string) => {
    if (!names.has(name)) names.set(name, name);
    return names.get(name) ?? name;
  };
  const sources = new Map<string, string>();
  const families = new Map<string, string>();
  for await (const page of store.browse.origins()) {
    for (const { id, source, metadata } of page) {
      sources.set(id, nameOf(source));
      const { data } = familySchema.safeParse(metadata);
      if (data !== undefined) families.set(id, nameOf(data.family));
    }
  }
  return families.size === sources.size
    ? { by: 'family', nameOf: families }
    : { by: 'source', nameOf: sources };
}

const familySchema = z.object({ family: z.string() });

function runInfo(
  { config, title, generatedAt, command, trained }: ReportStage,
  sources: readonly { source: string; prompts: number }[],
  plan: TriagePlan | null,
  hasModel: boolean,
  source: TraceSource | null,
): RunInfo {
  const { 'onnxruntime-node': onnx } = dependencyVersions();
  const { provider } = config.engine;
  return {
    title,
    generatedAt,
    model: hasModel ? modelInfo(config.model) : null,
    pool: {
      name:
        sources
          .slice(0, 3)
          .map(({ source }) => source)
          .join(', ') || 'empty',
      prompts: sources.reduce((sum, one) => sum + one.prompts, 0),
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
    notices: [...sourceNotices(source), ...(plan?.warnings ?? [])],
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
