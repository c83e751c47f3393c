/** Labels that were bought, apart for every account. */
import { type Kysely, type Selectable, sql } from 'kysely';
import { atomically, batches, lastPerKey, storable } from '../batches.ts';
import type { Database, LabelRow } from '../schema.ts';
import { BudgetExceeded, type LabelRecord, type Labels, type OwnedLabel } from '../types.ts';
import { lockAccount, nextOrdinal } from './desk-lock.ts';

export function labelsIn(db: Kysely<Database>): Labels {
  return {
    add: (account, labels, limit) =>
      atomically(db, async (tx) => {
        // Two buyers of one account on a server must count one after the other.
        await lockAccount(tx, account);
        const added = await insertNew(tx, account, labels);
        if (added.length === 0) return 0;
        await settleTasks(tx, account, added);
        const owned = limit === undefined ? 0 : await promptsWithLabel(tx, account);
        if (limit !== undefined && owned > limit) throw new BudgetExceeded(account, limit, owned);
        return added.length;
      }),

    async owned(account, promptIds) {
      let query = db
        .selectFrom('labels')
        .selectAll()
        .where('account', '=', account)
        .where(sql<boolean>`withdrawn_at is null`);
      if (promptIds !== undefined) {
        query = query.where(sql<boolean>`prompt_id = any(${promptIds}::text[])`);
      }
      return (await query.orderBy('ordinal').execute()).map(ownedOf);
    },

    async withdraw(account, promptId, source, at) {
      const { numUpdatedRows } = await db
        .updateTable('labels')
        .set({ withdrawn_at: at })
        .where('account', '=', account)
        .where('prompt_id', '=', promptId)
        .where('source', '=', source)
        .where(sql<boolean>`withdrawn_at is null`)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },

    async restore(account, promptId, at) {
      const { numUpdatedRows } = await db
        .updateTable('labels')
        .set({ withdrawn_at: null })
        .where('account', '=', account)
        .where('prompt_id', '=', promptId)
        .where('withdrawn_at', '=', at)
        // Somebody whose label was taken back may have given another one since.
        .where(
          sql<boolean>`not exists (
            select 1 from labels later
            where later.account = labels.account and later.prompt_id = labels.prompt_id
              and later.source = labels.source and later.withdrawn_at is null
          )`,
        )
        .executeTakeFirst();
      return Number(numUpdatedRows);
    },

    count: (account) => promptsWithLabel(db, account),

    async audit(account) {
      const rows = await db
        .selectFrom('labels')
        .selectAll()
        .where('account', '=', account)
        .orderBy('ordinal')
        .execute();
      return rows.map((row) => ({
        ...ownedOf(row),
        noisy: row.noisy,
        withdrawnAt: row.withdrawn_at,
      }));
    },

    async accounts() {
      const rows = await db
        .selectFrom('labels')
        .select('account')
        .groupBy('account')
        .orderBy(sql`account collate "C"`)
        .execute();
      return rows.map((row) => row.account);
    },
  };
}

async function insertNew(
  db: Kysely<Database>,
  account: string,
  labels: readonly LabelRecord[],
): Promise<LabelRecord[]> {
  const known = new Set(
    (
      await db
        .selectFrom('labels')
        .select(['prompt_id', 'source'])
        .where('account', '=', account)
        .where(sql<boolean>`withdrawn_at is null`)
        .where(sql<boolean>`prompt_id = any(${labels.map((label) => label.promptId)}::text[])`)
        .execute()
    ).map((row) => JSON.stringify([row.prompt_id, row.source])),
  );
  const keyOf = (label: LabelRecord) => JSON.stringify([label.promptId, label.source]);
  const fresh = lastPerKey(
    labels.filter((label) => !known.has(keyOf(label))),
    keyOf,
  );
  if (fresh.length === 0) return [];
  let ordinal = await nextOrdinal(db, 'labels');
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
  return fresh;
}

/** A prompt that has a label, wherever it came from, waits for nobody any more. */
async function settleTasks(
  db: Kysely<Database>,
  account: string,
  labels: readonly LabelRecord[],
): Promise<void> {
  await db
    .updateTable('tasks')
    .set({ state: 'done', outcome: 'labelled', revision: sql<number>`revision + 1` })
    .where('account', '=', account)
    .where(sql<boolean>`state in ('open', 'adjudicate') and not gold and checks is null`)
    .where(sql<boolean>`prompt_id = any(${labels.map((label) => label.promptId)}::text[])`)
    .execute();
}

async function promptsWithLabel(db: Kysely<Database>, account: string): Promise<number> {
  // Not count(distinct ...), which sorts; this walks down an index that is in order.
  const { rows } = await sql<{ count: number }>`
    select count(*)::int4 as count from (
      select distinct prompt_id from labels where account = ${account} and withdrawn_at is null
    ) labelled
  `.execute(db);
  return rows[0]?.count ?? 0;
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
