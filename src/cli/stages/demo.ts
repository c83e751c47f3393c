/**
 * The demo: a recipe over the stages of the other verbs, on the bundled model and pool.
 *
 * One plan ranks by the configured score and one at random. PivotTrace as it is meant (dynamic routing from the bare pool),
 * the routes of both plans and full supervision are trained on the same number of rollouts. Every stage does only what is missing, so that the same
 * call goes on after a stop. No figure is known beforehand.
 */
import type { Progress } from '../../core/progress.ts';
import type { ReportData } from '../../report/data.ts';
import type { Store } from '../../store/types.ts';
import type { TriagePlan } from '../../triage/types.ts';
import type { Verifiers } from '../../verify/verifiers.ts';
import type { Config } from '../config.ts';
import { buyPlanned, labelDesk, savedPlan } from './labels.ts';
import { withPolicy } from './policy.ts';
import { ingestFiles } from './pool.ts';
import { createReport } from './report.ts';
import { sideBySide } from './side-by-side.ts';
import { timed } from './stage-cost.ts';
import { sampleMore, tracePool } from './trace.ts';
import { trainRun } from './train.ts';
import { triage } from './triage.ts';
import { withVerifiers } from './workspace.ts';

/** Everything that makes it this demo; written to the settings of its workspace, where a person may change it. */
export const demoSettings: Readonly<Record<string, unknown>> = {
  workspace: '.',
  seed: 0,
  model: 'bundled:models/reasoner',
  'pool.files': ['bundled:data/pool.jsonl'],
  'rollout.max_tokens': 140,
  'rollout.batch_size': 64,
  'trace.traces_per_prompt': 2,
  // The bundled model marks its answers; a response that does not was cut off, and what it says by the way is no answer.
  'verify.extract.unmarked': 'none',
  'triage.plan': 'pivottrace',
  'triage.estimator': 'pivot_excess',
  'label.answers': 'bundled:data/answers.jsonl',
  // Chosen for full supervision, as docs/reproduction.md tells.
  'train.steps': 120,
  'train.max_rollouts': 4096,
  'train.prompts_per_step': 16,
  'train.group_size': 8,
  'train.lr': 2e-4,
  'train.epochs': 2,
  'train.average': 0.9,
  'eval.file': 'bundled:data/test.jsonl',
  'eval.limit': 200,
  'eval.every': 8,
};

export interface DemoStage {
  store: Store;
  config: Config;
  /** The command line that was given, for the report. */
  command: string;
  progress: Progress;
  stop: AbortSignal;
}

/** All arms judge alike. */
type Stage = DemoStage & { verifiers: Verifiers };

/** From an empty workspace to the report. */
export async function runDemo(given: DemoStage): Promise<{ path: string; data: ReportData }> {
  const { store, config } = given;
  await timed(config.workspace, 'demo', () =>
    withVerifiers(config, async (verifiers) => {
      const stage = { ...given, verifiers };
      await ingestFiles({ ...stage, files: config.pool.files });
      await timed(config.workspace, 'trace', () => traceAll(stage));
      const arms = await plannedArms(stage);
      await timed(config.workspace, 'training', () => trainAll(stage, arms));
    }),
  );
  return await createReport({
    ...{ store, config },
    title: 'PivotTrace demo',
    command: given.command,
  });
}

async function traceAll({ store, config, verifiers, progress, stop }: Stage): Promise<void> {
  await withPolicy(config, (policy) =>
    tracePool({ store, config, policy, verifiers, progress, stop, round: 0 }),
  );
}

