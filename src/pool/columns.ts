// The error for files whose columns are not those of a pool. Knows nothing of file formats.
import { UserError } from '../core/errors.ts';
import { requiredColumns } from './row.ts';
import type { ColumnMap } from './types.ts';

const usualPrompts = ['question', 'problem', 'messages', 'instruction', 'input', 'query', 'text'];

/** Throws UserError where `has` is false for a column that the file must have. */
export function checkColumns(
  file: string,
  found: readonly string[],
  map: ColumnMap | undefined,
  has: (name: string) => boolean,
): void {
  const missing = requiredColumns(map).find((name) => !has(name));
  if (missing === undefined) return;
  const usual = usualPrompts.find((name) => found.includes(name)) ?? found[0] ?? 'NAME';
  const what = Object.entries(map ?? {}).find(([, name]) => name === missing)?.[0] ?? 'prompt';
  throw new UserError({
    wanted: `a column ${JSON.stringify(missing)}`,
    found: found.length === 0 ? 'no columns' : `the columns ${found.slice(0, 50).join(', ')}`,
    where: file,
    fix: `Say which column holds the ${what} with columns.${what}, for example columns.${what}=${usual}.`,
  });
}

/** Keeps watch over a file whose rows name their own columns: enough rows must have shown every column. */
export class ColumnWatch {
  private readonly file: string;
  private readonly map: ColumnMap | undefined;
  private readonly found = new Set<string>();
  private readonly seen = new Set<string>();
  private rows = 0;

  constructor(file: string, map: ColumnMap | undefined) {
    this.file = file;
    this.map = map;
  }

  /** UserError once 100 rows have not shown a required column. */
  row(names: readonly string[], has: (name: string) => boolean): void {
    if (this.found.size < 1000) for (const name of names) this.found.add(name);
    for (const name of requiredColumns(this.map)) if (has(name)) this.seen.add(name);
    this.rows++;
    if (this.rows === 100) this.check();
  }

  /** UserError where rows were seen, and a required column was not. */
  finish(): void {
    if (this.rows > 0) this.check();
  }

  private check(): void {
    checkColumns(this.file, [...this.found], this.map, (name) => this.seen.has(name));
  }
}
