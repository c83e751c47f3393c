/**
 * Every setting: its name, type, default and meaning. The one place where they are written down; the printed
 * configuration, the reference page and the checks all come from here.
 *
 * Groups of settings are in groups.ts, verify.ts and training.ts. Knows nothing of files or of how a setting is used.
 */
import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import { engine, label, pool, report, rollout, trace, triage } from './groups.ts';
import { flag, pathKey } from './keys.ts';
import { ray } from './ray.ts';
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
    'Hugging Face model directory, GGUF file, or ORG/NAME[/FILE.gguf][@REVISION] of the hub; bundled:PATH is a path inside the pivottrace package',
  ),
  model_download: flag(
    false,
    'Fetch a model of the hub that its cache lacks; without it no model is looked for on the network',
  ),
  engine,
  pool,
  rollout,
  endpoint,
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
  ray,
});

/** All settings, resolved: defaults filled in, paths absolute. Keys as in the file. */
export type Config = z.output<typeof configSchema>;
