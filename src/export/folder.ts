/**
 * Writes an export to its folder: whole at first, later only what has changed, the manifest last. Files that a person has
 * changed are left as they are, with ours beside them; what a person or a trainer has put there is not touched.
 *
 * Knows nothing of what the files say.
 */
import { existsSync, lstatSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../core/errors.ts';
import { errorCode, writeFolder, writeWhole } from '../core/files.ts';
import { type Changes, changesBetween, ledgerName } from './ledger.ts';
import {
  type Manifest,
  manifestName,
  manifestText,
  nextName,
  parseManifest,
  sha256,
} from './manifest.ts';
import type { FileSet } from './types.ts';

/** What came of writing a folder. */
export interface Written {
  path: string;
  /** Names of files that were written or removed; empty where nothing has changed. */
  written: string[];
  removed: string[];
  /** Files that a person changed: ours lies beside each as NAME.new where it differs from what it was. */
  kept: string[];
  manifest: Manifest;
}

/** Names of exported folders: none begins with a dash or needs quotes. */
const folderName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/;

/** The absolute path of the folder. UserError for a name that scripts and other programs could trip over. */
export function exportPath(path: string): string {
  const whole = resolve(path);
  if (folderName.test(basename(whole)) && !/\p{Cc}/u.test(whole)) return whole;
  throw new UserError({
    wanted: 'a folder whose name is letters, digits, dots, dashes and underscores',
    found: JSON.stringify(basename(whole)),
    where: '--out',
  });
}

type Draft = Omit<Manifest, 'files' | 'kept' | 'changes'>;

/** Writes `files` and the manifest. UserError, with nothing written, where the folder holds something else. */
export function writeExport(path: string, files: FileSet, draft: Draft): Written {
  const folder = exportPath(path);
  const before = earlierExport(folder, draft);
  const sums = Object.fromEntries(
    [...files]
      .sort(byName)
      .map(([name, data]) => [name, { bytes: sizeOf(data), sha256: sha256(data) }]),
  );
  if (before === undefined) {
    const manifest = { ...draft, files: sums, kept: [], changes: null };
    fresh(folder, files, manifest);
    return { path: folder, written: [...files.keys()].sort(), removed: [], kept: [], manifest };
  }
  const kept = keptFiles(folder, before);
  const same = { ...draft, files: sums, kept, changes: before.manifest.changes };
  const isWhole = !existsSync(join(folder, nextName));
  if (
    isWhole &&
    manifestText(same) === before.text &&
    changed(folder, files, before).length === 0
  ) {
    return { path: folder, written: [], removed: [], kept, manifest: same };
  }
  const changes = { since: sha256(before.text), ...changesSince(folder, before, files) };
  return update(folder, files, before, { ...same, changes });
}

interface Earlier {
  text: string;
  manifest: Manifest;
  /** Checksums by name that files of ours may have: those of the manifest, and of an export that was cut off. */
  ours: Map<string, Set<string>>;
}

/** The export that is in the folder; undefined where the folder is missing or empty. */
function earlierExport(folder: string, draft: Draft): Earlier | undefined {
  if (!existsSync(folder)) return undefined;
  const path = join(folder, manifestName);
  if (!lstatSync(folder).isDirectory()) throw notOurs(folder, 'a file');
  if (!existsSync(path)) {
    if (readdirSync(folder).length === 0) return undefined;
    throw notOurs(folder, 'a folder with other files');
  }
  const text = readFileSync(path, 'utf8');
  const manifest = parseManifest(text, path);
  if (manifest.to !== draft.to) throw notOurs(folder, `an export for ${manifest.to}`);
  const ours = new Map<string, Set<string>>();
  const add = ({ files }: Manifest) => {
    for (const [name, { sha256: sum }] of Object.entries(files)) {
      ours.set(name, (ours.get(name) ?? new Set()).add(sum));
    }
  };
  add(manifest);
  const next = join(folder, nextName);
  if (existsSync(next)) add(parseManifest(readFileSync(next, 'utf8'), next));
  return { text, manifest, ours };
}

function notOurs(folder: string, found: string): UserError {
  return new UserError({
    wanted: 'a folder that is not there yet, or an earlier export for the same trainer',
    found,
    where: folder,
    fix: 'Choose another folder with --out. Nothing was written.',
  });
}

function fresh(folder: string, files: FileSet, manifest: Manifest): void {
  explained(folder, () =>
    writeFolder(folder, (temporary) => {
      for (const [name, data] of files) writeWhole(join(temporary, name), data);
      writeWhole(join(temporary, manifestName), manifestText(manifest));
    }),
  );
}

/** Data that a person changed is refused: a trainer would be given something that no manifest tells of. */
const data = /\.(?:parquet|jsonl)$/;

function update(folder: string, files: FileSet, before: Earlier, manifest: Manifest): Written {
  const { kept } = manifest;
  const spoilt = kept.find((name) => data.test(name));
  if (spoilt !== undefined) {
    throw new UserError({
      wanted: 'the data as it was exported',
      found: 'a file that was changed since',
      where: join(folder, spoilt),
      fix: 'Move it away, or choose another folder with --out. Nothing was written.',
    });
  }
  const written = changed(folder, files, before);
  const gone = [...before.ours.keys()].filter((name) => !files.has(name) && !kept.includes(name));
  const removed = gone.filter((name) => existsSync(join(folder, name)));
  explained(folder, () => {
    writeWhole(join(folder, nextName), manifestText(manifest));
    for (const name of written) writeOne(folder, name, files, kept);
    for (const name of removed) rmSync(join(folder, name));
    renameSync(join(folder, nextName), join(folder, manifestName));
  });
  return { path: folder, written, removed, kept, manifest };
}

function writeOne(folder: string, name: string, files: FileSet, kept: readonly string[]): void {
  const content = files.get(name);
  if (content === undefined) return;
  writeWhole(join(folder, kept.includes(name) ? `${name}.new` : name), content);
}

/** Files of ours on disk that are neither as the manifest has them nor gone. */
function keptFiles(folder: string, { ours }: Earlier): string[] {
  return [...ours]
    .filter(([name, sums]) => {
      const sum = sumOf(join(folder, name));
      return sum !== undefined && !sums.has(sum);
    })
    .map(([name]) => name)
    .sort();
}

/** Names of files that are not on disk as they are now; of a kept one, where ours has changed since the last export. */
function changed(folder: string, files: FileSet, before: Earlier): string[] {
  const kept = keptFiles(folder, before);
  return [...files]
    .filter(([name, content]) => {
      const sum = sha256(content);
      if (kept.includes(name)) return before.manifest.files[name]?.sha256 !== sum;
      return sumOf(join(folder, name)) !== sum;
    })
    .map(([name]) => name)
    .sort(ledgerLast);
}

/** The ledger is what the next export compares itself with: it must not run ahead of what it tells of. */
function ledgerLast(a: string, b: string): number {
  if (a === ledgerName || b === ledgerName) return a === b ? 0 : a === ledgerName ? 1 : -1;
  return a < b ? -1 : 1;
}

function changesSince(folder: string, before: Earlier, files: FileSet): Changes {
  const path = join(folder, ledgerName);
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const cutOff = existsSync(join(folder, nextName));
  // An export that was cut off may have written its ledger already: what it said has changed still has.
  const pending = cutOff ? parseManifest(readFileSync(join(folder, nextName), 'utf8'), path) : null;
  const now = String(files.get(ledgerName) ?? '');
  const fromDisk = changesBetween(old, now);
  const known = pending?.changes ?? null;
  if (known === null || sha256(old) === before.manifest.files[ledgerName]?.sha256) return fromDisk;
  const union = (key: keyof Changes) => [...new Set([...known[key], ...fromDisk[key]])];
  return { added: union('added'), changed: union('changed'), removed: union('removed') };
}

function sumOf(path: string): string | undefined {
  return existsSync(path) && lstatSync(path).isFile() ? sha256(readFileSync(path)) : undefined;
}

function sizeOf(content: string | Uint8Array): number {
  return typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

function explained(folder: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      { wanted: 'a folder that can be written to', found: errorCode(error), where: folder },
      { cause: error },
    );
  }
}
