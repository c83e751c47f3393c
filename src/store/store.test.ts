import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UserError } from '../core/errors.ts';
import type { Engine } from './dialect.ts';
import { openStore, storeOn } from './store.ts';
import { storeContract } from './testing/contract.ts';
import { freshPath, freshWorkspace } from './testing/workspace.ts';

storeContract('PGlite', async () => {
  const workspace = await freshWorkspace();
  return { open: () => openStore(workspace) };
});

test('a database that was left half made is made anew', async () => {
  const workspace = freshPath();
  mkdirSync(join(workspace, 'db.new', 'base'), { recursive: true });
  writeFileSync(join(workspace, 'db.new', 'PG_VERSION'), '18\n');
  const store = await openStore(workspace);
  expect(await store.prompts.count()).toBe(0);
  await store.close();
  expect(existsSync(join(workspace, 'db.new'))).toBe(false);
});

test('a directory that is no database is refused, and the workspace is free again', async () => {
  const workspace = freshPath();
  mkdirSync(join(workspace, 'db'), { recursive: true });
  writeFileSync(join(workspace, 'db', 'PG_VERSION'), 'nonsense\n');
  await expect(openStore(workspace)).rejects.toThrow(UserError);
  expect(existsSync(join(workspace, 'owner.lock'))).toBe(false);
});

test('a database of a newer version is refused', async () => {
  const log: string[] = [];
  const engine: Engine = {
    query: async () => ({ rows: [{ id: 1 }, { id: 9_999 }] }),
    script: async (sql) => void log.push(sql),
    close: async () => void log.push('close'),
  };
  await expect(storeOn(engine, () => undefined)).rejects.toThrow(/schema 9999/);
  expect(log.at(-1)).toBe('close');
  expect(log).toContain('rollback');
  expect(log).not.toContain('commit');
});

test('a store that was never used closes its database', async () => {
  let closed = 0;
  const engine: Engine = {
    query: async () => ({ rows: [{ id: 1 }] }),
    script: async () => undefined,
    close: async () => void closed++,
  };
  await (await storeOn(engine, () => undefined)).close();
  expect(closed).toBe(1);
});
