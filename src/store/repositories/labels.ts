/** Labels that were bought, apart for every account. */
import { type Kysely, type Selectable, sql } from 'kysely';
import { atomically, batches, lastPerKey, storable } from '../batches.ts';
import type { Database, LabelRow } from '../schema.ts';
import { BudgetExceeded, type LabelRecord, type Labels, type OwnedLabel } from '../types.ts';

export function labelsIn(db: Kysely<Database>): Labels {
  return {
    add: (account, labels, limit) =>
      atomically(db, async (tx) => {
        // Two buyers of one account on a server must count one after the other.
        await sql`select pg_advisory_xact_lock(hashtext(${`labels ${account}`}))`.execute(tx);
        const before = await insertedCount(tx);
        await insertNew(tx, account, labels, before);
        const added = (await insertedCount(tx)) - before;
        const owned = await promptsWithLabel(tx, account);
        if (added > 0 && limit !== undefined && owned > limit) {
          throw new BudgetExceeded(account, limit, owned);
        }
        return added;
      }),

    async owned(account, promptIds) {
      let query = db.selectFrom('labels').selectAll().where('account', '=', account);
      if (promptIds !== undefined) {
        query = query.where(sql<boolean>`prompt_id = any(${promptIds}::text[])`);
      }
      return (await query.orderBy('ordinal').execute()).map(ownedOf);
    },

    count: (account) => promptsWithLabel(db, account),

    async audit(account) {
      const rows = await db
        .selectFrom('labels')
        .selectAll()
        .where('account', '=', account)
        .orderBy('ordinal')
        .execute();
      return rows.map((row) => ({ ...ownedOf(row), noisy: row.noisy }));
    },

    async accounts() {
      const rows = await db
        .selectFrom('labels')
        .select('account')
        .distinct()
        .orderBy('account')
        .execute();
      return rows.map((row) => row.account);
    },
  };
}

async function insertNew(
  db: Kysely<Database>,
  account: string,
  labels: readonly LabelRecord[],
  before: number,
): Promise<void> {
  const known = new Set(
    (
      await db
        .selectFrom('labels')
        .select(['prompt_id', 'source'])
        .where('account', '=', account)
        .where(sql<boolean>`prompt_id = any(${labels.map((label) => label.promptId)}::text[])`)
        .execute()
    ).map((row) => JSON.stringify([row.prompt_id, row.source])),
  );
  const keyOf = (label: LabelRecord) => JSON.stringify([label.promptId, label.source]);
  const fresh = lastPerKey(
    labels.filter((label) => !known.has(keyOf(label))),
    keyOf,
  );
  let ordinal = before;
  for (const batch of batches(fresh, 9)) {
    const rows = batch.map((label) => ({
      ordinal: ordinal++,
      account,
      prompt_id: label.promptId,
      source: label.source,
      answer: storable(label.answer),
      cost: label.cost,
      noisy: label.noisy,
      bought_run: label.run,
      bought_step: label.step,
    }));
    await db.insertInto('labels').values(rows).execute();
  }
}

/** Labels are never deleted, so their number is the next ordinal. */
async function insertedCount(db: Kysely<Database>): Promise<number> {
  const { count } = await db
    .selectFrom('labels')
    .select(sql<number>`count(*)::int4`.as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

async function promptsWithLabel(db: Kysely<Database>, account: string): Promise<number> {
  const { count } = await db
    .selectFrom('labels')
    .select(sql<number>`count(distinct prompt_id)::int4`.as('count'))
    .where('account', '=', account)
    .executeTakeFirstOrThrow();
  return count;
}

function ownedOf(row: Selectable<LabelRow>): OwnedLabel {
  return {
    promptId: row.prompt_id,
    answer: row.answer,
    source: row.source,
    cost: row.cost,
    run: row.bought_run,
    step: row.bought_step,
  };
}
