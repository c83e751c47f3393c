// Reads pools from JSONL and from CSV/TSV, a record at a time. Knows nothing of duplicates or of where rows go.
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import { UserError } from '../core/errors.ts';
import { ColumnWatch, checkColumns } from './columns.ts';
import { cutRecords } from './lines.ts';
import { BadRow, columnsOf, isRecord, rowEntry, valueAt } from './row.ts';
import type { ObjectEntry, Place, PoolEntry, PoolOptions, PoolReject } from './types.ts';

/** The defaults of PoolOptions. */
export const poolDefaults = { maxLineBytes: 16 * 1024 * 1024, maxRawChars: 500 } as const;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface TextRecord {
  at: Place;
  text: string;
}

/** Rows of a JSONL file: one object a line. */
export async function* readJsonl(file: string, options: PoolOptions): AsyncGenerator<PoolEntry> {
  const columns = columnsOf(options.columns);
  const watch = new ColumnWatch(file, options.columns);
  for await (const entry of jsonlObjects(file, options)) {
    if (entry.kind === 'reject') {
      yield entry;
      continue;
    }
    const { at, row, raw } = entry;
    yield guarded(at, raw, options, () => {
      watch.row(Object.keys(row), (name) => valueAt(row, name) !== undefined);
      return rowEntry(row, columns, basename(file), at);
    });
  }
  watch.finish();
}

/** The objects of a JSONL file, whatever they are; a line that is none is a reject. */
export async function* jsonlObjects(
  file: string,
  options: PoolOptions,
): AsyncGenerator<ObjectEntry | PoolReject> {
  for await (const record of textRecords(file, options, undefined)) {
    if (!('text' in record)) yield record;
    else {
      const { at, text: raw } = record;
      yield guarded(at, raw, options, () => ({ kind: 'object', at, raw, row: parsedObject(raw) }));
    }
  }
}

/** Rows of a CSV file (RFC 4180) whose first record names the columns. */
export async function* readCsv(
  file: string,
  options: PoolOptions,
  delimiter: ',' | '\t',
): AsyncGenerator<PoolEntry> {
  const columns = columnsOf(options.columns);
  let header: string[] | undefined;
  for await (const record of textRecords(file, options, delimiter)) {
    if (header === undefined) {
      header = headerOf(file, record, delimiter);
      const names = header;
      checkColumns(file, names, options.columns, (name) => names.includes(name));
      continue;
    }
    if (!('text' in record)) {
      yield record;
      continue;
    }
    const names = header;
    yield guarded(record.at, record.text, options, () => {
      const cells = csvCells(record.text, delimiter);
      if (cells.length !== names.length) {
        throw new BadRow(`${cells.length} cells where the header has ${names.length}`);
      }
      const row = Object.fromEntries(names.map((name, index) => [name, cells[index]]));
      return rowEntry(row, columns, basename(file), record.at);
    });
  }
}

/** The entry that `make` gives, or a reject with the reason of its BadRow. */
export function guarded<T>(
  at: Place,
  raw: string,
  options: PoolOptions,
  make: () => T,
): T | PoolReject {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof BadRow)) throw error;
    return reject(at, error.message, raw, options);
  }
}

function reject(at: Place, reason: string, raw: string, options: PoolOptions): PoolReject {
  const limit = options.maxRawChars ?? poolDefaults.maxRawChars;
  return {
    kind: 'reject',
    at,
    reason,
    raw: raw.slice(0, limit).replace(/\p{Surrogate}/gu, '\ufffd'),
  };
}

async function* textRecords(
  file: string,
  options: PoolOptions,
  delimiter: ',' | '\t' | undefined,
): AsyncGenerator<TextRecord | PoolReject> {
  const chunks: AsyncIterable<Buffer> = createReadStream(file, { highWaterMark: 256 * 1024 });
  const cut = cutRecords(chunks, {
    maxBytes: options.maxLineBytes ?? poolDefaults.maxLineBytes,
    quoted: delimiter !== undefined,
    delimiter: (delimiter ?? ',').charCodeAt(0),
  });
  for await (const { line, bytes, refused } of cut) {
    const at = { file, line };
    if (refused !== undefined) {
      yield reject(at, refused, bytes.toString('utf8'), options);
      continue;
    }
    const text = decoded(bytes);
    if (text === undefined) yield reject(at, 'not valid UTF-8', bytes.toString('utf8'), options);
    else if (text.trim() !== '') yield { at, text };
  }
}

function decoded(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function parsedObject(text: string): Record<string, unknown> {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (error) {
    throw new BadRow(`not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isRecord(row)) throw new BadRow('no JSON object');
  return row;
}

function headerOf(file: string, record: TextRecord | PoolReject, delimiter: string): string[] {
  const bad = (found: string) =>
    new UserError({
      wanted: 'a header with the names of the columns',
      found,
      where: `${file}:${record.at.line}`,
      fix: 'Name the columns in the first line, each once.',
    });
  if (!('text' in record)) throw bad(`a line that is ${record.reason}`);
  let names: string[];
  try {
    names = csvCells(record.text, delimiter);
  } catch (error) {
    throw bad(String(error));
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw bad(`two columns named ${JSON.stringify(twice)}`);
  return names;
}

function csvCells(text: string, delimiter: string): string[] {
  try {
    const records = parse(text, { delimiter, columns: false, record_delimiter: ['\r\n', '\n'] });
    return records[0] ?? [];
  } catch (error) {
    throw new BadRow(`not valid CSV: ${csvFault(error)}`);
  }
}

/** The fault in words; the parser's own message counts lines from the start of the record. */
function csvFault(error: unknown): string {
  if (!(error instanceof CsvError)) return String(error);
  if (error.code === 'INVALID_OPENING_QUOTE')
    return 'a quote inside a field that begins without one';
  if (error.code === 'CSV_INVALID_CLOSING_QUOTE') return 'text behind a closing quote';
  return error.code;
}
