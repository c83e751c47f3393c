/** Rows of JSONL files of this package, for the benches. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');

/** The rows of a file, its path from the root of the package. */
export function readRows<T = Record<string, string>>(path: string): T[] {
  const lines = readFileSync(join(root, path), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}
