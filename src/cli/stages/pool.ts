/** Takes prompt files into the workspace, all or nothing. */
import { basename, extname } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { type Progress, stopHere } from '../../core/progress.ts';
import { contentHash } from '../../pool/content.ts';
import { type IngestSummary, ingest } from '../../pool/ingest.ts';
import type { ColumnMap } from '../../pool/types.ts';
import type { Repositories, Store } from '../../store/types.ts';
import type { Config } from '../config.ts';

/** Prompts after which the database should look at its tables anew. */
const many = 10_000;

export interface PoolStage {
  store: Store;
  config: Config;
  files: readonly string[];
  progress: Progress;
  stop: AbortSignal;
}

export interface Ingested extends IngestSummary {
  /** Prompts that were not in the pool before. */
  added: number;
  /** Were there already, under this id. */
  unchanged: number;
  /** Were there already, under another id; left out. */
  elsewhere: number;
}

/**
 * Reads `files` into the pool. UserError, and nothing is changed, when an id is in the pool with another content: its
 * rollouts and labels would then belong to the wrong prompt.
 */
export async function ingestFiles({
  store,
  config,
  files,
  progress,
  stop,
}: PoolStage): Promise<Ingested> {
  const { pool, workspace } = config;
  const options = {
    workspace,
    name: pool.name ?? poolName(files[0]),
    columns: columnMap(pool.columns),
    maxLineBytes: pool.max_line_bytes,
  };
  progress.start('pool', undefined, 'prompts');
  const done = await store.transaction(async (tables) => {
    const held = await idsByContent(tables);
    const counts = { added: 0, unchanged: 0, elsewhere: 0 };
    let read = 0;
    const summary = await ingest(files, options, async (prompts) => {
      stopHere(stop, 'Reading the pool');
      const fresh = prompts.filter(
        ({ id, prompt }) => (held.get(contentHash(prompt)) ?? id) === id,
      );
      const { added, unchanged, conflicts } = await tables.prompts.add(fresh);
      if (conflicts.length > 0) throw contentChanged(conflicts, files);
      counts.added += added;
      counts.unchanged += unchanged;
      counts.elsewhere += prompts.length - fresh.length;
      read += prompts.length;
      progress.update(read);
    });
    progress.finish(`${read} prompts read`);
    return { ...summary, ...counts };
  });
  if (done.added >= many) await store.refresh();
  return done;
}

/** `train.jsonl` is the pool `train`; characters that no file name should have become dashes. */
function poolName(file: string): string {
  const stem = basename(file, extname(file));
  return (
    stem
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 80) || 'pool'
  );
}

function columnMap(columns: Config['pool']['columns']): ColumnMap {
  const map: ColumnMap = {};
  for (const key of ['prompt', 'answer', 'id', 'source'] as const) {
    const name = columns[key];
    if (name !== null) map[key] = name;
  }
  return map;
}

async function idsByContent(tables: Repositories): Promise<Map<string, string>> {
  const prompts = await tables.prompts.list();
  return new Map(prompts.map(({ id, prompt }) => [contentHash(prompt), id]));
}

function contentChanged(ids: readonly string[], files: readonly string[]): UserError {
  return new UserError({
    wanted: 'ids that stand for the same prompt as before',
    found: `other content for ${ids.length} of them, for example "${ids[0]}"`,
    where: files.join(', '),
    fix: 'Nothing was read in. Give new prompts new ids, or read them into another workspace.',
  });
}
