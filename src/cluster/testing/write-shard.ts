/** Shards as ray/src/pivottrace_ray/shards.py writes them, for tests. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { GraphSignal } from '../../model/attention-trace.ts';
import type { Head } from '../../model/signals.ts';

export interface ShardRow {
  promptId: string;
  sample: number;
  text: string;
  tokens: readonly number[];
  /** Token-major [tokens * heads] each. */
  signals: Partial<Record<GraphSignal, readonly number[]>>;
}

export function writeShard(
  folder: string,
  chunk: string,
  heads: readonly Head[],
  rows: readonly ShardRow[],
): void {
  mkdirSync(folder, { recursive: true });
  const bytes = (values: Iterable<number>) => new Uint8Array(Float32Array.from(values).buffer);
  const signals = Object.keys(rows[0]?.signals ?? {}) as GraphSignal[];
  const binary = (name: string, data: Uint8Array[]) => ({
    name,
    data,
    type: 'BYTE_ARRAY' as const,
  });
  const texts = (name: string, data: string[]) => ({ name, data, type: 'STRING' as const });
  const counts = (name: string, data: number[]) => ({ name, data, type: 'INT32' as const });
  const flat = (value: number) => rows.map(({ tokens }) => bytes(tokens.map(() => value)));
  const data = parquetWriteBuffer({
    columnData: [
      texts(
        'prompt_id',
        rows.map(({ promptId }) => promptId),
      ),
      counts(
        'sample',
        rows.map(({ sample }) => sample),
      ),
      counts(
        'prompt_length',
        rows.map(() => 3),
      ),
      texts(
        'finish',
        rows.map(() => 'stop'),
      ),
      texts(
        'text',
        rows.map(({ text }) => text),
      ),
      binary(
        'tokens',
        rows.map(({ tokens }) => new Uint8Array(Int32Array.from(tokens).buffer)),
      ),
      binary('logprobs', flat(-0.5)),
      binary('entropies', flat(0.25)),
      binary('self_certainty', flat(2)),
      ...signals.map((name) =>
        binary(
          name,
          rows.map((row) => bytes(row.signals[name] ?? [])),
        ),
      ),
    ],
  });
  writeFileSync(join(folder, `${chunk}.parquet`), new Uint8Array(data));
  const manifest = {
    ...{ format: 1, chunk, heads: heads.map(({ layer, head }) => [layer, head]) },
    sha256: createHash('sha256').update(new Uint8Array(data)).digest('hex'),
    rows: rows.length,
  };
  writeFileSync(join(folder, `${chunk}.json`), JSON.stringify(manifest));
}
