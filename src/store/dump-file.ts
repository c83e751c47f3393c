/**
 * The file of a dump: compressed lines of JSON. A header, then for every table a line with its columns and a line per
 * row, each value as the text that PostgreSQL writes for it, and at the end the number of rows and a checksum.
 *
 * Written and read as a stream. Knows nothing of databases.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { errorCode, makeFolders } from '../core/files.ts';

/** Goes up when an older version could not read the file. */
const format = 1;

const headerSchema = z.object({ pivottrace_dump: z.int(), schema: z.int().min(1) });
const tableSchema = z.strictObject({ table: z.string(), columns: z.array(z.string()) });
const rowSchema = z.array(z.string().nullable());
const endSchema = z.strictObject({ end: z.literal(true), rows: z.int(), sha256: z.string() });

/** One value per column, as text. */
export type DumpRow = (string | null)[];

export type DumpPart =
  | { kind: 'table'; table: string; columns: string[] }
  | { kind: 'row'; values: DumpRow };

/** Compressed bytes are gathered into pieces of this size before they are passed on. */
const pieceBytes = 256 * 1024;

/**
 * Writes `parts` to `path`, readable by its owner alone; the file is whole or not there. Returns the rows.
 * UserError when it cannot be written.
 */
export async function writeDump(
  path: string,
  schema: number,
  parts: AsyncIterable<DumpPart>,
): Promise<number> {
  const temporary = `${path}.${process.pid}.tmp`;
  const count = { rows: 0 };
  try {
    makeFolders(dirname(path));
    await pipeline(
      Readable.from(pieces(lines(schema, parts, count)), { objectMode: true, highWaterMark: 1 }),
      createGzip(),
      createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true }),
    );
    renameSync(temporary, path);
    return count.rows;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw unwritable(error, path);
  }
}

async function* lines(
  schema: number,
  parts: AsyncIterable<DumpPart>,
  count: { rows: number },
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const hashed = (value: unknown): string => {
    const line = `${JSON.stringify(value)}\n`;
    hash.update(line);
    return line;
  };
  yield hashed({ pivottrace_dump: format, schema });
  for await (const part of parts) {
    if (part.kind === 'row') count.rows++;
    const { table, columns } = part.kind === 'table' ? part : { table: '', columns: [] };
    yield hashed(part.kind === 'row' ? part.values : { table, columns });
  }
  yield `${JSON.stringify({ end: true, rows: count.rows, sha256: hash.digest('hex') })}\n`;
}

async function* pieces(all: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let held: string[] = [];
  let size = 0;
  for await (const line of all) {
    held.push(line);
    size += line.length;
    if (size < pieceBytes) continue;
    yield Buffer.from(held.join(''));
    held = [];
    size = 0;
  }
  yield Buffer.from(held.join(''));
}

function unwritable(error: unknown, path: string): unknown {
  const code = errorCode(error);
  if (error instanceof UserError || !/^E[A-Z]+$/.test(code)) return error;
  const fix = 'Choose another file, or free some space.';
  return new UserError(
    { wanted: 'a file that can be written', found: code, where: path, fix },
    { cause: error },
  );
}

/**
 * Reads a dump: the schema first, then its parts. UserError when the file is no dump, was made by a newer version,
 * or is damaged or cut short. Damage may show only at the end: until `parts` has ended nothing is certain.
 */
export async function readDump(
  path: string,
): Promise<{ schema: number; parts: AsyncGenerator<DumpPart> }> {
  const hash = createHash('sha256');
  const incoming = linesOf(path);
  const first = await incoming.next();
  const header = headerSchema.safeParse(first.done === true ? undefined : json(first.value));
  if (first.done === true || !header.success) throw noDump(path);
  if (header.data.pivottrace_dump !== format) {
    throw new UserError({
      wanted: `a dump of format ${format}`,
      found: `format ${header.data.pivottrace_dump}`,
      where: path,
      fix: 'A newer version of pivottrace wrote it: use that version.',
    });
  }
  hash.update(first.value).update('\n');
  return { schema: header.data.schema, parts: partsOf(path, incoming, hash) };
}

async function* partsOf(
  path: string,
  incoming: AsyncGenerator<Buffer>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<DumpPart> {
  let rows = 0;
  for await (const line of incoming) {
    const value = json(line);
    const row = rowSchema.safeParse(value);
    const end = row.success ? undefined : endSchema.safeParse(value);
    if (end?.success) {
      const isWhole = end.data.rows === rows && end.data.sha256 === hash.digest('hex');
      if (!isWhole || !(await incoming.next()).done) throw damaged(path);
      return;
    }
    hash.update(line).update('\n');
    if (row.success) {
      rows++;
      yield { kind: 'row', values: row.data };
      continue;
    }
    const table = tableSchema.safeParse(value);
    if (!table.success) throw damaged(path);
    yield { kind: 'table', ...table.data };
  }
  throw cutShort(path);
}

async function* linesOf(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  const gunzip = createGunzip();
  file.on('error', (error) => gunzip.destroy(error));
  let held: Buffer[] = [];
  try {
    for await (const chunk of file.pipe(gunzip)) {
      let from = 0;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        held.push(chunk.subarray(from, at));
        yield held.length === 1 ? held[0] : Buffer.concat(held);
        held = [];
        from = at + 1;
      }
      if (from < chunk.length) held.push(chunk.subarray(from));
    }
  } catch (error) {
    throw unreadable(error, path);
  } finally {
    file.destroy();
  }
  if (held.length > 0) throw cutShort(path);
}

function json(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    return undefined;
  }
}

function unreadable(error: unknown, path: string): unknown {
  const code = errorCode(error);
  if (code === 'Z_BUF_ERROR') return cutShort(path);
  if (code === 'Z_DATA_ERROR' && /header/.test(String(error))) return noDump(path);
  if (code.startsWith('Z_')) return damaged(path);
  if (!/^E[A-Z]+$/.test(code)) return error;
  return new UserError(
    { wanted: 'a dump that can be read', found: code, where: path },
    { cause: error },
  );
}

function noDump(path: string): UserError {
  const fix = '`pivottrace db dump FILE` writes one.';
  return new UserError({
    wanted: 'a dump of pivottrace',
    found: 'something else',
    where: path,
    fix,
  });
}

const otherCopy = 'Nothing was restored. Use another copy of the dump.';

function damaged(path: string): UserError {
  const found = 'one whose content does not match its checksum';
  return new UserError({ wanted: 'a whole dump', found, where: path, fix: otherCopy });
}

function cutShort(path: string): UserError {
  return new UserError({
    ...{ wanted: 'a whole dump', found: 'one that ends in the middle' },
    ...{ where: path, fix: otherCopy },
  });
}
