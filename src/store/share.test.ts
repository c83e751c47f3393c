import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test, vi } from 'vitest';
import { UserError } from '../core/errors.ts';
import { migrations, newestSchema } from './migrations/index.ts';
import { openEngine } from './open-engine.ts';
import { joinShare } from './share-client.ts';
import { openStore } from './store.ts';
import { promptRow } from './testing/rows.ts';
import { freshPath, freshWorkspace } from './testing/workspace.ts';
import type { Store } from './types.ts';

vi.setConfig({ testTimeout: 240_000 });

const guestScript = join(import.meta.dirname, 'testing', 'guest.ts');

/** Closed when the test ends, guests before owners. */
async function opened(workspace: string, options = {}): Promise<Store> {
  const store = await openStore(workspace, options);
  onTestFinished(() => store.close());
  return store;
}

async function sharedWorkspace(): Promise<{ workspace: string; owner: Store; guest: Store }> {
  const workspace = await freshWorkspace();
  const owner = await opened(workspace, { share: true });
  return { workspace, owner, guest: await opened(workspace) };
}

function socketOf(workspace: string): string {
  return JSON.parse(readFileSync(join(workspace, 'share', 'place.json'), 'utf8')).socket;
}

/** A process that stands still in a transaction. */
async function guestInside(workspace: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', guestScript, workspace], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  expect(line).toBe('inside');
  return child;
}

test('owner and guests see what the others write, while and after they do', async () => {
  const { workspace, owner, guest } = await sharedWorkspace();
  await guest.prompts.add([promptRow(0)]);
  const another = await opened(workspace);
  await owner.prompts.add([promptRow(1)]);
  expect(await another.prompts.list()).toEqual([promptRow(0), promptRow(1)]);
  await another.close();
  expect(await guest.prompts.count()).toBe(2);
});

test('transactions of several processes do not mix', async () => {
  const { workspace, owner, guest } = await sharedWorkspace();
  const third = await opened(workspace);
  const stores = [owner, guest, third];
  await owner.meta.put('count', 0);
  // Reading and writing in two statements loses counts as soon as two transactions overlap.
  const count = (store: Store, fails: boolean) =>
    store.transaction(async ({ meta }) => {
      const before = Number(await meta.get('count'));
      await meta.put('count', before + 1);
      if (fails) throw new Error('changed my mind');
    });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 60 }, (_, i) => count(stores[i % 3], i % 4 === 3)),
  );
  const done = outcomes.filter(({ status }) => status === 'fulfilled').length;
  expect(done).toBe(45);
  expect(await third.meta.get('count')).toBe(45);
});

test('a statement of the owner waits for the transaction of a guest', async () => {
  const { owner, guest } = await sharedWorkspace();
  const order: string[] = [];
  let outside: Promise<unknown> | undefined;
  await guest.transaction(async ({ meta }) => {
    await meta.put('a', 1);
    outside = owner.meta.get('a').then((value) => order.push(`owner sees ${value}`));
    await meta.put('a', 2);
    order.push('guest is about to commit');
  });
  await outside;
  expect(order).toEqual(['guest is about to commit', 'owner sees 2']);
});

test('a process that is killed in its transaction has written nothing and blocks nobody', async () => {
  const { workspace, owner } = await sharedWorkspace();
  const child = await guestInside(workspace);
  const waiting = owner.prompts.count();
  child.kill('SIGKILL');
  expect(await waiting).toBe(0);
  expect(await owner.meta.get('guest')).toBe(child.pid);
});

test('a process that stands still in its transaction is put out', async () => {
  const workspace = await freshWorkspace();
  const owner = await opened(workspace, { share: true, shareIdleLimit: 300 });
  const guest = await opened(workspace);
  const stuck = guest.transaction(async ({ prompts, meta }) => {
    await prompts.add([promptRow(0)]);
    // It goes on only when the owner has had its turn, which is what it keeps the owner from.
    expect(await owner.prompts.count()).toBe(0);
    await meta.put('late', true);
  });
  await expect(stuck).rejects.toThrow(UserError);
  expect(await owner.meta.get('late')).toBeUndefined();
  // Outside a transaction silence is no fault, and what was lost is found again.
  await guest.meta.put('later', true);
  expect(await owner.meta.get('later')).toBe(true);
});

