import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { UserError } from '../core/errors.ts';
import { describeDatabase, dumpDatabase, restoreDatabase } from './dump.ts';
import { type DumpPart, readDump, writeDump } from './dump-file.ts';
import { tableNames } from './dump-tables.ts';
import { migrate } from './migrate.ts';
import { migrations, newestSchema } from './migrations/index.ts';
import { type OpenedEngine, openEngine } from './open-engine.ts';
import { openStore } from './store.ts';
import { hasPostgres, startPostgres, type TestPostgres } from './testing/postgres.ts';
import { promptRow, rolloutRow, traceRow } from './testing/rows.ts';
import { freshPath, freshWorkspace } from './testing/workspace.ts';
import type { Store } from './types.ts';

vi.setConfig({ testTimeout: 400_000, hookTimeout: 240_000 });

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

function freshFolder(): string {
  const path = freshPath();
  mkdirSync(path, { recursive: true });
  return path;
}

async function opened(target: string): Promise<OpenedEngine> {
  const engine = await openEngine(target, newestSchema);
  onTestFinished(() => engine.close());
  return engine;
}

/** Something in most tables, with all that can go wrong on the way through a text. */
async function filled(target: string): Promise<void> {
  const store = await openStore(target);
  const hostile = 'a\tb\nc\\N "quoted" \'single\' \u2028 \ud83d\ude00 \\x41 {1,2} NULL';
  const odd = { ...promptRow(0), prompt: hostile, metadata: { b: '\u0000', a: [null, 1e-7] } };
  await store.prompts.add([odd, ...range(300).map((i) => promptRow(i + 1))]);
  const rollouts = range(300).map((i) => rolloutRow(i, 0, 40));
  await store.rollouts.put(0, [{ ...rollouts[0], answer: null }, ...rollouts.slice(1)]);
  await store.traces.put(
    0,
    range(20).map((i) => traceRow(i, 0, 40)),
  );
  const values = [0.1 + 0.2, -1e-300, 5e-324, Number.POSITIVE_INFINITY, -0, 1 / 3];
  await store.scores.put(
    0,
    'density',
    values.map((value, i) => ({ promptId: `p${i}`, value })),
  );
  await store.probes.put('main', 0, [{ promptId: 'p1', passRate: 0.25, voteRight: null }]);
  await store.plans.save('main', { z: 1, a: hostile });
  await writeDesk(store, hostile);
  await store.meta.put('text', hostile);
  await store.close();
}

async function writeDesk(store: Store, text: string): Promise<void> {
  // Names that sort differently by the rules of a language.
  for (const [i, account] of ['b', 'B', 'a', 'Ä', '_'].entries()) {
    await store.labels.add(account, [
      {
        ...{ promptId: `p${i}`, answer: text, source: 'ann', cost: 0.1, noisy: i === 1 },
        ...{ run: null, step: null },
      },
    ]);
  }
  await store.transitions.append([
    {
      ...{ promptId: 'p1', from: 'new', to: 'self', rule: 'quota', evidence: { note: text } },
      ...{ plan: 'main', round: 0, step: null },
    },
  ]);
  await store.auditLog.add({ at: 1.5, userId: null, action: 'made', subject: text, detail: {} });
}

async function dumped(target: string, name: string): Promise<string> {
  const path = join(freshFolder(), name);
  const { engine, close } = await openEngine(target, newestSchema);
  await dumpDatabase(engine, path);
  await close();
  return path;
}

async function restored(target: string, path: string): Promise<number> {
  const { engine, close } = await openEngine(target, newestSchema);
  try {
    return (await restoreDatabase(engine, path)).rows;
  } finally {
    await close();
  }
}

test('every table that a store lists is dumped', async () => {
  const { engine } = await opened(await freshWorkspace());
  const { tables, schema } = await describeDatabase(engine);
  expect(tables.map(({ name }) => name)).toEqual(tableNames);
  expect(schema).toBe(newestSchema);
  const { rows } = await engine.query(
    "select tablename::text as name from pg_tables where schemaname = 'public' and tablename <> 'migrations' order by 1",
    [],
  );
  expect(rows).toEqual(tableNames.map((name) => ({ name })));
});

