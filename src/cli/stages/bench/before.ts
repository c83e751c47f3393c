/** What a cell spent before its first step of training, counted once, before that step. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../../core/errors.ts';
import { readJson, writeWhole } from '../../../core/files.ts';
import { stageCosts } from '../../../store/costs.ts';
import { planFromJson } from '../../../triage/disk.ts';
import { type Config, loadConfig } from '../../config.ts';
import { nothingSpent, type Spent, spentOn, spentOnPlan } from '../before-training.ts';
import { withStore } from '../workspace.ts';
import type { CellJob } from './jobs.ts';

const count = z.int().min(0);
const spentSchema = z.strictObject({ rollouts: count, tokens: count });

export const beforeSchema = z.strictObject({
  pool_prompts: count,
  /** Responses that scores rest on, those on which heads were chosen included. */
  scoring: spentSchema,
  /** Further responses, to measure the pass rate of probes. */
  probes: spentSchema,
  /** Wall seconds of both. */
  seconds: z.number().min(0),
  /** Bought before training. */
  labels: count,
});

export type BeforeTraining = z.infer<typeof beforeSchema>;

export type CountBefore = (job: Pick<CellJob, 'folder'>) => Promise<BeforeTraining>;

/** Counts it, or reads what was counted before. */
export const countBefore: CountBefore = async ({ folder }) => {
  const path = join(folder, 'before.json');
  if (existsSync(path)) return beforeSchema.parse(readJson(path));
  const { config } = loadConfig({ cwd: folder });
  const before = await inTurn(() => counted(config));
  writeWhole(path, `${JSON.stringify(before)}\n`);
  return before;
};

/** A workspace that has a plan spent what the plan rests on; any other all that was sampled in it. */
async function counted(config: Config): Promise<BeforeTraining> {
  const name = config.train.plan ?? config.triage.plan;
  const { seconds } = stageCosts(config.workspace);
  return await withStore({ config, database: undefined }, async (store) => {
    const saved = await store.plans.get(name);
    const digests = await store.rollouts.digests(0);
    const poolPrompts = await store.prompts.count();
    const account = config.label.account ?? name;
    const labels = (await store.labels.owned(account)).length;
    if (saved === undefined) {
      const profiled = Math.min(config.trace.profile_prompts, poolPrompts);
      const { rollouts: sampled, tokens } = spentOn(digests);
      const rollouts = sampled === 0 ? 0 : sampled + profiled;
      const scoring: Spent = { rollouts, tokens };
      const spent = rollouts === 0 ? 0 : (seconds.trace ?? 0);
      return {
        pool_prompts: poolPrompts,
        scoring,
        probes: nothingSpent,
        seconds: spent,
        labels,
      };
    }
    const spent = spentOnPlan(config.trace, planFromJson(saved.body), digests);
    const tracing = spent.scoring.rollouts === 0 ? 0 : (seconds.trace ?? 0);
    return {
      pool_prompts: poolPrompts,
      ...spent,
      seconds: tracing + (seconds[`triage ${name}`] ?? 0),
      labels,
    };
  });
}

/** Rollouts that are left for training. UserError where scoring has taken them all. */
export function rolloutsLeft(
  { budget, id }: Pick<CellJob, 'budget' | 'id'>,
  { scoring, probes }: BeforeTraining,
): number | null {
  if (budget === null) return null;
  const spent = budget.countScoring ? scoring.rollouts + probes.rollouts : 0;
  const left = budget.rollouts - spent;
  if (left > 0) return left;
  throw new UserError({
    wanted: `rollouts left for training of the ${budget.rollouts} under budget.rollouts`,
    found: `${spent} spent on scoring and probing`,
    where: id,
    fix: 'Raise budget.rollouts, trace fewer responses, or score part of the pool.',
  });
}

let last: Promise<unknown> = Promise.resolve();

/** One database at a time: each takes memory of its own. */
function inTurn<T>(job: () => Promise<T>): Promise<T> {
  const mine = last.then(job, job);
  last = mine.catch(() => undefined);
  return mine;
}
