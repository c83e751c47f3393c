/** What opens the desk: sessions, and links that can be used once. Both are found by the hash of a secret. */
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Database, InvitationRow } from '../schema.ts';
import type { Invitation, Invitations, Sessions } from '../users.ts';
import { userColumns, userOf } from './users.ts';

export function sessionsIn(db: Kysely<Database>): Sessions {
  return {
    async add({ key, userId, createdAt, seenAt, expiresAt }) {
      await db
        .insertInto('sessions')
        .values({
          key,
          user_id: userId,
          created_at: createdAt,
          seen_at: seenAt,
          expires_at: expiresAt,
        })
        .execute();
    },

    async get(key) {
      const row = await db
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .select(userColumns)
        .select([
          'sessions.key',
          'sessions.seen_at',
          'sessions.expires_at',
          'sessions.created_at as begun_at',
        ])
        .where('sessions.key', '=', key)
        .where('users.disabled', '=', false)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      return {
        key: row.key,
        userId: row.id,
        createdAt: row.begun_at,
        seenAt: row.seen_at,
        expiresAt: row.expires_at,
        user: userOf(row),
      };
    },

    async seen(key, at) {
      await db.updateTable('sessions').set({ seen_at: at }).where('key', '=', key).execute();
    },

    async alive(keys, oldest, now) {
      const rows = await db
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .select('sessions.key')
        .where(sql<boolean>`sessions.key = any(${keys}::text[])`)
        .where('users.disabled', '=', false)
        .where('sessions.seen_at', '>', oldest)
        .where('sessions.expires_at', '>', now)
        .execute();
      return rows.map((row) => row.key);
    },

    async end(key) {
      await db.deleteFrom('sessions').where('key', '=', key).execute();
    },

    async endOf(userId, except) {
      let query = db.deleteFrom('sessions').where('user_id', '=', userId);
      if (except !== undefined) query = query.where('key', '!=', except);
      await query.execute();
    },

    async sweep(oldest, now) {
      await db
        .deleteFrom('sessions')
        .where((is) => is.or([is('seen_at', '<=', oldest), is('expires_at', '<=', now)]))
        .execute();
    },
  };
}

export function invitationsIn(db: Kysely<Database>): Invitations {
  return {
    async add({ key, userId, role, name, createdBy, createdAt, expiresAt }) {
      await db
        .insertInto('invitations')
        .values({
          key,
          user_id: userId,
          role,
          name,
          created_by: createdBy,
          created_at: createdAt,
          expires_at: expiresAt,
          used: false,
        })
        .execute();
    },

    async get(key, now) {
      const row = await db
        .selectFrom('invitations')
        .selectAll()
        .where('key', '=', key)
        .where('used', '=', false)
        .where('expires_at', '>', now)
        .executeTakeFirst();
      return row === undefined ? undefined : invitationOf(row);
    },

    async take(key, now) {
      // One statement: the second of two callers finds the row used.
      const row = await db
        .updateTable('invitations')
        .set({ used: true })
        .where('key', '=', key)
        .where('used', '=', false)
        .where('expires_at', '>', now)
        .returningAll()
        .executeTakeFirst();
      return row === undefined ? undefined : invitationOf(row);
    },

    async sweep(now) {
      await db.deleteFrom('invitations').where('expires_at', '<=', now).execute();
    },
  };
}

function invitationOf(row: Selectable<InvitationRow>): Invitation {
  const { key, role, name } = row;
  return {
    key,
    role,
    name,
    userId: row.user_id,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}
