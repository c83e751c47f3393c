// Reads a pool from files and folders, whatever their format, row by row in constant memory. Knows nothing of
// duplicates, answers files or the store.
import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { UserError } from '../core/errors.ts';
import { errorCode } from '../core/files.ts';
import { parquetObjects, readParquet } from './parquet.ts';
import { jsonlObjects, readCsv, readJsonl } from './text-files.ts';
import type { ObjectEntry, PoolEntry, PoolOptions, PoolReject } from './types.ts';

type Reader = (file: string, options: PoolOptions) => AsyncGenerator<PoolEntry>;

const readers: Readonly<Record<string, Reader>> = {
  '.jsonl': readJsonl,
  '.ndjson': readJsonl,
  '.csv': (file, options) => readCsv(file, options, ','),
  '.tsv': (file, options) => readCsv(file, options, '\t'),
  '.parquet': readParquet,
};

const objectReaders: Readonly<
  Record<string, (file: string, options: PoolOptions) => AsyncGenerator<ObjectEntry | PoolReject>>
> = { '.jsonl': jsonlObjects, '.ndjson': jsonlObjects, '.parquet': parquetObjects };

/**
 * Rows and rejects of `path`, a file or a folder (its pool files in order of name, subfolders too), in the order of the
 * files. UserError for a missing path, an unknown format, wrong columns or a corrupt file; a bad row is an entry.
 */
export async function* readPool(
  path: string,
  options: PoolOptions = {},
): AsyncGenerator<PoolEntry> {
  for (const file of poolFiles(path)) {
    const reader = readers[extname(file).toLowerCase()];
    if (reader === undefined) throw unknownFormat(file, `the ending ${extname(file) || '(none)'}`);
    try {
      yield* reader(file, options);
    } catch (error) {
      throw isSystemError(error) ? unreadable(file, error) : error;
    }
  }
}

/**
 * The objects of a JSONL or Parquet file that is no pool, with their places; a line that is none is a reject. UserError
 * for a missing or corrupt file and for an unknown format.
 */
export async function* readObjects(
  file: string,
  options: PoolOptions = {},
): AsyncGenerator<ObjectEntry | PoolReject> {
  const reader = objectReaders[extname(file).toLowerCase()];
  if (reader === undefined) {
    const wanted = `a file of objects (${Object.keys(objectReaders).join(', ')})`;
    throw new UserError({ wanted, found: `the ending ${extname(file) || '(none)'}`, where: file });
  }
  try {
    yield* reader(file, options);
  } catch (error) {
    throw isSystemError(error) ? unreadable(file, error, 'a readable file') : error;
  }
}

/** The files that `path` stands for, sorted by name. */
function poolFiles(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => readers[extname(name).toLowerCase()] !== undefined)
      .sort()
      .map((name) => join(path, name))
      .filter((file) => statSync(file).isFile());
    if (files.length === 0) throw unknownFormat(path, 'a folder without such files');
    return files;
  } catch (error) {
    throw isSystemError(error) ? unreadable(path, error) : error;
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

function unreadable(path: string, error: unknown, wanted = 'a readable pool file'): UserError {
  return new UserError({ wanted, found: errorCode(error), where: path }, { cause: error });
}

function unknownFormat(path: string, found: string): UserError {
  return new UserError({
    wanted: `a pool file (${Object.keys(readers).join(', ')}) or a folder of them`,
    found,
    where: path,
  });
}
