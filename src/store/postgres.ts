/**
 * A PostgreSQL server as an engine: a pool of connections, values read as PGlite reads them, faults named
 * without ever showing the password.
 *
 * Knows nothing of tables.
 */
import { type ClientBase, Pool, type PoolClient, types } from 'pg';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { type Answer, begun, type Connection, type Engine } from './dialect.ts';
import { serverExplained } from './server-failures.ts';
import { requirePostgresUrl, withoutPassword } from './url.ts';

/** Connections of one process. A server gives out about a hundred, to all processes together. */
const connections = 10;
/** Milliseconds to wait for a connection, to the server or from the pool. */
const connectTimeout = 30_000;
/** Milliseconds that a transaction may stand still: it may hold a lock for which everybody else waits. */
const idleTransaction = 60_000;
const oldest = 150_000;

/**
 * Connects to the database at `url`. UserError, without the password, when the server cannot be reached,
 * refuses the user, has no such database or is too old.
 */
export async function openPostgres(url: string): Promise<Engine> {
  const where = withoutPassword(requirePostgresUrl(url));
  const pool = new Pool({
    connectionString: url,
    application_name: 'pivottrace',
    max: connections,
    connectionTimeoutMillis: connectTimeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    types: { getTypeParser: parserOf },
    onConnect: prepare,
  });
  // A connection that ends while nobody uses it is replaced when it is needed.
  pool.on('error', () => undefined);
  const engine = engineOf(pool, where);
  try {
    const { rows } = await engine.query(
      `select current_setting('server_version_num')::int4 as version, current_setting('server_version') as name,
        current_setting('server_encoding') as encoding`,
      [],
    );
    requireServer(rows[0], where);
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** Runs once per connection, before anything else does; the library waits for it whatever its type says. */
async function prepare(client: ClientBase): Promise<void> {
  await client.query(`set idle_in_transaction_session_timeout = ${idleTransaction}`);
}

const serverSchema = z.object({ version: z.int(), name: z.string(), encoding: z.string() });

/** UserError for a server that is too old, or a database that cannot hold every text. */
export function requireServer(row: unknown, where: string): void {
  const { version, name, encoding } = serverSchema.parse(row);
  if (version < oldest) {
    throw new UserError({
      wanted: 'PostgreSQL 15 or later',
      found: `PostgreSQL ${name}`,
      where,
      fix: 'Name a newer server, or upgrade this one.',
    });
  }
  if (encoding !== 'UTF8') {
    throw new UserError({
      wanted: 'a database in UTF8',
      found: encoding,
      where,
      fix: "Make one with CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0.",
    });
  }
}

function engineOf(pool: Pool, where: string): Engine {
  const named = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw serverExplained(error, where);
    }
  };
  const connectionOf = (client: Pick<Pool | PoolClient, 'query'>): Connection => {
    const script = (sql: string) => named(async () => void (await client.query(sql)));
    const query: Connection['query'] = (sql, parameters) =>
      named(async () => answerOf(await client.query(sql, [...parameters])));
    // A server may have another level as its default, under which a wait for a lock would end with old rows.
    const command: Connection['command'] = (word) =>
      script(word === 'begin' ? 'begin isolation level read committed' : word);
    return { query, script, command };
  };
  const { query, script } = connectionOf(pool);
  let closed: Promise<void> | undefined;
  return {
    ...{ query, script },
    async begin() {
      const client = await named(() => pool.connect());
      // The statement that is running fails too; without a listener the process would end.
      const ignored = () => undefined;
      client.on('error', ignored);
      return await begun(connectionOf(client), (usable) => {
        client.off('error', ignored);
        client.release(!usable);
      });
    },
    close: () => {
      closed ??= pool.end();
      return closed;
    },
  };
}

function answerOf({ rows, rowCount }: { rows: unknown[]; rowCount: number | null }): Answer {
  return { rows, affectedRows: rowCount ?? 0 };
}

const { builtins } = types;

const time = (text: string): Date | number => {
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  return text === '-infinity' ? Number.NEGATIVE_INFINITY : new Date(text);
};

/** Where the two libraries differ, PGlite's reading holds. */
const parsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text))],
  [builtins.BYTEA, (text) => Uint8Array.from(Buffer.from(text.slice(2), 'hex'))],
  [builtins.DATE, time],
  [builtins.TIMESTAMP, time],
  [builtins.TIMESTAMPTZ, time],
]);

function parserOf(oid: number): (text: string) => unknown {
  return parsers.get(oid) ?? types.getTypeParser(oid, 'text');
}
