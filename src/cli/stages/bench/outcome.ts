/** What came of a cell: result.json, written last, from what its run logged. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../../core/errors.ts';
import { readJson, writeWhole } from '../../../core/files.ts';
import { stageCosts } from '../../../store/costs.ts';
import { loadConfig } from '../../config.ts';
import { packageVersion } from '../../version.ts';
import { runLines } from '../run-logs.ts';
import { type BeforeTraining, beforeSchema } from './before.ts';
import type { CellJob } from './jobs.ts';

const measured = z.number().nullable();

const resultSchema = z.object({
  pool: z.string(),
  arm: z.string(),
  seed: z.number(),
  /** Samples per test prompt, and test prompts. */
  k: z.number(),
  test_prompts: z.number(),
  before: beforeSchema,
  /** Does `before` count as spent by this arm? */
  count_scoring: z.boolean(),
  /** Rollouts that training might make; null = as many as its steps took. */
  max_rollouts: measured,
  /** As logged: counters are those of training alone. */
  evaluations: z
    .array(
      z.object({
        step: z.number(),
        average: z.number(),
        greedy: measured,
        rollouts: z.number(),
        tokens: z.number(),
        labels: z.number(),
        seconds: z.number(),
      }),
    )
    .min(1),
  /** The last line of the training log; null where no step was made. */
  metrics: z.record(z.string(), z.unknown()).nullable(),
  /** Most rollouts in one step. */
  largest_step: z.number(),
  /** Labels whose prompt was drawn at least once; null where the run does not say. */
  labels_visited: measured,
  /** Wall seconds by stage. */
  stage_seconds: z.record(z.string(), z.number()),
  version: z.string(),
});

export type CellResult = z.infer<typeof resultSchema>;

const resultPath = (folder: string) => join(folder, 'result.json');

/** The result of a finished cell; undefined where it is not finished. */
export function readResult(folder: string): CellResult | undefined {
  const path = resultPath(folder);
  if (!existsSync(path)) return undefined;
  const parsed = resultSchema.safeParse(readJson(path));
  if (parsed.success) return parsed.data;
  throw new UserError({
    wanted: 'the result of a cell',
    found: z.prettifyError(parsed.error),
    where: path,
    fix: 'Delete the file and run the bench again: it is made from the logs of the cell.',
  });
}

/** Writes result.json and lets go of the checkpoints: the policy is under `final`. */
export function writeResult(
  job: CellJob,
  before: BeforeTraining,
  maxRollouts: number | null,
): void {
  const result = resultOf(job, before, maxRollouts);
  writeWhole(resultPath(job.folder), `${JSON.stringify(result, null, 1)}\n`);
  dropCheckpoints(job.folder);
}

function resultOf(job: CellJob, before: BeforeTraining, maxRollouts: number | null): CellResult {
  const { config } = loadConfig({ cwd: job.folder });
  const { evaluations, metrics } = runLines(job.folder, config.train.run ?? job.arm);
  const [first] = evaluations;
  if (first === undefined) {
    throw new UserError({
      wanted: 'evaluations of the run',
      found: 'none',
      where: job.folder,
      fix: 'Every cell needs eval.file and the verb train.',
    });
  }
  const last = metrics.at(-1);
  return {
    ...{ pool: job.pool, arm: job.arm, seed: job.seed },
    k: config.eval.samples,
    test_prompts: first.perPrompt.length,
    before,
    count_scoring: job.countScoring,
    max_rollouts: maxRollouts,
    evaluations: evaluations.map(({ perPrompt: _, ...one }) => one),
    metrics: last ?? null,
    largest_step: metrics.reduce(
      (most, { rollouts }, i) => Math.max(most, rollouts - (metrics[i - 1]?.rollouts ?? 0)),
      0,
    ),
    labels_visited: last?.labels_visited ?? null,
    stage_seconds: { ...stageCosts(job.folder).seconds },
    version: packageVersion(),
  };
}

function dropCheckpoints(folder: string): void {
  const runs = join(folder, 'runs');
  for (const run of existsSync(runs) ? readdirSync(runs) : []) {
    for (const name of readdirSync(join(runs, run))) {
      if (name.startsWith('checkpoint-')) {
        rmSync(join(runs, run, name), { recursive: true, force: true });
      }
    }
  }
}
