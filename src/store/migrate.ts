/**
 * Brings a database up to the newest migration, all steps in one transaction.
 *
 * Knows nothing of what the tables are for.
 */
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { type Engine, inTransaction, type Session } from './dialect.ts';
import type { Migration } from './migrations/index.ts';

const appliedSchema = z.array(z.object({ id: z.int() }));

// Any constant will do, as long as every version of the program takes the same one.
const lockKey = 7_061_983;

/**
 * Applies what is missing of `migrations`. UserError when the database was written by a newer version.
 * On a server, a second starter waits on the advisory lock and then finds nothing left to do.
 */
export async function migrate(engine: Engine, migrations: readonly Migration[]): Promise<void> {
  await inTransaction(engine, (session) => migrateIn(session, migrations));
}

/** The same in a transaction that has begun. */
export async function migrateIn(session: Session, migrations: readonly Migration[]): Promise<void> {
  await lockMigrations(session);
  if (!(await isMade(session))) {
    await session.script('create table migrations (id integer primary key, name text not null)');
  }
  const applied = await appliedIn(session);
  refuseNewer(applied, migrations);
  for (const { id, name, sql } of migrations) {
    if (applied.has(id)) continue;
    await session.script(sql);
    await session.query('insert into migrations (id, name) values ($1, $2)', [id, name]);
  }
}

/** Nobody else changes the tables until the end of the transaction. */
export async function lockMigrations(session: Session): Promise<void> {
  await session.script(`select pg_advisory_xact_lock(${lockKey})`);
}

/** The migrations that were applied; none where the database is new. */
export async function appliedMigrations(session: Session): Promise<ReadonlySet<number>> {
  return (await isMade(session)) ? await appliedIn(session) : new Set();
}

/** Asked first: whoever may not make tables could not even say `create table if not exists`. */
async function isMade(session: Session): Promise<boolean> {
  const { rows } = await session.query(
    "select id from (select to_regclass('migrations') as id) as t where id is not null",
    [],
  );
  return rows.length > 0;
}

async function appliedIn(session: Session): Promise<ReadonlySet<number>> {
  const { rows } = await session.query('select id from migrations', []);
  return new Set(appliedSchema.parse(rows).map((row) => row.id));
}

function refuseNewer(applied: ReadonlySet<number>, migrations: readonly Migration[]): void {
  const newest = migrations.at(-1)?.id ?? 0;
  const found = Math.max(0, ...applied);
  if (found <= newest) return;
  throw new UserError({
    wanted: `a database of schema ${newest} or older`,
    found: `schema ${found}`,
    fix: 'A newer version of pivottrace wrote it: use that version.',
  });
}
