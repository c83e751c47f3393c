/** Who may use the desk. */
import { type Kysely, type Selectable, sql } from 'kysely';
import { atomically } from '../batches.ts';
import type { Database, UserRow } from '../schema.ts';
import type { StoredUser, UserChange, Users } from '../users.ts';

/** What of a user leaves the database, beside the password. */
export const userColumns = [
  'users.id',
  'users.name',
  'users.role',
  'users.kind',
  'users.disabled',
  'users.created_at',
] as const;

export function usersIn(db: Kysely<Database>): Users {
  return {
    async add({ nameKey, createdAt, ...user }) {
      const row = { ...user, name_key: nameKey, created_at: createdAt };
      const added = await db
        .insertInto('users')
        .values(row)
        .onConflict((conflict) => conflict.column('name_key').doNothing())
        .returning('id')
        .execute();
      return added.length > 0;
    },

    async get(id) {
      const row = await db
        .selectFrom('users')
        .select(userColumns)
        .where('id', '=', id)
        .executeTakeFirst();
      return row === undefined ? undefined : userOf(row);
    },

    async byName(nameKey) {
      const row = await db
        .selectFrom('users')
        .select([...userColumns, 'users.password'])
        .where('name_key', '=', nameKey)
        .executeTakeFirst();
      return row === undefined ? undefined : { ...userOf(row), password: row.password };
    },

    async list() {
      const rows = await db
        .selectFrom('users')
        .select(userColumns)
        .orderBy('created_at')
        .orderBy('name_key')
        .execute();
      return rows.map(userOf);
    },

    change: (id, change) =>
      atomically(db, async (tx) => {
        // Two admins who disable each other must do so one after the other.
        await sql`select pg_advisory_xact_lock(hashtext('users'))`.execute(tx);
        const before = await usersIn(tx).get(id);
        if (before === undefined) return 'missing';
        if (await leavesNoAdmin(tx, before, change)) return 'last_admin';
        await write(tx, id, change);
        return 'changed';
      }),
  };
}

async function write(db: Kysely<Database>, id: string, change: UserChange): Promise<void> {
  const { role, disabled, password } = change;
  const row = {
    ...(role === undefined ? {} : { role }),
    ...(disabled === undefined ? {} : { disabled }),
    ...(password === undefined ? {} : { password }),
  };
  if (Object.keys(row).length === 0) return;
  await db.updateTable('users').set(row).where('id', '=', id).execute();
  if (disabled === true || password !== undefined) {
    await db.deleteFrom('sessions').where('user_id', '=', id).execute();
  }
  if (disabled === true) {
    await db.deleteFrom('invitations').where('user_id', '=', id).execute();
  }
}

async function leavesNoAdmin(
  db: Kysely<Database>,
  user: StoredUser,
  { role = user.role, disabled = user.disabled }: UserChange,
): Promise<boolean> {
  const isAdmin = user.role === 'admin' && !user.disabled;
  if (!isAdmin || (role === 'admin' && !disabled)) return false;
  const others = await db
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'admin')
    .where('kind', '=', 'person')
    .where('disabled', '=', false)
    .where('id', '!=', user.id)
    .limit(1)
    .execute();
  return others.length === 0;
}

export function userOf(
  row: Pick<Selectable<UserRow>, 'id' | 'name' | 'role' | 'kind' | 'disabled' | 'created_at'>,
): StoredUser {
  const { id, name, role, kind, disabled } = row;
  return { id, name, role, kind, disabled, createdAt: row.created_at };
}
