/** What the dashboard and the server say to each other. Pure, as wire.ts. Times are milliseconds since 1970. */
import * as z from 'zod';

const LONGEST_NAME = 1_000;
/** Rows of the transitions log at a time. */
export const LOG_LIMIT = 50;

const name = z.string().max(LONGEST_NAME);
const blankAsNull = (text: string) => (text === '' ? null : text);
const ordinal = z.coerce.number().int().min(0).max(2_147_483_647);

/** What there is to choose from, and what the server was started with. */
export const dashboardNames = z.object({
  plan: z.string(),
  account: z.string(),
  /** Plans that were saved. */
  plans: z.array(z.string()),
  /** Names that changes of state are filed under: plans, and runs without one. */
  logs: z.array(z.string()),
  accounts: z.array(z.string()),
});
export type DashboardNames = z.infer<typeof dashboardNames>;

export const planQuery = z.object({ plan: name.default('').transform(blankAsNull) });
export const accountQuery = z.object({ account: name.default('').transform(blankAsNull) });

const count = z.int().min(0);
const stateCount = z.object({ state: z.string(), prompts: count });

export const poolMap = z.object({
  plan: z.string(),
  revision: z.int(),
  round: z.int(),
  estimator: z.string(),
  rule: z.string(),
  fallback: z.string().nullable(),
  warnings: z.array(z.string()),
  pool: count,
  /** In units of the score; prompts with a label of their own may lie on either side. */
  thresholds: z.object({ discardBelow: z.number(), annotateAbove: z.number() }),
  /** As prompts stand now. */
  states: z.array(stateCount),
  /** null where the round has no such score. The last bin has what lies above `high` too. */
  histogram: z
    .object({
      low: z.number(),
      high: z.number(),
      bins: z.int(),
      parts: z.array(z.object({ bin: z.int(), state: z.string(), prompts: count })),
    })
    .nullable(),
  /** Pass rates measured before training. */
  probes: z.array(
    z.object({
      promptId: z.string(),
      score: z.number(),
      passRate: z.number(),
      voteRight: z.boolean().nullable(),
      state: z.string().nullable(),
    }),
  ),
  /** Prompts that training moved: share of their rollouts that agreed with the label, or with the majority. */
  moved: z.array(
    z.object({
      promptId: z.string(),
      score: z.number(),
      agreement: z.number(),
      rollouts: z.number(),
      step: z.int(),
      state: z.string().nullable(),
    }),
  ),
  /** The calibrated pass rate along the score, with its band. */
  curve: z.array(
    z.object({ score: z.number(), rate: z.number(), low: z.number(), high: z.number() }),
  ),
});
export type WirePoolMap = z.infer<typeof poolMap>;

export const labelFigures = z.object({
  account: z.string(),
  /** Prompts with a label. */
  owned: count,
  /** null: no limit, or another account than the server's. */
  budget: count.nullable(),
  /** Labels by source. */
  sources: z.array(z.object({ source: z.string(), labels: count, cost: z.number() })),
  /** Labels bought at each step of a run, in order; `run` and `step` null before training. */
  use: z.array(z.object({ run: z.string().nullable(), step: z.int().nullable(), labels: count })),
  /** Answers given at the desk, by hour; the last 14 days. */
  pace: z.array(z.object({ at: z.number(), answers: count })),
});
export type WireLabelFigures = z.infer<typeof labelFigures>;

/** Measured at every step, in the order of `steps`. */
const stepColumns = [
  'reward',
  'frac_reward_zero_std',
  'entropy',
  'completions/mean_length',
  'labels_used',
] as const;
export type StepColumn = (typeof stepColumns)[number];

const measured = z.number().nullable();
/** What each run's curves were like when they were last asked for: `version` by run. */
const known = z.record(z.string(), z.string().max(80));
export const runsQuery = z.object({
  known: z
    .string()
    .max(20_000)
    .default('{}')
    .transform((text, context) => {
      try {
        return known.parse(JSON.parse(text));
      } catch {
        context.addIssue({ code: 'custom', message: 'an object of versions' });
        return z.NEVER;
      }
    }),
});

const wireRun = z.object({
  name: z.string(),
  kind: z.string(),
  status: z.enum(['running', 'stopped', 'done', 'failed']),
  plan: z.string().nullable(),
  account: z.string().nullable(),
  /** Steps that it is to make; null where its settings do not say. */
  planned: z.int().nullable(),
  /** The last step that was logged; null before the first. */
  step: z.int().nullable(),
  rollouts: z.number(),
  tokens: z.number(),
  labels: z.number(),
  /** Spent on training steps. */
  seconds: z.number(),
  /** To ask for what comes behind it. */
  version: z.string(),
  /** Whether the points below come behind those of the version that was asked with, or stand for all. */
  follows: z.boolean(),
  points: z.object({
    steps: z.array(z.int()),
    columns: z.record(z.enum(stepColumns), z.array(measured)),
  }),
  evaluations: z.array(
    z.object({
      step: z.int(),
      average: measured,
      greedy: measured,
      rollouts: z.number(),
      labels: z.number(),
    }),
  ),
});
export type WireRun = z.infer<typeof wireRun>;
export const wireRuns = z.object({ runs: z.array(wireRun) });

export const transitionsQuery = z.object({
  plan: name.default('').transform(blankAsNull),
  prompt: name.default('').transform(blankAsNull),
  rule: name.default('').transform(blankAsNull),
  /** Ordinal of the oldest one that is shown. */
  before: ordinal.optional(),
});
export const evidence = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]));
const wireTransition = z.object({
  ordinal: z.int(),
  plan: z.string(),
  revision: z.int(),
  promptId: z.string(),
  round: z.int(),
  step: z.int().nullable(),
  from: z.string().nullable(),
  to: z.string(),
  rule: z.string(),
  evidence,
});
export type WireTransition = z.infer<typeof wireTransition>;
export const transitionsPage = z.object({
  rows: z.array(wireTransition),
  /** To go on from; null at the end. */
  next: z.int().nullable(),
  /** Under the same plan, whatever the other filters. */
  rules: z.array(z.object({ rule: z.string(), moves: count })),
});
export type WireTransitionsPage = z.infer<typeof transitionsPage>;

export const costFigures = z.object({
  /** Everything sampled to score and probe, by round. */
  rounds: z.array(
    z.object({ round: z.int(), prompts: count, rollouts: count, tokens: z.number() }),
  ),
  /** Wall seconds of the stages that were timed, in the order of the file. */
  stages: z.array(z.object({ stage: z.string(), seconds: z.number() })),
  peakMemoryBytes: z.number().nullable(),
});
export type WireCost = z.infer<typeof costFigures>;

/** A file that can be downloaded. */
export const exportsList = z.object({
  files: z.array(z.object({ href: z.string(), title: z.string(), detail: z.string() })),
});
export type WireExports = z.infer<typeof exportsList>;
