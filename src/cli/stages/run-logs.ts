/** Training runs as they were recorded: the row in the database and the logs in the run's folder. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Run, Store } from '../../store/types.ts';

const settingsSchema = z.object({
  seed: z.number(),
  triage: z.object({ plan: z.string() }),
  trace: z.object({ traces_per_prompt: z.number(), profile_prompts: z.number() }),
  train: z.object({
    arm: z.enum(['pivottrace', 'full', 'majority']),
    steps: z.number(),
    dynamic: z.object({ enabled: z.boolean(), warmup_groups: z.number() }),
  }),
  eval: z.object({ samples: z.number() }),
});

const evaluationSchema = z
  .object({
    step: z.number(),
    average: z.number(),
    per_prompt: z.array(z.number()),
    greedy: z.number().nullable(),
    rollouts: z.number(),
    tokens: z.number(),
    labels: z.number(),
    seconds: z.number(),
  })
  .transform(({ per_prompt: perPrompt, ...rest }) => ({ ...rest, perPrompt }));

// A mean over nothing is NaN, which JSON writes as null.
const measured = z.number().nullable();
const metricsSchema = z.object({
  step: z.number(),
  reward: measured,
  frac_reward_zero_std: measured,
  entropy: measured,
  'completions/mean_length': measured,
  num_tokens: z.number(),
  labels_used: z.number(),
  rollouts: z.number(),
  seconds: z.number(),
  // Labels whose prompt was drawn at least once; runs need not say.
  labels_visited: measured.optional(),
});

const questionSchema = z
  .object({
    step: z.number(),
    prompt_id: z.string(),
    gold: z.string(),
    response: z.string(),
    reason: z.string(),
    rung: z.string(),
  })
  .transform(({ prompt_id: promptId, ...rest }) => ({ ...rest, promptId }));

/** A response that a run could not judge and asks a person about. */
export type LoggedQuestion = z.infer<typeof questionSchema> & { run: string };

export type LoggedEvaluation = z.infer<typeof evaluationSchema>;
export type LoggedStep = z.infer<typeof metricsSchema>;

/** One training run. Logs are in order of step. */
export interface RunLog {
  name: string;
  status: Run['status'];
  plan: string | null;
  account: string;
  settings: z.infer<typeof settingsSchema>;
  evaluations: LoggedEvaluation[];
  metrics: LoggedStep[];
}

/** All runs that have logged something, by name. Lines and rows that cannot be read are left out. */
export async function runLogs(store: Pick<Store, 'runs'>, workspace: string): Promise<RunLog[]> {
  return (await store.runs.list()).flatMap((run) => {
    const settings = settingsSchema.safeParse(run.config);
    if (!run.kind.startsWith('train ') || !settings.success) return [];
    const { evaluations, metrics } = runLines(workspace, run.name);
    if (evaluations.length + metrics.length === 0) return [];
    const { name, status, plan } = run;
    const account = run.account ?? plan ?? name;
    return [{ name, status, plan, account, settings: settings.data, evaluations, metrics }];
  });
}

/** What the runs (train.undecided = ask) left for a person to judge, in the order in which it came up. */
export async function openQuestions(
  store: Pick<Store, 'runs'>,
  workspace: string,
): Promise<LoggedQuestion[]> {
  return (await store.runs.list()).flatMap(({ name: run }) =>
    parsedLines(join(workspace, 'runs', run, 'questions.jsonl'), questionSchema).map(
      (question) => ({ run, ...question }),
    ),
  );
}

/** What a run logged, in order of step; lines that cannot be read are left out. */
export function runLines(workspace: string, run: string): Pick<RunLog, 'evaluations' | 'metrics'> {
  const folder = join(workspace, 'runs', run);
  return {
    evaluations: logLines(join(folder, 'evaluations.jsonl'), evaluationSchema),
    metrics: logLines(join(folder, 'metrics.jsonl'), metricsSchema),
  };
}

function logLines<T extends { step: number }>(path: string, schema: z.ZodType<T>): T[] {
  // A run that was resumed may have logged a step twice; the later line is the one that counted.
  const byStep = new Map(parsedLines(path, schema).map((line) => [line.step, line]));
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

function parsedLines<T>(path: string, schema: z.ZodType<T>): T[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => schema.safeParse(parseLine(line)).data ?? []);
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
