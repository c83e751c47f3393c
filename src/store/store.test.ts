import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { UserError } from '../core/errors.ts';
import type { Engine } from './dialect.ts';
import { openStore, storeOn } from './store.ts';
import { storeContract } from './testing/contract.ts';
import { hasPostgres, startPostgres, type TestPostgres } from './testing/postgres.ts';
import { freshPath, freshWorkspace } from './testing/workspace.ts';
import { inTurns } from './turns.ts';
import type { Store } from './types.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

storeContract('PGlite', async () => {
  const workspace = await freshWorkspace();
  return { open: () => openStore(workspace) };
});

describe('through the process that shares the workspace', () => {
  let owner: Store | undefined;
  afterAll(() => owner?.close());
  storeContract('PGlite shared', async () => {
    await owner?.close();
    const workspace = await freshWorkspace();
    owner = await openStore(workspace, { share: true });
    return { open: () => openStore(workspace) };
  });
});

describe.skipIf(!hasPostgres)('on a server', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());
  storeContract('PostgreSQL', async () => {
    const url = await server.freshDatabase();
    return { open: () => openStore(url) };
  });
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
  const engine = fakeEngine([{ id: 1 }, { id: 9_999 }], (what) => void log.push(what));
  await expect(storeOn(engine, () => undefined)).rejects.toThrow(/schema 9999/);
  expect(log.at(-1)).toBe('close');
  expect(log).toContain('rollback');
  expect(log).not.toContain('commit');
});

test('a store that was never used closes its database', async () => {
  let closed = 0;
  const engine = fakeEngine([{ id: 1 }], (what) => {
    if (what === 'close') closed++;
  });
  await (await storeOn(engine, () => undefined)).close();
  expect(closed).toBe(1);
});

function fakeEngine(rows: unknown[], happened: (what: string) => void): Engine {
  const script = async (sql: string) => happened(sql);
  return inTurns(
    () => ({ query: async () => ({ rows }), script, command: script }),
    async () => happened('close'),
  );
}
