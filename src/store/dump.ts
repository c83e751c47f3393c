/**
 * Everything in a database as one file, and back. The file is the same whichever engine the rows come from.
 *
 * Neither side holds more than some rows in memory. Knows nothing of what the rows mean.
 */
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { type Engine, inTransaction, type Session } from './dialect.ts';
import { type DumpPart, type DumpRow, readDump, writeDump } from './dump-file.ts';
import { quoted, type Table, tablesIn } from './dump-tables.ts';
import { appliedMigrations, lockMigrations, migrateIn } from './migrate.ts';
import { migrations, newestSchema } from './migrations/index.ts';

export interface DumpReport {
  /** The newest migration of what is in the file. */
  schema: number;
  rows: number;
}

/** Told how many rows are done. */
export type RowsDone = (rows: number) => void;

/**
 * Writes all tables as they are at one moment to `path`. The database is not brought up to date first: the file of an
 * old version can be restored by a newer one. On an embedded engine everybody else waits meanwhile.
 * UserError when there are no tables yet, or the file cannot be written.
 */
export async function dumpDatabase(
  engine: Engine,
  path: string,
  done: RowsDone = () => undefined,
): Promise<DumpReport> {
  return await inTransaction(engine, async (session) => {
    await session.script(oneMoment);
    const schema = Math.max(0, ...(await appliedMigrations(session)));
    if (schema === 0) {
      throw new UserError({ wanted: 'a database of pivottrace', found: 'one without its tables' });
    }
    const parts = partsOf(session, await tablesIn(session), done);
    return { schema, rows: await writeDump(path, schema, parts) };
  });
}

/** One snapshot, and texts of values that do not depend on how a server is set up. */
const oneMoment = `
  set transaction isolation level repeatable read, read only;
  set local bytea_output = 'hex';
  set local extra_float_digits = 1;
  set local timezone = 'UTC';
  set local datestyle = 'ISO, YMD';
  set local intervalstyle = 'iso_8601';
`;

/** Characters of rows to ask for at a time. */
const pageChars = 4 * 2 ** 20;
const maxPageRows = 2000;

const pageSchema = z.array(z.object({ v: z.array(z.string().nullable()) }));

async function* partsOf(
  session: Session,
  tables: readonly Table[],
  done: RowsDone,
): AsyncGenerator<DumpPart> {
  let rows = 0;
  for (const { name, columns, order } of tables) {
    yield { kind: 'table', table: name, columns: columns.map((column) => column.name) };
    const values = columns.map((column) => `${quoted(column.name)}::text`).join(', ');
    // Rows are put in order first and written out afterwards: they are sorted as they are stored, which is small.
    await session.script(
      `declare dumped no scroll cursor for
       select array[${values}] as v from (select * from ${quoted(name)} order by ${order} offset 0) as t`,
    );
    for (let wanted = 16; ; ) {
      const page = pageSchema.parse((await session.query(`fetch ${wanted} from dumped`, [])).rows);
      let chars = 1;
      for (const { v } of page) {
        chars += charsOf(v);
        yield { kind: 'row', values: v };
      }
      rows += page.length;
      done(rows);
      if (page.length < wanted) break;
      const average = chars / page.length;
      wanted = Math.max(1, Math.min(maxPageRows, Math.floor(pageChars / average)));
    }
    await session.script('close dumped');
  }
}

function charsOf(values: DumpRow): number {
  return values.reduce((sum, value) => sum + (value?.length ?? 0), 0);
}

/**
 * Puts the dump at `path` into an empty database, all of it or nothing, and brings it up to date.
 * UserError when the database has rows, or the file is no dump, of a newer version, damaged or cut short.
 */
export async function restoreDatabase(
  engine: Engine,
  path: string,
  done: RowsDone = () => undefined,
): Promise<DumpReport> {
  const { schema, parts } = await readDump(path);
  if (schema > newestSchema) {
    throw new UserError({
      wanted: `a dump of schema ${newestSchema} or older`,
      found: `schema ${schema}`,
      where: path,
      fix: 'A newer version of pivottrace wrote it: use that version.',
    });
  }
  return await inTransaction(engine, async (session) => {
    await prepare(session, schema);
    const rows = await insertAll(session, parts, path, done);
    await migrateIn(session, migrations);
    return { schema, rows };
  });
}

/** Empty tables of `schema`, and nobody else who writes to them. */
async function prepare(session: Session, schema: number): Promise<void> {
  await lockMigrations(session);
  const applied = await appliedMigrations(session);
  const wanted = migrations.filter(({ id }) => id <= schema);
  if (applied.size > 0) {
    const tables = await tablesIn(session);
    await requireEmpty(session, tables);
    const isSame = applied.size === wanted.length && wanted.every(({ id }) => applied.has(id));
    if (isSame) return;
    const names = [...tables.map(({ name }) => name), 'migrations'].map(quoted);
    await session.script(`drop table ${names.join(', ')}`);
  }
  await migrateIn(session, wanted);
}

