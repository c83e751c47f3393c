/**
 * Opens a store: finds its engine and brings the tables up to date.
 *
 * Knows nothing of what the rows mean.
 */
import { Kysely, sql } from 'kysely';
import { type Engine, engineDialect } from './dialect.ts';
import { migrate } from './migrate.ts';
import { migrations, newestSchema } from './migrations/index.ts';
import { type OpenOptions, openEngine } from './open-engine.ts';
import { auditIn } from './repositories/audit.ts';
import { browseIn } from './repositories/browse.ts';
import { deskIn } from './repositories/desk.ts';
import { labelsIn } from './repositories/labels.ts';
import { plansIn } from './repositories/plans.ts';
import { promptsIn } from './repositories/prompts.ts';
import { rolloutsIn } from './repositories/rollouts.ts';
import { metaIn, runsIn } from './repositories/runs.ts';
import { probesIn, scoresIn } from './repositories/scores.ts';
import { invitationsIn, sessionsIn } from './repositories/sessions.ts';
import { tracesIn } from './repositories/traces.ts';
import { transitionsIn } from './repositories/transitions.ts';
import { usersIn } from './repositories/users.ts';
import { watchIn } from './repositories/watch.ts';
import type { Database } from './schema.ts';
import type { DumpedRow, Repositories, Store } from './types.ts';

/**
 * Opens the store at `target`: a workspace folder, made with its database where there is none, or a
 * PostgreSQL database as postgres://USER:PASSWORD@HOST:PORT/NAME, in which the tables are made. With `share`
 * other processes that open the same folder work through this one; without, they are refused.
 * UserError when another process owns the folder and does not share it, when it cannot be written or the disk
 * is full; when the server cannot be reached, refuses the user or is too old, without ever showing the password.
 */
export async function openStore(target: string, options: OpenOptions = {}): Promise<Store> {
  const opened = await openEngine(target, newestSchema, options);
  try {
    // Who shares a workspace keeps its tables up to date.
    if (opened.by !== 'guest') await migrate(opened.engine, migrations);
    opened.ready(newestSchema);
  } catch (error) {
    await opened.close();
    throw error;
  }
  return storeOf(opened.engine, () => opened.close());
}

/** A store on any engine that speaks PostgreSQL 15; `onClose` runs after the engine was closed. */
export async function storeOn(engine: Engine, onClose: () => void): Promise<Store> {
  try {
    await migrate(engine, migrations);
  } catch (error) {
    await engine.close();
    throw error;
  }
  return storeOf(engine, async () => {
    await engine.close();
    onClose();
  });
}

function storeOf(engine: Engine, close: () => Promise<void>): Store {
  const db = new Kysely<Database>({ dialect: engineDialect(engine) });
  return {
    ...repositoriesIn(db),
    transaction: (work) => db.transaction().execute((tx) => work(repositoriesIn(tx))),
    refresh: async () => void (await sql`analyze`.execute(db)),
    dump: () => dump(db),
    async close() {
      // The engine is closed here and not by kysely, which leaves a driver alone that was never used.
      await db.destroy();
      await close();
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
    desk: deskIn(db),
    runs: runsIn(db),
    meta: metaIn(db),
    users: usersIn(db),
    sessions: sessionsIn(db),
    invitations: invitationsIn(db),
    auditLog: auditIn(db),
    watch: watchIn(db),
    browse: browseIn(db),
  };
}

/** Tables by name, each with the columns of its primary key: the order of a dump. */
const keys: Record<keyof Database, string> = {
  annotations: 'ordinal',
  audit: 'ordinal',
  golds: 'account, prompt_id',
  invitations: 'key',
  labels: 'ordinal',
  leases: 'account, annotator',
  meta: 'key',
  plan_pages: 'plan, page',
  plans: 'name',
  probes: 'plan, prompt_id',
  prompts: 'position',
  rollouts: 'round, prompt_id, sample',
  routes: 'plan, prompt_id',
  runs: 'name',
  scores: 'round, estimator, prompt_id',
  sessions: 'key',
  tasks: 'account, prompt_id',
  traces: 'round, prompt_id, sample',
  transitions: 'ordinal',
  users: 'id',
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
