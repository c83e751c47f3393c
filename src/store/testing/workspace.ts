/** Workspaces for tests: a new database takes seconds to make, so one is made per process and copied. */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../store.ts';

const base = mkdtempSync(join(tmpdir(), 'pivottrace-store-'));
process.on('exit', () => rmSync(base, { recursive: true, force: true }));

let count = 0;

/** A path in a directory that is removed when the process ends; nothing is there yet. */
export function freshPath(): string {
  return join(base, `${count++}`);
}

/** A workspace with an empty database that nobody has open. */
export async function freshWorkspace(): Promise<string> {
  const template = join(base, 'template');
  if (!existsSync(join(template, 'db'))) await (await openStore(template)).close();
  const path = freshPath();
  cpSync(template, path, { recursive: true });
  return path;
}