describe.skipIf(!hasPostgres)('between engines', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test('a dump of a dump is the same file, whichever way it went', async () => {
    const workspace = await freshWorkspace();
    await filled(workspace);
    const first = await dumped(workspace, 'first');
    expect(statSync(first).mode & 0o777).toBe(0o600);
    const url = await server.freshDatabase();
    const rows = await restored(url, first);
    const second = await dumped(url, 'second');
    const back = freshPath();
    expect(await restored(back, second)).toBe(rows);
    const third = await dumped(back, 'third');
    const bytes = readFileSync(first);
    expect(readFileSync(second).equals(bytes)).toBe(true);
    expect(readFileSync(third).equals(bytes)).toBe(true);

    const stores = [await openStore(workspace), await openStore(url)];
    const [before, after] = await Promise.all(
      stores.map(async (store) => [
        await store.prompts.list(),
        await store.traces.of(0, ['p3']),
        await store.scores.of(0, 'density'),
        await store.labels.accounts(),
      ]),
    );
    for (const store of stores) await store.close();
    expect(after).toEqual(before);
  });

  test('a dump is of one moment, whatever is written meanwhile', async () => {
    const url = await server.freshDatabase();
    await filled(url);
    const store = await openStore(url);
    onTestFinished(() => store.close());
    const path = join(freshFolder(), 'dump');
    const { engine } = await opened(url);
    let written: Promise<unknown> | undefined;
    await dumpDatabase(engine, path, () => {
      written ??= store.prompts.add([promptRow(900)]);
    });
    await written;
    expect(gunzipSync(readFileSync(path)).toString()).not.toContain('p900');
    expect(await store.prompts.unknown(['p900'])).toEqual([]);
  });

  test('what is damaged, foreign, newer or not for this place leaves the database as it was', async () => {
    const source = await server.freshDatabase();
    await filled(source);
    const path = await dumped(source, 'dump');
    const bytes = readFileSync(path);
    const text = gunzipSync(bytes).toString();
    const lines = text.trimEnd().split('\n');
    const target = await server.freshDatabase();
    const flipped = Buffer.from(bytes);
    flipped[bytes.length >> 1] ^= 0x10;
    const wrong: [RegExp, string | Buffer][] = [
      [/ends in the middle/, bytes.subarray(0, bytes.length >> 1)],
      [/ends in the middle/, bytes.subarray(0, bytes.length - 4)],
      [/ends in the middle/, gzipSync(`${lines.slice(0, -1).join('\n')}\n`)],
      [/ends in the middle/, gzipSync(text.slice(0, -20))],
      // What a flipped bit turns into depends on where it falls: it may be the name of a column.
      [/checksum|whole dump|tables and columns/, flipped],
      [/checksum/, gzipSync(text.replace('1e-300', '2e-300'))],
      [/checksum/, gzipSync(`${lines.filter((line) => !line.startsWith('["p7"')).join('\n')}\n`)],
      [/checksum/, gzipSync(`${text}more\n`)],
      [/format 2/, gzipSync(text.replace('"pivottrace_dump":1', '"pivottrace_dump":2'))],
      [/found schema 999/, gzipSync(text.replace(/"schema":\d+/, '"schema":999'))],
      [/tables and columns/, gzipSync(text.replace('"table":"audit"', '"table":"pg_class"'))],
      [/tables and columns/, gzipSync(text.replace('"detail"', '"detail) select 1 --"'))],
      [/something else/, 'id,answer\n1,2\n'],
      [/something else/, gzipSync('{"an":"other"}\n')],
      [/ends in the middle/, ''],
    ];
    for (const [i, [message, content]] of wrong.entries()) {
      const file = join(freshFolder(), `wrong${i}`);
      writeFileSync(file, content);
      await expect(restored(target, file), `case ${i}`).rejects.toThrow(UserError);
      await expect(restored(target, file), `case ${i}`).rejects.toThrow(message);
      await expect(restored(target, file), `case ${i}`).rejects.toThrow(file);
    }
    await expect(restored(source, path)).rejects.toThrow(/one with rows in/);
    await expect(restored(target, join(freshPath(), 'none'))).rejects.toThrow(/ENOENT/);
    const { engine } = await opened(target);
    expect(await describeDatabase(engine)).toMatchObject({ schema: 0, tables: [] });
  });

  test('the dump of an old version is brought up to date', async () => {
    const old = await opened(await server.freshDatabase());
    await migrate(old.engine, migrations.slice(0, 2));
    await old.engine.query(
      `insert into prompts values ('p0', 0, '"What?"', 'made up', '{}'), ('p1', 1, '"Why?"', 'made up', '{}')`,
      [],
    );
    await old.engine.query(
      "insert into labels values (0, 'main', 'p0', 'file', '4', 1, false, null, null)",
      [],
    );
    const path = join(freshFolder(), 'old');
    expect(await dumpDatabase(old.engine, path)).toEqual({ schema: 2, rows: 3 });
    const url = await server.freshDatabase();
    // The tables of the newest version are there already, and empty.
    await (await openStore(url)).close();
    await restored(url, path);
    const store = await openStore(url);
    onTestFinished(() => store.close());
    expect(await store.prompts.count()).toBe(2);
    expect(await store.labels.count('main')).toBe(1);
  });
});

test('a database without tables is not dumped, and a file that cannot be written says so', async () => {
  const { engine } = await opened(freshPath());
  const path = join(freshFolder(), 'dump');
  await expect(dumpDatabase(engine, path)).rejects.toThrow(/without its tables/);
  await migrate(engine, migrations);
  await expect(dumpDatabase(engine, '/proc/nowhere/dump')).rejects.toThrow(UserError);
  await dumpDatabase(engine, path);
  const { parts } = await readDump(path);
  let tables = 0;
  for await (const part of parts) if (part.kind === 'table') tables++;
  expect(tables).toBe(tableNames.length);
});

test('rows pass through the file without being gathered', async () => {
  const path = join(freshFolder(), 'dump');
  const megabytes = 300;
  const held: number[] = [];
  const memory = () => process.memoryUsage.rss() / 2 ** 20;
  async function* parts(): AsyncGenerator<DumpPart> {
    yield { kind: 'table', table: 't', columns: ['a'] };
    for (let i = 0; i < megabytes; i++) {
      held.push(memory());
      yield { kind: 'row', values: [String(i % 10).repeat(2 ** 20)] };
    }
  }
  const before = memory();
  expect(await writeDump(path, 1, parts())).toBe(megabytes);
  let rows = 0;
  for await (const part of (await readDump(path)).parts) {
    if (part.kind === 'row') rows++;
    held.push(memory());
  }
  expect(rows).toBe(megabytes);
  expect(Math.max(...held) - before).toBeLessThan(megabytes / 2);
});
