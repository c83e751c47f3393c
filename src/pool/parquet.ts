// Reads pools from Parquet, a row group at a time: memory is bounded by the largest row group, not by the file. Knows
// nothing of duplicates or of where rows go.
import { basename } from 'node:path';
import {
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { UserError } from '../core/errors.ts';
import { checkColumns } from './columns.ts';
import { BadRow, BrokenText, columnsOf, rowEntry } from './row.ts';
import { guarded, poolDefaults } from './text-files.ts';
import type { ObjectEntry, PoolEntry, PoolOptions, PoolReject } from './types.ts';

/** Row groups that unpack to more than this are refused. */
const maxGroupBytes = 1024 ** 3;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const parsers = {
  /** A marker instead of an error, so that one broken cell refuses one row and not its row group. */
  stringFromBytes(bytes: Uint8Array): string | BrokenText | undefined {
    if (bytes === undefined) return undefined;
    try {
      return utf8.decode(bytes);
    } catch {
      return new BrokenText(bytes);
    }
  },
};

/** Rows of a Parquet file; `line` of a place is the number of the row, from 1. */
export async function* readParquet(file: string, options: PoolOptions): AsyncGenerator<PoolEntry> {
  const columns = columnsOf(options.columns);
  const check = (names: readonly string[]) => {
    const inFile = (name: string) =>
      names.includes(name) || names.includes(name.slice(0, Math.max(0, name.indexOf('.'))));
    checkColumns(file, names, options.columns, inFile);
  };
  for await (const entry of parquetObjects(file, options, check)) {
    if (entry.kind === 'reject') yield entry;
    else {
      const { at, row, raw } = entry;
      yield guarded(at, raw, options, () => rowEntry(row, columns, basename(file), at));
    }
  }
}

/** The rows of a Parquet file, whatever they are. `check` sees the names of the columns first. */
export async function* parquetObjects(
  file: string,
  options: PoolOptions,
  check: (names: readonly string[]) => void = () => {},
): AsyncGenerator<ObjectEntry | PoolReject> {
  const limit = options.maxLineBytes ?? poolDefaults.maxLineBytes;
  const buffer = await asyncBufferFromFile(file);
  const metadata = await readable(file, () => parquetMetadataAsync(buffer));
  check(columnNames(metadata));
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    if (group.total_byte_size > maxGroupBytes) throw largeGroup(file, group.total_byte_size);
    const rowEnd = rowStart + Number(group.num_rows);
    const window = { file: buffer, metadata, compressors, parsers, rowStart, rowEnd };
    const rows = await readable(file, () => parquetReadObjects(window));
    for (const [index, row] of rows.entries()) {
      const at = { file, line: rowStart + index + 1 };
      const raw = shown(row);
      yield guarded(at, raw, options, () => {
        if (Buffer.byteLength(raw) > limit) throw new BadRow(`longer than ${limit} bytes`);
        return { kind: 'object', at, row, raw };
      });
    }
    rowStart = rowEnd;
  }
}

function columnNames(metadata: FileMetaData): string[] {
  return parquetSchema(metadata).children.map((child) => child.element.name);
}

/** The row as JSON, for its size and for people. */
function shown(row: Record<string, unknown>): string {
  return JSON.stringify(row, (_key, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    return value instanceof BrokenText ? value.shown : value;
  });
}

async function readable<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new UserError(
      {
        wanted: 'a readable Parquet file',
        found: error instanceof Error ? error.message : String(error),
        where: file,
        fix: 'Check that the file is whole (a Parquet file begins and ends with PAR1).',
      },
      { cause: error },
    );
  }
}

function largeGroup(file: string, bytes: bigint): UserError {
  return new UserError({
    wanted: `row groups of at most ${maxGroupBytes} bytes`,
    found: `one of ${bytes} bytes`,
    where: file,
    fix: 'Write the file with smaller row groups (pyarrow: row_group_size=10000).',
  });
}
