/**
 * Shards as the workers of a job write them: `<chunk>.parquet`, and `<chunk>.json` that says it is whole. A shard counts
 * only with the content that its manifest names.
 *
 * Knows nothing of the database or of which prompts there are.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import type { GraphSignal } from '../model/attention-trace.ts';
import type { Head, RawTrace } from '../model/signals.ts';
import type { Rollout } from '../rollout/types.ts';

/** Signals that workers compute: agreement is made from far mass when a shard is taken in. */
const shardSignals = [
  'far_mass',
  'distance',
  'entropy',
  'change',
  'received',
] as const satisfies readonly GraphSignal[];

const head = z
  .tuple([z.int().min(0), z.int().min(0)])
  .transform(([layer, number]): Head => ({ layer, head: number }));

const manifestSchema = z.object({
  format: z.literal(1),
  chunk: z.string(),
  heads: z.array(head).min(1),
  sha256: z.string(),
  rows: z.int().min(0),
});

const bytes = z.instanceof(Uint8Array);
const rowSchema = z.object({
  prompt_id: z.string(),
  sample: z.int().min(0),
  prompt_length: z.int().min(1),
  finish: z.enum(['stop', 'length']),
  text: z.string(),
  tokens: bytes,
  logprobs: bytes,
  entropies: bytes,
  self_certainty: bytes,
  far_mass: bytes.optional(),
  distance: bytes.optional(),
  entropy: bytes.optional(),
  change: bytes.optional(),
  received: bytes.optional(),
});
type Row = z.output<typeof rowSchema>;

export interface Shard {
  chunk: string;
  /** Hex SHA-256 of the Parquet file. */
  sha256: string;
  heads: Head[];
  /** Each with its trace. */
  rollouts: Rollout[];
}

/** A shard that is there and does not hold what its manifest says. */
export class BrokenShard extends Error {
  override readonly name = 'BrokenShard';
}

/** The chunks that have a manifest in `folder`; empty where there is no such folder. */
export function shardsIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.slice(0, -'.json'.length));
  } catch {
    return [];
  }
}

/** Takes a shard away, so that a job makes it again. */
export function removeShard(folder: string, chunk: string): void {
  // The manifest first: without it the rest is no shard.
  for (const kind of ['json', 'parquet']) rmSync(join(folder, `${chunk}.${kind}`), { force: true });
}

/** The shard of a chunk. BrokenShard when its bytes are not those of the manifest, UserError when rows do not fit. */
export async function readShard(folder: string, chunk: string): Promise<Shard> {
  const path = join(folder, `${chunk}.parquet`);
  const manifest = manifestOf(join(folder, `${chunk}.json`));
  if (manifest.chunk !== chunk) throw new BrokenShard(`it is of ${manifest.chunk}`);
  const data = contentOf(path);
  const sha256 = createHash('sha256').update(data).digest('hex');
  if (sha256 !== manifest.sha256)
    throw new BrokenShard(
      `its SHA-256 is ${sha256.slice(0, 12)}, not ${manifest.sha256.slice(0, 12)}`,
    );
  const file = copied(data);
  // Without utf8: bytes stay bytes; texts say of themselves that they are texts.
  const rows = await parquetReadObjects({ file, compressors, utf8: false });
  const { heads } = manifest;
  if (rows.length !== manifest.rows)
    throw misfit(path, `${rows.length} rows, not ${manifest.rows}`);
  return { chunk, sha256, heads, rollouts: rows.map((row, i) => rolloutOf(row, heads, path, i)) };
}

function manifestOf(path: string): z.output<typeof manifestSchema> {
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    throw new BrokenShard('its manifest cannot be read');
  }
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    throw new BrokenShard('its Parquet file cannot be read');
  }
}

function rolloutOf(value: unknown, heads: readonly Head[], path: string, index: number): Rollout {
  const parsed = rowSchema.safeParse(value);
  const where = `${path}, row ${index + 1}`;
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw misfit(where, `at ${issue.path.join('.')}: ${issue.message}`);
  }
  const row = parsed.data;
  const tokens = new Int32Array(copied(row.tokens));
  const floats = (key: 'logprobs' | 'entropies' | 'self_certainty' | GraphSignal, each: number) => {
    const found = new Float32Array(copied(row[key] ?? new Uint8Array()));
    if (found.length === tokens.length * each) return found;
    throw misfit(where, `${found.length} numbers of ${key} for ${tokens.length} tokens`);
  };
  return {
    promptId: row.prompt_id,
    sample: row.sample,
    promptLength: row.prompt_length,
    ...{ tokens, text: row.text, finish: row.finish },
    logprobs: floats('logprobs', 1),
    entropies: floats('entropies', 1),
    selfCertainty: floats('self_certainty', 1),
    trace: traceOf(row, heads, tokens.length, (signal) => floats(signal, heads.length)),
  };
}

function traceOf(
  row: Row,
  heads: readonly Head[],
  tokens: number,
  floats: (signal: GraphSignal) => Float32Array,
): RawTrace {
  const there = shardSignals.filter((signal) => row[signal] !== undefined);
  const signals = Object.fromEntries(there.map((signal) => [signal, floats(signal)]));
  return { heads: [...heads], tokens, signals };
}

/** The bytes at an address that numbers may begin at. */
function copied(data: Uint8Array): ArrayBuffer {
  const out = new ArrayBuffer(data.byteLength);
  new Uint8Array(out).set(data);
  return out;
}

function misfit(where: string, found: string): UserError {
  return new UserError({
    wanted: 'a shard as pivottrace_ray of this version writes it',
    found,
    where,
    fix: 'Remove the shard; the same command has it made again.',
  });
}