async function requireEmpty(session: Session, tables: readonly Table[]): Promise<void> {
  for (const { name } of tables) {
    await session.script(`lock table ${quoted(name)} in access exclusive mode`);
    const { rows } = await session.query(`select 1 from ${quoted(name)} limit 1`, []);
    if (rows.length === 0) continue;
    throw new UserError({
      wanted: 'an empty database to restore into',
      found: `one with rows in "${name}"`,
      fix: 'Name another workspace or another database; what is there is never overwritten.',
    });
  }
}

/** A statement has room for 65535 parameters. */
const maxParameters = 30_000;

async function insertAll(
  session: Session,
  parts: AsyncIterable<DumpPart>,
  path: string,
  done: RowsDone,
): Promise<number> {
  const tables = new Map((await tablesIn(session)).map((table) => [table.name, table]));
  const seen = new Set<Table>();
  let table: Table | undefined;
  let batch: DumpRow[] = [];
  let chars = 0;
  let rows = 0;
  const flush = async (): Promise<void> => {
    if (table !== undefined && batch.length > 0) await insert(session, table, batch);
    rows += batch.length;
    done(rows);
    batch = [];
    chars = 0;
  };
  for await (const part of parts) {
    if (part.kind === 'table') {
      await flush();
      table = knownTable(tables.get(part.table), part.columns, path);
      seen.add(table);
      continue;
    }
    const columns = table?.columns.length ?? 0;
    if (part.values.length !== columns) throw foreign(path);
    batch.push(part.values);
    chars += charsOf(part.values);
    if (chars >= pageChars || (batch.length + 1) * columns > maxParameters) await flush();
  }
  await flush();
  for (const one of seen) await countOn(session, one);
  return rows;
}

/** Names from a file are never put into SQL: only those of the catalogue, which must be the same. */
function knownTable(table: Table | undefined, columns: readonly string[], path: string): Table {
  const isSame =
    table?.columns.length === columns.length &&
    table.columns.every(({ name }, i) => name === columns[i]);
  if (table === undefined || !isSame) throw foreign(path);
  return table;
}

function foreign(path: string): UserError {
  return new UserError({
    wanted: 'the tables and columns of its schema in the dump',
    found: 'others',
    where: path,
    fix: 'Nothing was restored. Dump again, with a released version.',
  });
}

async function insert(session: Session, table: Table, batch: readonly DumpRow[]): Promise<void> {
  const { name, columns } = table;
  let at = 0;
  const rows = batch.map(
    () => `(${columns.map(({ type }) => `$${++at}::text::${type}`).join(', ')})`,
  );
  await session.query(
    `insert into ${quoted(name)} (${columns.map((column) => quoted(column.name)).join(', ')})
     values ${rows.join(', ')}`,
    batch.flat(),
  );
}

/** Numbers that the server counts itself go on after those that were restored. */
async function countOn(session: Session, { name, counted }: Table): Promise<void> {
  if (counted === undefined) return;
  await session.query(
    `select setval(pg_get_serial_sequence($1, $2), greatest(max(${quoted(counted)}), 1)) from ${quoted(name)}
     having max(${quoted(counted)}) is not null`,
    [quoted(name), counted],
  );
}

/** What is in a database, without changing it. */
export interface DatabaseInfo {
  /** Of PostgreSQL. */
  server: string;
  /** The newest migration that was applied; 0 = no tables yet. */
  schema: number;
  /** On disk. */
  bytes: number;
  tables: { name: string; rows: number }[];
}

const factsSchema = z.tuple([z.object({ server: z.string(), bytes: z.number() })]);
const countSchema = z.tuple([z.object({ rows: z.number() })]);

/** Looks at a database of any version. */
export async function describeDatabase(engine: Engine): Promise<DatabaseInfo> {
  const facts = await engine.query(
    "select current_setting('server_version') as server, pg_database_size(current_database()) as bytes",
    [],
  );
  const [{ server, bytes }] = factsSchema.parse(facts.rows);
  const tables: DatabaseInfo['tables'] = [];
  for (const { name } of await tablesIn(engine)) {
    const { rows } = await engine.query(`select count(*) as rows from ${quoted(name)}`, []);
    tables.push({ name, rows: countSchema.parse(rows)[0].rows });
  }
  const schema = Math.max(0, ...(await appliedMigrations(engine)));
  return { server, bytes, schema, tables: tables.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}
