/** What was done, by whom; rows are only ever added. */
import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import { atomically, storable } from '../batches.ts';
import type { Database } from '../schema.ts';
import type { AuditLog } from '../users.ts';
import { nextOrdinal } from './desk-lock.ts';

const detailSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

export function auditIn(db: Kysely<Database>): AuditLog {
  return {
    add: ({ at, userId, action, subject, detail }) =>
      atomically(db, async (tx) => {
        const row = {
          ordinal: await nextOrdinal(tx, 'audit'),
          at,
          user_id: userId,
          action,
          subject: storable(subject),
          detail: JSON.stringify(detail),
        };
        await tx.insertInto('audit').values(row).execute();
      }),

    async did(userId, action, subject) {
      const row = await db
        .selectFrom('audit')
        .select('ordinal')
        .where('user_id', '=', userId)
        .where('action', '=', action)
        .where(sql<boolean>`md5(subject) = md5(${storable(subject)})`)
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
    },

    async page(limit, before) {
      let query = db.selectFrom('audit').selectAll().orderBy('ordinal', 'desc').limit(limit);
      if (before !== undefined) query = query.where('ordinal', '<', before);
      return (await query.execute()).map(({ user_id: userId, detail, ...row }) => ({
        ...row,
        userId,
        detail: detailSchema.parse(detail),
      }));
    },
  };
}
