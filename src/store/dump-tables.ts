/**
 * The tables of a database as a dump needs them: their columns and keys, in an order in which a table comes after
 * those that it refers to. Read from the catalogue, so that a database of an older version can be dumped too.
 */
import { z } from 'zod';
import type { Session } from './dialect.ts';
import { migrations } from './migrations/index.ts';

export interface Column {
  name: string;
  /** As SQL writes it. */
  type: string;
}

export interface Table {
  name: string;
  columns: Column[];
  /** SQL that orders the rows the same way on every server. */
  order: string;
  /** The column whose numbers the server counts itself, where there is one. */
  counted: string | undefined;
}

const created = /\bcreate table (\w+)/g;

/** Every table that a migration has made, whether or not it is still there; not the list of migrations itself. */
export const tableNames: readonly string[] = [
  ...new Set(
    migrations.flatMap(({ sql }) => Array.from(sql.matchAll(created), ([, name]) => name)),
  ),
].sort();

const columnsSchema = z.array(
  z.object({
    name: z.string(),
    type: z.string(),
    collated: z.boolean(),
    counted: z.boolean(),
    /** Place in the primary key, from 1; null outside of it. */
    place: z.int().nullable(),
  }),
);
const referencesSchema = z.array(z.object({ of: z.string(), to: z.string() }));

/** `name` as an SQL identifier. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The tables of pivottrace that are there. */
export async function tablesIn(session: Session): Promise<Table[]> {
  const found: Table[] = [];
  for (const name of tableNames) {
    const table = await tableNamed(session, name);
    if (table !== undefined) found.push(table);
  }
  return inOrder(found, await references(session));
}

async function tableNamed(session: Session, name: string): Promise<Table | undefined> {
  const { rows } = await session.query(
    `select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type, a.attcollation <> 0 as collated,
       a.attidentity <> '' as counted, array_position(i.indkey::int2[], a.attnum)::int4 as place
     from pg_attribute a
     left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
     where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped
     order by a.attnum`,
    [quoted(name)],
  );
  const columns = columnsSchema.parse(rows);
  if (columns.length === 0) return undefined;
  const key = columns
    .filter((column) => column.place !== null)
    .sort((a, b) => Number(a.place) - Number(b.place));
  return {
    name,
    columns: columns.map((column) => ({ name: column.name, type: column.type })),
    order: key
      .map((column) => `${quoted(column.name)}${column.collated ? ' collate "C"' : ''}`)
      .join(', '),
    counted: columns.find((column) => column.counted)?.name,
  };
}

async function references(session: Session): Promise<z.infer<typeof referencesSchema>> {
  const { rows } = await session.query(
    `select t.relname::text as of, f.relname::text as to
     from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_class f on f.oid = c.confrelid
     where c.contype = 'f' and c.conrelid <> c.confrelid`,
    [],
  );
  return referencesSchema.parse(rows);
}

/** By name, but after all that a table refers to. */
function inOrder(tables: readonly Table[], edges: z.infer<typeof referencesSchema>): Table[] {
  const ordered: Table[] = [];
  let rest = [...tables];
  while (rest.length > 0) {
    const names = new Set(rest.map((table) => table.name));
    const next = rest.find(
      (table) => !edges.some(({ of, to }) => of === table.name && names.has(to)),
    );
    if (next === undefined) throw new Error('tables that refer to each other in a circle');
    ordered.push(next);
    rest = rest.filter((table) => table !== next);
  }
  return ordered;
}
