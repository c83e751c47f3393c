// manifest.json of an export: what is in the folder, what it was made from, and what has changed since the export before it.
// The last file that is written; without it, or beside a manifest.next.json, a folder is not whole.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { reasons, trainers } from './types.ts';

export const manifestName = 'manifest.json';
/** The manifest of an export that is being written. */
export const nextName = 'manifest.next.json';

const count = z.int().min(0);
const ids = z.array(z.string());

export const manifestSchema = z.object({
  kind: z.literal('pivottrace-export'),
  format: z.literal(1),
  to: z.enum(trainers),
  /** pivottrace's own, and the versions of the trainer that the folder is for. */
  versions: z.object({ pivottrace: z.string(), trainer: z.string().nullable() }),
  plan: z.object({ name: z.string(), revision: count, round: count, account: z.string() }),
  /** `sha256` is that of the files that determine what a directory computes; null for a name of a hub. */
  model: z.object({ path: z.string(), sha256: z.string().nullable() }),
  /** What starts the training, in the folder, as a shell command; null where there is nothing to start. */
  entrypoint: z.string().nullable(),
  votes: z.enum(['frozen', 'live']),
  self_weight: z.number(),
  counts: z.object({
    pool: count,
    train: count,
    val: count,
    routes: z.record(z.string(), count),
    labels: z.record(z.string(), count),
    verifiers: z.record(z.string(), count),
    left_out: z.partialRecord(z.enum(reasons), count),
  }),
  /** What a person should know before training. */
  notes: z.array(z.string()),
  files: z.record(z.string(), z.object({ bytes: count, sha256: z.string() })),
  /** Files that a person has changed: they are not as `files` says, and stay as they are. */
  kept: z.array(z.string()),
  /** Prompts whose row is new, other or gone since the export with the manifest `since` (its SHA-256); null: the first. */
  changes: z.object({ since: z.string(), added: ids, changed: ids, removed: ids }).nullable(),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** Reads a manifest. UserError for a text that is none; `where` is the file. */
export function parseManifest(text: string, where: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UserError({
    wanted: 'the manifest of an export by this version of pivottrace',
    found: 'another file',
    where,
    fix: 'Choose another folder with --out, or move this one away.',
  });
}

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
