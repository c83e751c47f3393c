/**
 * Plans, transitions and states of the scheduler as JSON: snake_case keys on disk, checked on the way in.
 */
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import type { SchedulerState } from './scheduler-types.ts';
import type { CalibrationReport, Decision, ScoreQuality, Transition, TriagePlan } from './types.ts';

const interval = z.strictObject({
  estimate: z.number(),
  low: z.number(),
  high: z.number(),
  level: z.number(),
});
const route = z.enum(['discard', 'self', 'annotate']);
const state = z.enum(['new', 'discard', 'self', 'annotate', 'annotated']);
const rule = z.enum(['quota', 'risk', 'budget']);
const evidence = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]));
const share = z.number().min(0).max(1);

const quality = z.strictObject({
  estimator: z.string(),
  probes: z.int().min(0),
  auroc: interval.nullable(),
  brier: z.number().nullable(),
  ece: z.number().nullable(),
  spearman: interval.nullable(),
  aurocAlone: z.number().nullable(),
  spearmanAlone: z.number().nullable(),
  spearmanGivenLength: z.number().nullable(),
  spearmanLength: z.number().nullable(),
  ties: z.strictObject({
    distinct: z.int(),
    distinctBroken: z.int(),
    tied: z.int(),
    tiedBroken: z.int(),
    largest: share,
    largestBroken: share,
    brokenBy: z.array(z.string()),
  }),
  verdict: z.enum(['beats chance', 'no better than chance', 'unknown']),
}) satisfies z.ZodType<ScoreQuality>;

const calibration = quality.extend({
  masteredAt: share,
  level: z.number(),
  meanPassRate: share.nullable(),
  meanVoteRight: share.nullable(),
  curve: z.array(
    z.strictObject({
      position: share,
      score: z.number(),
      window: z.number(),
      passRate: interval,
      vote: interval.nullable(),
      utility: z.number(),
    }),
  ),
  dots: z.array(
    z.strictObject({
      promptId: z.string(),
      position: share,
      score: z.number(),
      passRate: share,
      voteRight: z.boolean().nullable(),
    }),
  ),
}) satisfies z.ZodType<CalibrationReport>;

const decision = z.strictObject({
  promptId: z.string(),
  score: z.number(),
  rank: z.int().min(0),
  route,
  probe: z.boolean(),
  expectedPassRate: share.nullable(),
  evidence,
  rule: z.string(),
});

const plan = z.strictObject({
  version: z.literal(1),
  name: z.string(),
  round: z.int().min(0),
  estimator: z.string(),
  requested: z.string(),
  rule,
  requestedRule: rule,
  fallback: z.string().nullable(),
  warnings: z.array(z.string()),
  thresholds: z.strictObject({ discardBelow: z.number(), annotateAbove: z.number() }),
  counts: z.strictObject({
    pool: z.int(),
    discard: z.int(),
    self: z.int(),
    annotate: z.int(),
    probes: z.int(),
  }),
  budget: z.strictObject({
    owned: z.int(),
    toBuy: z.int(),
    labels: z.number().nullable(),
    trainPrompts: z.number().nullable(),
  }),
  settings: z.strictObject({
    rule,
    quota: z.strictObject({ discard: share, self: share, annotate: share }),
    hi: share,
    voteFloor: share,
    labels: z.number().nullable(),
    trainPrompts: z.number().nullable(),
    masteredAt: share,
    window: z.number(),
    level: z.number(),
    resamples: z.number(),
    minProbes: z.number(),
    tieLimit: z.number(),
    seed: z.number(),
  }),
  calibration,
  alternatives: z.array(quality),
  decisions: z.array(decision),
}) satisfies z.ZodType<TriagePlan>;

const transition = z.strictObject({
  promptId: z.string(),
  from: state.nullable(),
  to: state,
  rule: z.string(),
  evidence,
  plan: z.string(),
  round: z.int().min(0),
  step: z.int().nullable(),
}) satisfies z.ZodType<Transition>;

const schedulerState = z.strictObject({
  version: z.literal(2),
  plan: z.string(),
  round: z.int().min(0),
  step: z.int(),
  groups: z.int().min(0),
  prompts: z.array(
    z.strictObject({
      promptId: z.string(),
      state,
      visits: z.int(),
      hits: z.number(),
      misses: z.number(),
      seen: z.int(),
      verified: z.boolean(),
      owned: z.boolean(),
      refused: z.boolean(),
      traced: z.array(z.number()).nullable(),
    }),
  ),
}) satisfies z.ZodType<SchedulerState>;

/** The state of the scheduler as a JSON value, for a checkpoint; numbers come back bit for bit. */
export function schedulerStateToJson(value: SchedulerState): unknown {
  return renameKeys(value, snakeCase);
}

/** Reads what `schedulerStateToJson` gave; `where` (a file) is named in the UserError. */
export function schedulerStateFromJson(json: unknown, where?: string): SchedulerState {
  return parsed(schedulerState, json, 'a state of the scheduler', where);
}

/** The plan as a JSON value with snake_case keys. */
export function planToJson(value: TriagePlan): unknown {
  return renameKeys(value, snakeCase);
}

/** The decisions of a plan as JSON values one after the other: all at once would take as much memory as the plan. */
export function* decisionsToJson(decisions: Iterable<Decision>): Generator<unknown> {
  for (const one of decisions) {
    const { promptId, score, rank, route, probe, expectedPassRate, evidence, rule } = one;
    const expected_pass_rate = expectedPassRate;
    yield { prompt_id: promptId, score, rank, route, probe, expected_pass_rate, evidence, rule };
  }
}

/** Reads what `planToJson` gave; `where` (a file) is named in the UserError when it is something else. */
export function planFromJson(json: unknown, where?: string): TriagePlan {
  return parsed(plan, json, 'a triage plan', where);
}

/** Reads some of what `decisionsToJson` gave; `where` is named in the UserError. */
export function decisionsFromJson(json: unknown, where?: string): Decision[] {
  return parsed(z.array(decision), json, 'decisions of a triage plan', where);
}

/** One line of the manifest, without its newline. */
export function transitionToLine(value: Transition): string {
  return JSON.stringify(renameKeys(value, snakeCase));
}

/** Reads one line of the manifest; `where` (file and line) is named in the UserError. */
export function transitionFromLine(line: string, where?: string): Transition {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    throw new UserError(
      { wanted: 'a transition as JSON', found: JSON.stringify(line.slice(0, 80)), where },
      { cause: error },
    );
  }
  return parsed(transition, json, 'a transition', where);
}

function parsed<T>(schema: z.ZodType<T>, json: unknown, wanted: string, where?: string): T {
  const result = schema.safeParse(renameKeys(json, camelCase));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const key = issue.path.map((part) => snakeCase(String(part))).join('.');
  throw new UserError({ wanted, found: `${key === '' ? '' : `${key}: `}${issue.message}`, where });
}

/** Renames the keys of a JSON value throughout; evidence is the writer's own and keeps its keys. */
function renameKeys(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renameKeys(item, rename));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      rename(key),
      key === 'evidence' ? item : renameKeys(item, rename),
    ]),
  );
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function camelCase(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
