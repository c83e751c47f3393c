/**
 * Brings a database up to the newest migration, all steps in one transaction.
 *
 * Knows nothing of what the tables are for.
 */
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import type { Engine } from './dialect.ts';
import type { Migration } from './migrations/index.ts';

const appliedSchema = z.array(z.object({ id: z.int() }));

// Any constant will do, as long as every version of the program takes the same one.
const lockKey = 7_061_983;

/**
 * Applies what is missing of `migrations`. UserError when the database was written by a newer version.
 * On a server, a second starter waits on the advisory lock and then finds nothing left to do.
 */
export async function migrate(engine: Engine, migrations: readonly Migration[]): Promise<void> {
  await engine.script('begin');
  try {
    await engine.script(`select pg_advisory_xact_lock(${lockKey})`);
    await engine.script(
      'create table if not exists migrations (id integer primary key, name text not null)',
    );
    const { rows } = await engine.query('select id from migrations', []);
    const applied = new Set(appliedSchema.parse(rows).map((row) => row.id));
    refuseNewer(applied, migrations);
    for (const { id, name, sql } of migrations) {
      if (applied.has(id)) continue;
      await engine.script(sql);
      await engine.query('insert into migrations (id, name) values ($1, $2)', [id, name]);
    }
    await engine.script('commit');
  } catch (error) {
    await engine.script('rollback').catch(() => undefined);
    throw error;
  }
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
