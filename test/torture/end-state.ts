/**
 * Everything that a workspace has come to, without wall-clock times, in a form that can be compared.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileHash } from '../../src/core/files.ts';
import { openStore } from '../../src/store/store.ts';

export interface EndState {
  /** Rows per table, each as JSON text, in the order of a dump. */
  tables: Map<string, string[]>;
  /** Files that hold results, relative to the workspace: hashes, or the text of logs without `seconds`. */
  files: Map<string, string>;
  /** Labels in the database. */
  labels: number;
  /** Lines of the ledger, those that name an account and prompt for the first time, and those of training steps. */
  sold: { lines: number; distinct: number; whileTraining: number };
  /** Temporary files that were left behind. */
  leftovers: string[];
}

export async function endState(workspace: string): Promise<EndState> {
  const tables = new Map<string, string[]>();
  const store = await openStore(workspace);
  try {
    for await (const { table, row } of store.dump()) {
      const rows = tables.get(table) ?? [];
      rows.push(JSON.stringify(row));
      tables.set(table, rows);
    }
  } finally {
    await store.close();
  }
  const all = filesUnder(workspace).filter((path) => !path.startsWith('db/'));
  const files = new Map<string, string>();
  for (const path of all) {
    const kept = /^(runs|plans)\//.test(path) || path === 'ledger.jsonl';
    if (kept) files.set(path, await contentOf(join(workspace, path)));
  }
  const ledger = linesOf(join(workspace, 'ledger.jsonl'));
  const sold = ledger.map((line) => {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null && 'account' in entry && 'prompt_id' in entry
      ? `${entry.account} ${entry.prompt_id}`
      : line;
  });
  return {
    tables,
    files,
    labels: tables.get('labels')?.length ?? 0,
    sold: {
      lines: sold.length,
      distinct: new Set(sold).size,
      whileTraining: ledger.filter((line) => !line.includes('"step":null')).length,
    },
    leftovers: all.filter((path) => /\.(tmp|old|new)$|owner\.lock/.test(path)),
  };
}

/** Where two end states differ, in words; empty where they are equal. */
export function differences(wanted: EndState, found: EndState): string[] {
  return [
    ...[...new Set([...wanted.tables.keys(), ...found.tables.keys()])].flatMap((table) =>
      differingRows(table, wanted.tables.get(table) ?? [], found.tables.get(table) ?? []),
    ),
    ...[...new Set([...wanted.files.keys(), ...found.files.keys()])]
      .filter((path) => wanted.files.get(path) !== found.files.get(path))
      .map((path) => {
        const one = wanted.files.get(path) ?? 'no file';
        const other = found.files.get(path) ?? 'no file';
        return `${path}: ${firstDifference(one, other)}`;
      }),
    ...(found.sold.lines === found.sold.distinct ? [] : ['ledger: an answer was sold twice']),
    ...found.leftovers.map((path) => `${path} was left behind`),
  ];
}

function differingRows(table: string, wanted: readonly string[], found: readonly string[]) {
  const count = Math.max(wanted.length, found.length);
  const at = Array.from({ length: count }, (_, i) => i).find((i) => wanted[i] !== found[i]);
  if (at === undefined) return [];
  const rows = `${wanted.length} and ${found.length} rows`;
  return [
    `table ${table} (${rows}), row ${at}: ${firstDifference(wanted[at] ?? 'none', found[at] ?? 'none')}`,
  ];
}

/** Both texts from shortly before the place where they part. */
function firstDifference(one: string, other: string): string {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  const from = Math.max(0, at - 60);
  return `...${one.slice(from, at + 80)} | ...${other.slice(from, at + 80)}`;
}

async function contentOf(path: string): Promise<string> {
  if (!/\.(jsonl|json|yaml)$/.test(path)) return await fileHash(path);
  return readFileSync(path, 'utf8').replaceAll(/"seconds":[^,}]+/g, '"seconds":0');
}

function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
