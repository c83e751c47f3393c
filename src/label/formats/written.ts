/** Items as the text of a file. Knows nothing of what an item says. */
import { guarded } from './formula.ts';
import type { Container, Item } from './types.ts';

/**
 * The file in pieces. CSV: the columns are the keys of the first item; a byte order mark, since spreadsheets take a file
 * without one for another encoding; lines end as RFC 4180 has it.
 */
export function* written(container: Container, items: Iterable<Item>): Generator<string> {
  if (container === 'csv') yield* writtenCsv(items);
  else if (container === 'lines') for (const item of items) yield `${JSON.stringify(item)}\n`;
  else yield* writtenArray(items);
}

function* writtenArray(items: Iterable<Item>): Generator<string> {
  let before = '[\n';
  for (const item of items) {
    yield before + JSON.stringify(item);
    before = ',\n';
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}

function* writtenCsv(items: Iterable<Item>): Generator<string> {
  let columns: string[] | undefined;
  for (const item of items) {
    if (columns === undefined) {
      columns = Object.keys(item);
      yield `\uFEFF${columns.map(quoted).join(',')}\r\n`;
    }
    yield `${columns.map((name) => cellText(item[name])).join(',')}\r\n`;
  }
}

function cellText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return quoted(typeof value === 'string' ? guarded(value) : String(value));
}

function quoted(cell: string): string {
  return /[",;\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
