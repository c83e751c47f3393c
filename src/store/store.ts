/**
 * Opens a workspace: takes ownership, opens its database, brings the tables up to date.
 *
 * Knows nothing of what the rows mean.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Kysely, sql } from 'kysely';
import { UserError } from '../core/errors.ts';
import { errorCode, makeFolders } from '../core/files.ts';
import { openDatabase } from './database.ts';
import { type Engine, engineDialect } from './dialect.ts';
import { explained } from './failures.ts';
import { removeLeftovers } from './leftovers.ts';
import { migrate } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import { takeOwnership } from './owner.ts';
import { labelsIn } from './repositories/labels.ts';
import { plansIn, transitionsIn } from './repositories/plans.ts';
import { promptsIn } from './repositories/prompts.ts';
import { rolloutsIn } from './repositories/rollouts.ts';
import { metaIn, runsIn } from './repositories/runs.ts';
import { probesIn, scoresIn } from './repositories/scores.ts';
import { tracesIn } from './repositories/traces.ts';
import type { Database } from './schema.ts';
import type { DumpedRow, Repositories, Store } from './types.ts';

/**
 * Opens the store of `workspace`, creating both where there is none.
 * UserError when another process owns the workspace, when it cannot be written or the disk is full.
 */
export async function openStore(workspace: string): Promise<Store> {
  makeWorkspace(workspace);
  const lock = takeOwnership(join(workspace, 'owner.lock'));
  try {
    removeLeftovers(workspace);
    const engine = await openDatabase(workspace);
    return await storeOn(engine, () => lock.release());
  } catch (error) {
    lock.release();
    throw error;
  }
}

function makeWorkspace(workspace: string): void {
  let found = 'a file';
  try {
    makeFolders(workspace);
    if (statSync(workspace).isDirectory()) return;
  } catch (error) {
    const known = explained(error, workspace);
    if (known instanceof UserError) throw known;
    found = errorCode(error);
  }
  throw new UserError({
    wanted: 'a folder that can be made for the workspace',
    found,
    where: workspace,
    fix: 'Choose another workspace.',
  });
}

/** A store on any engine that speaks PostgreSQL 15; `onClose` runs after the engine was closed. */
export async function storeOn(engine: Engine, onClose: () => void): Promise<Store> {
  try {
    await migrate(engine, migrations);
  } catch (error) {
    await engine.close();
    throw error;
  }
  const db = new Kysely<Database>({ dialect: engineDialect(engine) });
  return {
    ...repositoriesIn(db),
    transaction: (work) => db.transaction().execute((tx) => work(repositoriesIn(tx))),
    dump: () => dump(db),
    async close() {
      // Closed here and not by kysely, which leaves a driver alone that was never used.
      await db.destroy();
      await engine.close();
      onClose();
    },
  };
}

function repositoriesIn(db: Kysely<Database>): Repositories {
  return {
    prompts: promptsIn(db),
    rollouts: rolloutsIn(db),
    traces: tracesIn(db),
    scores: scoresIn(db),
    probes: probesIn(db),
    plans: plansIn(db),
    transitions: transitionsIn(db),
    labels: labelsIn(db),
    runs: runsIn(db),
    meta: metaIn(db),
  };
}

/** Tables by name, each with the columns of its primary key: the order of a dump. */
const keys: Record<keyof Database, string> = {
  labels: 'ordinal',
  meta: 'key',
  plans: 'name',
  probes: 'plan, prompt_id',
  prompts: 'position',
  rollouts: 'round, prompt_id, sample',
  routes: 'plan, prompt_id',
  runs: 'name',
  scores: 'round, estimator, prompt_id',
  traces: 'round, prompt_id, sample',
  transitions: 'ordinal',
};

const pageRows = 2000;

async function* dump(db: Kysely<Database>): AsyncIterable<DumpedRow> {
  for (const [table, key] of Object.entries(keys)) {
    for (let offset = 0; ; offset += pageRows) {
      const page = await sql<Record<string, unknown>>`
        select * from ${sql.table(table)} order by ${sql.raw(key)} limit ${pageRows} offset ${offset}
      `.execute(db);
      for (const row of page.rows) yield { table, row: plain(row) };
      if (page.rows.length < pageRows) break;
    }
  }
}

function plain(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ]),
  );
}
