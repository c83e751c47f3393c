/**
 * Files as a row of items: the records of a CSV file, the lines of JSONL, the items of a JSON list; one at a time,
 * however long the file. Knows nothing of what an item says.
 */
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { CsvError, parse } from 'csv-parse/sync';
import { UserError } from '../../core/errors.ts';
import { errorCode } from '../../core/files.ts';
import { cutRecords } from '../../pool/lines.ts';
import { isRecord } from '../../pool/row.ts';
import { unguarded } from './formula.ts';
import { cutArray } from './json-array.ts';
import type { Container, Item, Place } from './types.ts';
import { BadItem, shown, whereIs } from './values.ts';

/** An item and where it stands. */
export interface PlacedItem {
  item: Item;
  place: Place;
}

/** Longest item, in bytes. */
const MAX_BYTES = 64 * 2 ** 20;
const HEAD_BYTES = 64 * 1024;
const delimiters = [',', ';', '\t'] as const;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A list inside an object, as a page of records that a server sends. */
const WRAPPED = /^\s*\{\s*"(?:items|records)"\s*:\s*\[/;

/** What kind of file it is, by how it begins. UserError where it cannot be read. */
export function containerOf(path: string): Container {
  const head = headOf(path).trimStart();
  if (head.startsWith('[') || WRAPPED.test(head)) return 'array';
  return head.startsWith('{') ? 'lines' : 'csv';
}

/** The items of the file. UserError with the place for what is none, and where the file cannot be read. */
export async function* itemsOf(
  path: string,
  container: Container,
  noun = 'item',
): AsyncGenerator<PlacedItem> {
  try {
    if (container === 'csv') yield* csvItems(path);
    else if (container === 'lines') yield* lineItems(path);
    else yield* arrayItems(path, noun);
  } catch (error) {
    throw explained(error, path);
  }
}

/** The UserError for an item that cannot be taken. */
export function badItem(found: string, where: string): UserError {
  return new UserError({
    wanted: 'a record with an id and an answer',
    found,
    where,
    fix: 'Correct it and give the command again; nothing was taken from the file.',
  });
}

function explained(error: unknown, path: string): unknown {
  if (error instanceof BadItem) return badItem(error.message, path);
  if (error instanceof Error && 'syscall' in error) {
    return new UserError(
      { wanted: 'a readable file of labels', found: errorCode(error), where: path },
      { cause: error },
    );
  }
  return error;
}

function headOf(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(HEAD_BYTES);
      const length = readSync(file, bytes);
      return bytes.toString('utf8', 0, length).replace(/^\uFEFF/, '');
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw explained(error, path);
  }
}

function chunksOf(path: string): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: 256 * 1024 });
}

async function* lineItems(path: string): AsyncGenerator<PlacedItem> {
  const settings = { maxBytes: MAX_BYTES, quoted: false, delimiter: 0 };
  for await (const { line, bytes, refused } of cutRecords(chunksOf(path), settings)) {
    const place = { path, line, item: null };
    if (refused !== undefined) throw badItem(`a line ${refused}`, whereIs(place));
    const text = decoded(bytes, place);
    if (text.trim() !== '') yield { item: parsed(text, place), place };
  }
}

async function* arrayItems(path: string, noun: string): AsyncGenerator<PlacedItem> {
  const settings = { maxBytes: MAX_BYTES, wrapped: WRAPPED.test(headOf(path)) };
  for await (const { number, line, bytes } of cutArray(chunksOf(path), settings)) {
    const place = { path, line, item: `${noun} ${number}` };
    yield { item: parsed(decoded(bytes, place), place), place };
  }
}

async function* csvItems(path: string): AsyncGenerator<PlacedItem> {
  const delimiter = delimiterOf(path);
  const settings = { maxBytes: MAX_BYTES, quoted: true, delimiter: delimiter.charCodeAt(0) };
  let header: string[] | undefined;
  let plain = unguarded;
  for await (const { line, bytes, refused } of cutRecords(chunksOf(path), settings)) {
    const place = { path, line, item: null };
    if (refused !== undefined) throw badItem(refused, whereIs(place));
    const text = decoded(bytes, place);
    if (text.trim() === '') continue;
    const cells = cellsOf(text, delimiter, place);
    if (header === undefined) {
      header = headerOf(cells, place);
      // Label Studio guards nothing.
      if (header.includes('annotation_id')) plain = (cell) => cell;
      continue;
    }
    // What a spreadsheet leaves behind of rows that were emptied.
    if (cells.every((cell) => cell.trim() === '')) continue;
    if (cells.length !== header.length) {
      throw badItem(`${cells.length} cells where the header has ${header.length}`, whereIs(place));
    }
    const pairs = header.map((name, index) => [name, plain(cells[index])] as const);
    yield { item: Object.fromEntries(pairs), place };
  }
}

/** Spreadsheets of some countries write semicolons. */
function delimiterOf(path: string): (typeof delimiters)[number] {
  const line = /^[^\r\n]*/.exec(headOf(path).trimStart())?.[0] ?? '';
  const count = (delimiter: string) => line.split(delimiter).length;
  const [first] = [...delimiters].sort((a, b) => count(b) - count(a));
  return first;
}

function headerOf(cells: readonly string[], place: Place): string[] {
  const names = cells.map((cell) => cell.trim());
  const twice = names.find((name, index) => name !== '' && names.indexOf(name) !== index);
  if (twice !== undefined) throw badItem(`two columns named '${shown(twice)}'`, whereIs(place));
  if ((names.includes('id') || names.includes('pt_id')) && names.includes('answer')) return names;
  throw new UserError({
    wanted: 'columns "id" and "answer", or a JSON file',
    found: `the columns ${names.slice(0, 20).map(shown).join(', ')}`,
    where: whereIs(place),
    fix: 'Name the columns in the first line.',
  });
}

function cellsOf(text: string, delimiter: string, place: Place): string[] {
  try {
    return parse(text, { delimiter, columns: false, record_delimiter: ['\r\n', '\n'] })[0] ?? [];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw badItem(`not valid CSV: ${shown(error.message)}`, whereIs(place));
  }
}

function decoded(bytes: Buffer, place: Place): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw badItem('bytes that are not UTF-8', whereIs(place));
  }
}

function parsed(text: string, place: Place): Item {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badItem('no JSON', whereIs(place));
  }
  if (!isRecord(value)) throw badItem('no JSON object', whereIs(place));
  return value;
}
