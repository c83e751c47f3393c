/** Locks of the tables that several servers write: who holds one is alone until the end of their transaction. */
import { type Kysely, sql } from 'kysely';
import type { Database } from '../schema.ts';

/**
 * Alone in an account: its labels, tasks, leases and annotations. To be taken as the first statement of a transaction;
 * why it is enough is written in desk.ts.
 */
export async function lockAccount(db: Kysely<Database>, account: string): Promise<void> {
  if (!db.isTransaction) throw new Error('a lock outside of a transaction ends at once');
  const { rows } = await sql<{ isolation: string }>`
    select current_setting('transaction_isolation') as isolation,
      pg_advisory_xact_lock(hashtext(${`labels ${account}`}))::text as locked
  `.execute(db);
  const isolation = rows[0]?.isolation;
  if (isolation === 'read committed') return;
  throw new Error(`the annotation queue needs READ COMMITTED transactions, not ${isolation}`);
}

/**
 * The next ordinal of a table whose rows are never deleted, and nobody else's until the end of the transaction. No
 * sequence: it leaves gaps, and stands at its beginning when a dump is put back. Always taken after `lockAccount`,
 * so that nobody waits in a circle.
 */
export async function nextOrdinal(
  db: Kysely<Database>,
  table: 'labels' | 'annotations' | 'audit' | 'transitions',
): Promise<number> {
  await lockName(db, `ordinals of ${table}`);
  const { next } = await db
    .selectFrom(table)
    .select(sql<number>`coalesce(max(ordinal) + 1, 0)::int4`.as('next'))
    .executeTakeFirstOrThrow();
  return next;
}

/** Alone with what is called `name`, until the end of the transaction. */
export async function lockName(db: Kysely<Database>, name: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext(${name}))`.execute(db);
}