test('faults of the database arrive as they are', async () => {
  const { workspace } = await sharedWorkspace();
  const { engine, by, close } = await openEngine(workspace, newestSchema);
  onTestFinished(close);
  expect(by).toBe('guest');
  await expect(engine.query('select nothing from nowhere', [])).rejects.toMatchObject({
    code: '42P01',
  });
  const values = [1.5, 'é', true, null, Uint8Array.of(0, 255)];
  const { rows } = await engine.query(
    'select $1::float8 as a, $2::text as b, $3::bool as c, $4::text as d, $5::bytea as e, 7::int8 as f, to_timestamp(1) as g',
    values,
  );
  const [a, b, c, d, e] = values;
  expect(rows).toEqual([{ a, b, c, d, e, f: 7, g: new Date(1000) }]);
});

test('only its user can reach the socket', async () => {
  const { workspace } = await sharedWorkspace();
  const socket = socketOf(workspace);
  expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700);
  expect(statSync(socket).mode & 0o777).toBe(0o600);
});

test('where the path of the workspace is too long, the socket is elsewhere', async () => {
  const workspace = join(freshPath(), 'long'.repeat(20), 'longer'.repeat(10));
  const owner = await openStore(workspace, { share: true });
  const socket = socketOf(workspace);
  expect(socket.startsWith(workspace)).toBe(false);
  expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700);
  const guest = await openStore(workspace);
  await guest.meta.put('far', 'away');
  expect(await owner.meta.get('far')).toBe('away');
  await guest.close();
  await owner.close();
  expect(existsSync(dirname(socket))).toBe(false);
  expect(existsSync(join(workspace, 'share'))).toBe(false);
});

test('a workspace that is not shared is refused, and the refusal says what would share it', async () => {
  const workspace = await freshWorkspace();
  await opened(workspace);
  const refusal = openStore(workspace);
  await expect(refusal).rejects.toThrow(new RegExp(`process ${process.pid} using it`));
  await expect(refusal).rejects.toThrow(/`pivottrace serve`, started before/);
});

test('what a killed owner left behind does not pass for a place to meet', async () => {
  const workspace = await freshWorkspace();
  mkdirSync(join(workspace, 'share'));
  const place = { token: 'of one who is gone', socket: join(workspace, 'share', 'db.sock') };
  writeFileSync(join(workspace, 'share', 'place.json'), JSON.stringify(place));
  const owner = await openStore(workspace);
  await expect(openStore(workspace)).rejects.toThrow(/using it/);
  await owner.close();
  await (await openStore(workspace, { share: true })).close();
  expect(existsSync(join(workspace, 'share'))).toBe(false);
});

test('an owner of another version is not joined', async () => {
  const { workspace } = await sharedWorkspace();
  await expect(joinShare(workspace, newestSchema + 1)).rejects.toThrow(/schema/);
});

test('guests that come before the database is open wait for it', async () => {
  const workspace = freshPath();
  const owner = openStore(workspace, { share: true });
  while (!existsSync(join(workspace, 'share', 'place.json'))) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(existsSync(join(workspace, 'db'))).toBe(false);
  const guest = await openStore(workspace);
  expect(await guest.prompts.count()).toBe(0);
  await guest.close();
  await (await owner).close();
});

test('a guest outlives a restart of the owner, but not its transaction', async () => {
  const workspace = await freshWorkspace();
  const first = await openStore(workspace, { share: true });
  const guest = await opened(workspace);
  const torn = guest.transaction(async ({ meta }) => {
    await meta.put('torn', true);
    await first.close();
    await meta.put('torn', false);
  });
  await expect(torn).rejects.toThrow(/everything acknowledged so far is kept/);
  const second = await openStore(workspace, { share: true });
  await guest.meta.put('again', true);
  expect(await second.meta.get('again')).toBe(true);
  expect(await second.meta.get('torn')).toBeUndefined();
  await guest.close();
  await second.close();
});

test('a guest whose owner does not come back says so', async () => {
  const workspace = await freshWorkspace();
  const owner = await openStore(workspace, { share: true });
  const engine = await joinShare(workspace, newestSchema, 50);
  await owner.close();
  await expect(engine?.query('select 1', [])).rejects.toThrow(/the connection to it ended/);
  await engine?.close();
});

test('nonsense on the socket harms nobody', async () => {
  const { workspace, owner, guest } = await sharedWorkspace();
  for (const nonsense of ['GET / HTTP/1.1\r\n\r\n', '\u0000\u0000\u0000\u0004abcd', '\uffff']) {
    const socket = connect(socketOf(workspace));
    socket.on('error', () => undefined);
    socket.end(nonsense);
    socket.resume();
    await once(socket, 'close');
  }
  expect(await guest.prompts.count()).toBe(0);
  expect(await owner.prompts.count()).toBe(0);
});

test('the newest schema is that of the last migration', () => {
  expect(newestSchema).toBe(migrations.length);
});
