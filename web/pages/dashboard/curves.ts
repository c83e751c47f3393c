/** Curves of runs as they grow: what came first and what came since, put together. Pure. */
import type { StepColumn, WireRun } from '../../../src/server/wire-dashboard.ts';

/** Runs as they were, and what the server has added. A run that is no longer told of is gone. */
export function grown(before: readonly WireRun[], now: readonly WireRun[]): WireRun[] {
  return now.map((run) => {
    const old = before.find(({ name }) => name === run.name);
    if (old === undefined || !run.follows) return run;
    const column = (name: StepColumn) => [
      ...(old.points.columns[name] ?? []),
      ...(run.points.columns[name] ?? []),
    ];
    return {
      ...run,
      points: {
        steps: [...old.points.steps, ...run.points.steps],
        columns: {
          reward: column('reward'),
          frac_reward_zero_std: column('frac_reward_zero_std'),
          entropy: column('entropy'),
          'completions/mean_length': column('completions/mean_length'),
          labels_used: column('labels_used'),
        },
      },
      evaluations: [...old.evaluations, ...run.evaluations],
    };
  });
}

/** What to tell the server of the runs that are here. */
export function versionsOf(runs: readonly WireRun[]): string {
  return JSON.stringify(Object.fromEntries(runs.map(({ name, version }) => [name, version])));
}

/** Labels of an account over the steps of its runs, cumulative; those before training are there at step 0. */
export function labelSteps(
  use: readonly { run: string | null; step: number | null; labels: number }[],
): { run: string; points: { x: number; y: number }[] }[] {
  const before = use.reduce((sum, one) => sum + (one.step === null ? one.labels : 0), 0);
  const runs = new Map<string, { x: number; y: number }[]>();
  for (const { run, step, labels } of use) {
    if (run === null || step === null) continue;
    const points = runs.get(run) ?? [{ x: 0, y: before }];
    points.push({ x: step, y: (points.at(-1)?.y ?? before) + labels });
    runs.set(run, points);
  }
  return [...runs].map(([run, points]) => ({ run, points }));
}
