/**
 * What limits the headline: `npx tsx bench/headline/limits.ts [FOLDER]`, after `npm run bench:headline`.
 *
 * Per pool and arm, means over seeds: groups with a gradient among all groups and per 1,000 rollouts; the error of the
 * scheduler's beliefs about the groups of a step; and rollouts until full supervision's final accuracy in the same seed,
 * for dynamic sampling also with the rejected groups not counted: no choice of prompts can do better than that, because
 * then every group has a gradient and none costs anything.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from '../rows.ts';

const [folder = join(root, 'build/headline')] = process.argv.slice(2);
const cells = join(folder, 'cells');
const REFERENCE = 'full';
/** Prompts and responses of a step in headline.yaml. */
const KEPT_PER_STEP = 16 * 8;

const metrics = z.object({
  groups: z.int(),
  frac_reward_zero_std: z.number(),
  rollouts: z.int(),
  surprise: z.number().nullable(),
});
const evaluation = z.object({ step: z.int(), rollouts: z.int(), average: z.number() });

interface Run {
  metrics: z.infer<typeof metrics>[];
  evaluations: z.infer<typeof evaluation>[];
}

function lines<T>(file: string, schema: z.ZodType<T>): T[] {
  const text = readFileSync(file, 'utf8').trim();
  return text.split('\n').map((line) => schema.parse(JSON.parse(line)));
}

function runOf(pool: string, arm: string, seed: string): Run | undefined {
  const runs = join(cells, pool, arm, seed, 'runs');
  const name = existsSync(runs) ? readdirSync(runs)[0] : undefined;
  if (name === undefined || !existsSync(join(runs, name, 'final'))) return undefined;
  return {
    metrics: lines(join(runs, name, 'metrics.jsonl'), metrics),
    evaluations: lines(join(runs, name, 'evaluations.jsonl'), evaluation),
  };
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const withGradient = ({ metrics: all }: Run) =>
  sum(all.map(({ groups, frac_reward_zero_std: zero }) => groups * (1 - zero)));

/** Rollouts at the first evaluation that reaches `target`; the run's total where none does. */
function until(run: Run, target: number, counted: (at: Run['evaluations'][number]) => number) {
  const reached = run.evaluations.find(({ average }) => average >= target);
  return counted(reached ?? run.evaluations[run.evaluations.length - 1]);
}

function row(pool: string, arm: string, full: ReadonlyMap<string, Run>) {
  const found = readdirSync(join(cells, pool, arm)).flatMap((seed) => {
    const run = runOf(pool, arm, seed);
    const reference = full.get(seed);
    return run === undefined || reference === undefined ? [] : [{ run, reference }];
  });
  if (found.length === 0) return undefined;
  const surprises = found.flatMap(({ run }) =>
    run.metrics.flatMap(({ surprise }) => (surprise === null ? [] : [surprise])),
  );
  const times = (counted: (at: Run['evaluations'][number]) => number) =>
    Math.exp(
      mean(
        found.map(({ run, reference }) => {
          const target = reference.evaluations[reference.evaluations.length - 1].average;
          const own = until(run, target, counted);
          return Math.log(until(reference, target, ({ rollouts }) => rollouts) / own);
        }),
      ),
    );
  return {
    ...{ pool, arm, seeds: found.length },
    active: mean(
      found.map(({ run }) => withGradient(run) / sum(run.metrics.map(({ groups }) => groups))),
    ),
    per1000: mean(
      found.map(
        ({ run }) => (1000 * withGradient(run)) / run.metrics[run.metrics.length - 1].rollouts,
      ),
    ),
    error: surprises.length === 0 ? null : mean(surprises),
    ratio: times(({ rollouts }) => rollouts),
    ceiling: arm === 'dapo' ? times(({ step }) => step * KEPT_PER_STEP) : null,
  };
}

const shown = (value: number | null, digits: number) =>
  (value === null ? '-' : value.toFixed(digits)).padStart(9);
console.log(
  `${'pool'.padEnd(9)}${'arm'.padEnd(21)}${['seeds', 'active', 'per 1000', 'error', 'ratio', 'ceiling'].map((name) => name.padStart(9)).join('')}`,
);
const rows = readdirSync(cells).flatMap((pool) => {
  const full = new Map(
    readdirSync(join(cells, pool, REFERENCE)).flatMap((seed) => {
      const run = runOf(pool, REFERENCE, seed);
      return run === undefined ? [] : [[seed, run] satisfies [string, Run]];
    }),
  );
  return readdirSync(join(cells, pool)).flatMap((arm) => row(pool, arm, full) ?? []);
});
for (const one of rows) {
  console.log(
    `${one.pool.padEnd(9)}${one.arm.padEnd(21)}${String(one.seeds).padStart(9)}${shown(one.active, 2)}${shown(one.per1000, 1)}${shown(one.error, 2)}${shown(one.ratio, 2)}${shown(one.ceiling, 2)}`,
  );
}
console.log(JSON.stringify(rows));
