/**
 * Every setting: its name, type, default and meaning. The one place where they are written down; the printed
 * configuration, the reference page and the checks all come from here.
 *
 * Groups of settings are in groups.ts, verify.ts and training.ts. Knows nothing of files or of how a setting is used.
 */
import { z } from 'zod';
import { engine, label, pool, report, rollout, trace, triage } from './groups.ts';
import { pathKey } from './keys.ts';
import { serve } from './serve.ts';
import { teacher } from './teacher.ts';
import { evaluation, methods, train } from './training.ts';
import { verify } from './verify.ts';

export const configSchema = z.strictObject({
  workspace: pathKey('.', 'Folder of the database, runs and reports'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(0)
    .describe('Seed of everything random; the same seed gives the same result'),
  model: pathKey(
    'bundled:models/reasoner',
    'Hugging Face model directory; bundled:PATH is a path inside the pivottrace package',
  ),
  engine,
  pool,
  rollout,
  trace,
  verify,
  triage,
  label,
  teacher,
  train,
  methods,
  eval: evaluation,
  report,
  serve,
});

/** All settings, resolved: defaults filled in, paths absolute. Keys as in the file. */
export type Config = z.output<typeof configSchema>;
