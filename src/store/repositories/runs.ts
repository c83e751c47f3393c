/** Runs, and single values by key. */
import { type Kysely, sql } from 'kysely';
import type { Database } from '../schema.ts';
import type { Meta, Runs } from '../types.ts';

export function runsIn(db: Kysely<Database>): Runs {
  return {
    async put(run) {
      const row = {
        ...run,
        config: JSON.stringify(run.config ?? null),
        summary: JSON.stringify(run.summary ?? null),
      };
      await db
        .insertInto('runs')
        .values(row)
        .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
        .execute();
    },
    get: (name) => db.selectFrom('runs').selectAll().where('name', '=', name).executeTakeFirst(),
    list: () => db.selectFrom('runs').selectAll().orderBy(sql`name collate "C"`).execute(),
  };
}

export function metaIn(db: Kysely<Database>): Meta {
  return {
    async put(key, value) {
      const text = JSON.stringify(value ?? null);
      await db
        .insertInto('meta')
        .values({ key, value: text })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: text }))
        .execute();
    },
    async get(key) {
      const row = await db
        .selectFrom('meta')
        .select('value')
        .where('key', '=', key)
        .executeTakeFirst();
      return row?.value ?? undefined;
    },
  };
}