/** Triage and labels for every plan; the configurations of the arms. */
async function plannedArms(stage: Stage): Promise<Config[]> {
  const { config } = stage;
  const named = (plan: string) => ({ ...config, triage: { ...config.triage, plan } });
  const plan = await planAndBuy(stage, named('pivottrace'));
  const random = randomTriage(named('random'), plan);
  await planAndBuy(stage, random);
  const full = { ...config, label: { ...config.label, budget: null } };
  const { dynamic } = config.train;
  const routed = { ...config.train, methods: ['early_stop'] };
  const moving = { ...routed, dynamic: { ...dynamic, enabled: true, start: 'pool' as const } };
  const fixed = (given: Config) => ({
    ...given,
    train: { ...given.train, dynamic: { ...dynamic, enabled: false } },
  });
  return [
    arm({ ...config, train: moving }, 'pivottrace', 'pivottrace'),
    arm(fixed(named('pivottrace')), 'pivottrace-fixed', 'pivottrace'),
    arm(full, 'full', 'full'),
    arm(fixed(random), 'random', 'pivottrace'),
  ];
}

/** Each run has the account of its plan, or one of its own. */
function arm(config: Config, run: string, name: Config['train']['arm']): Config {
  return {
    ...config,
    label: { ...config.label, account: null },
    train: { ...config.train, run, arm: name, plan: null },
  };
}

/** As many prompts on every route as `plan` has, drawn at random: such routes need neither scores nor probes. */
function randomTriage(config: Config, { counts }: TriagePlan): Config {
  const share = (count: number) => count / counts.pool;
  return {
    ...config,
    triage: {
      ...config.triage,
      estimator: 'random',
      probe_share: 0,
      rule: 'quota',
      quota: {
        discard: share(counts.discard),
        self: share(counts.self),
        annotate: share(counts.annotate),
      },
    },
  };
}

/** A plan that was made with these settings is left as it is: labels bought since would make it another. */
async function planAndBuy(stage: Stage, planned: Config): Promise<TriagePlan> {
  const { store, verifiers, progress, stop } = stage;
  const config = { ...planned, label: { ...planned.label, account: null } };
  const { plan: name } = config.triage;
  const key = `demo_plan/${name}`;
  const { seed, trace, label, triage: settings } = config;
  const asked = JSON.stringify({ seed, trace, label, settings });
  const desk = await labelDesk(store, config);
  if ((await store.meta.get(key)) !== asked) {
    await timed(config.workspace, `triage ${name}`, () =>
      triage({
        ...{ store, config, desk, verifiers, stop },
        sampleMore: (promptIds, samples) =>
          withPolicy(config, (policy) => {
            const tracing = { store, config, policy, verifiers, progress, stop, round: 0 };
            return sampleMore(tracing, promptIds, samples);
          }),
      }),
    );
    await store.meta.put(key, asked);
  }
  progress.start(`plan ${name}`, undefined, 'labels');
  const { spent } = await buyPlanned(store, config, desk);
  const { plan } = await savedPlan(store, name);
  const { discard, self, annotate } = plan.counts;
  progress.finish(
    `${discard} discard, ${self} self, ${annotate} annotate, by ${plan.estimator}; ${spent} labels bought`,
  );
  return plan;
}

/**
 * All arms at once: one that waited for the others would leave cores idle at the end. When one fails or a stop
 * is asked for, the others end at a checkpoint before the first trouble is passed on.
 */
async function trainAll(stage: Stage, arms: readonly Config[]): Promise<void> {
  const { store, config, verifiers } = stage;
  const failed = new AbortController();
  const stop = AbortSignal.any([stage.stop, failed.signal]);
  const names = arms.map(({ train }) => train.run ?? train.arm);
  const rollouts = config.train.max_rollouts;
  const [total, unit] = rollouts === null ? [config.train.steps, 'steps'] : [rollouts, 'rollouts'];
  const progress = sideBySide(stage.progress, 'train', names, total, unit);
  const troubles: unknown[] = [];
  const runs = arms.map(async (own, i) => {
    try {
      await timed(config.workspace, `run ${names[i]}`, () =>
        trainRun({
          ...{ store, config: own, verifiers },
          ...{ progress: progress[i], stop, sharing: arms.length },
        }),
      );
    } catch (error) {
      troubles.push(error);
      failed.abort();
    }
  });
  await Promise.all(runs);
  if (troubles.length > 0) throw troubles[0];
}
