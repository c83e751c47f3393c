import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { UserError } from '../core/errors.ts';
import type { Transition } from '../triage/types.ts';
import { newestSchema } from './migrations/index.ts';
import { openEngine } from './open-engine.ts';
import { openPostgres, requireServer } from './postgres.ts';
import { serverExplained } from './server-failures.ts';
import { openStore } from './store.ts';
import { hasPostgres, startPostgres, type TestPostgres } from './testing/postgres.ts';
import { promptRow, rolloutRow } from './testing/rows.ts';
import { freshWorkspace } from './testing/workspace.ts';
import type { LabelRecord, Store } from './types.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

test('a server that is too old, or cannot hold every text, is refused', () => {
  const server = { version: 150_018, name: '15.18', encoding: 'UTF8' };
  expect(() => requireServer(server, 'there')).not.toThrow();
  const old = { ...server, version: 140_013, name: '14.13' };
  expect(() => requireServer(old, 'there')).toThrow(/there: wanted PostgreSQL 15 .*found .*14\.13/);
  expect(() => requireServer({ ...server, encoding: 'LATIN1' }, 'there')).toThrow(/LATIN1/);
});

test('codes of the server and of the network get a sentence; others stay what they are', () => {
  const said = (code: string, message = 'x') => {
    const known = serverExplained(Object.assign(new Error(message), { code }), 'there');
    return known instanceof UserError ? known.message : undefined;
  };
  expect(said('ENOTFOUND')).toMatch(/^there: .*host name/);
  expect(said('53300')).toMatch(/connection/);
  expect(said('53100')).toMatch(/no space left/);
  expect(said('42501')).toMatch(/OWNER/);
  expect(said('ENOENT', 'open ca.pem')).toMatch(/ca\.pem/);
  expect(said('none', 'timeout exceeded when trying to connect')).toMatch(/no answer/);
  expect(said('23505')).toBeUndefined();
});

test('where nobody listens, that is said', async () => {
  const refusal = openStore('postgres://ann:s3cret@127.0.0.1:1/team');
  await expect(refusal).rejects.toThrow(
    /^postgres:\/\/ann@127\.0\.0\.1:1\/team: .*nothing that listens/,
  );
});

describe.skipIf(!hasPostgres)('on a server', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  async function opened(url: string): Promise<Store> {
    const store = await openStore(url);
    onTestFinished(() => store.close());
    return store;
  }

  test('a wrong password, no password, no such user and no such database are told apart', async () => {
    const url = new URL(server.url);
    const refusals: [RegExp, (changed: URL) => void][] = [
      [/password .*found a refusal/, (changed) => (changed.password = 'wr0ng')],
      [/found no password/, (changed) => (changed.password = '')],
      [/found a refusal/, (changed) => (changed.username = 'nobody')],
      [/CREATE DATABASE/, (changed) => (changed.pathname = '/nothing')],
    ];
    for (const [message, change] of refusals) {
      const changed = new URL(url);
      change(changed);
      const refusal = openStore(changed.href);
      await expect(refusal).rejects.toThrow(UserError);
      await expect(refusal).rejects.toThrow(message);
      await expect(refusal).rejects.not.toThrow(new RegExp(`wr0ng|${url.password}`));
    }
  });

  test('values are read as PGlite reads them', async () => {
    const statement = `
      select 1::int2 as a, 2::int4 as b, 3::int8 as c, 9007199254740993::int8 as d, count(*) as e, 0.1::float8 as f,
        'NaN'::float4 as g, 1.50::numeric as h, sum(7) as i, avg(7) as j, '{"b":[1,null],"a":"\\u00e9"}'::json as k,
        '{"b": 1}'::jsonb as l, '\\x00ff10'::bytea as m, ''::bytea as n, true as o, null::bytea as p, 'x'::text as q,
        '2026-05-01 12:00:00.25+02'::timestamptz as r, '2026-05-01'::date as s, 'infinity'::timestamptz as t,
        array['a"b', null, 'c,d'] as u, array[1, 2] as v, $1::json as w, $2::bytea as x, $3::float8 as y,
        ($4::text[])[2] as z`;
    const parameters = ['{"z":1, "a":"\\u0000"}', Uint8Array.of(1, 0, 255), 1 / 3, ['a', 'b"\\']];
    const engines = [
      await openEngine(server.url, newestSchema),
      await openEngine(await freshWorkspace(), newestSchema),
    ];
    const [onServer, embedded] = await Promise.all(
      engines.map(({ engine }) => engine.query(statement, parameters)),
    );
    for (const { close } of engines) await close();
    expect(onServer.rows).toStrictEqual(embedded.rows);
  });

  test('of several starters at once one makes the tables', async () => {
    const url = await server.freshDatabase();
    const stores = await Promise.all(range(5).map(() => opened(url)));
    await stores[0].prompts.add([promptRow(0)]);
    for (const store of stores) expect(await store.prompts.count()).toBe(1);
  });

  test('writers side by side get ordinals, positions and revisions of their own', async () => {
    const url = await server.freshDatabase();
    const stores = await Promise.all(range(3).map(() => opened(url)));
    const of = (i: number) => stores[i % stores.length];
    const added = await Promise.all(
      range(12).map((i) => of(i).prompts.add(range(10).map((k) => promptRow(i * 5 + k)))),
    );
    expect(added.reduce((sum, one) => sum + one.added, 0)).toBe(65);
    const label = (i: number): LabelRecord => ({
      ...{ promptId: `p${i}`, answer: '1', source: 'file', cost: 1, noisy: false },
      ...{ run: null, step: null },
    });
    await Promise.all(range(24).map((i) => of(i).labels.add(`account ${i % 4}`, [label(i)])));
    const move = (i: number, step: number): Transition => ({
      ...{ promptId: `p${i}`, from: 'new', to: 'self', rule: 'quota', evidence: {} },
      ...{ plan: `run ${i % 2}`, round: 0, step },
    });
    await Promise.all(
      range(24).map((i) => of(i).transitions.append([move(i, 1), move(0, 0), move(i, 2)])),
    );
    const revisions = await Promise.all(range(12).map((i) => of(i).plans.save('main', { i })));
    expect(revisions.sort((a, b) => a - b)).toEqual(range(12).map((i) => i + 1));

    const ordinals = new Map<string, unknown[]>();
    for await (const { table, row } of stores[0].dump()) {
      ordinals.set(table, [...(ordinals.get(table) ?? []), row.ordinal ?? row.position]);
    }
    expect(ordinals.get('prompts')).toEqual(range(65));
    expect(ordinals.get('labels')).toEqual(range(24));
    expect(ordinals.get('transitions')).toEqual(range(49));
  });

  test('writers of the same rows in opposite orders both get through', async () => {
    const url = await server.freshDatabase();
    const [a, b] = await Promise.all([opened(url), opened(url)]);
    const count = 2500;
    await a.prompts.add(range(count).map(promptRow));
    const rollouts = range(count).map((i) => rolloutRow(i));
    for (let round = 0; round < 3; round++) {
      await Promise.all([
        a.rollouts.put(round, rollouts),
        b.rollouts.put(round, rollouts.toReversed()),
      ]);
      expect((await b.rollouts.counts(round)).size).toBe(count);
    }
  });

  test('one account bought from two sides never exceeds its limit', async () => {
    const url = await server.freshDatabase();
    const stores = await Promise.all(range(2).map(() => opened(url)));
    await stores[0].prompts.add(range(40).map(promptRow));
    const results = await Promise.allSettled(
      range(40).map((i) =>
        stores[i % 2].labels.add(
          'main',
          [
            {
              ...{ promptId: `p${i}`, answer: '1', source: 'file', cost: 1, noisy: false },
              ...{ run: null, step: null },
            },
          ],
          25,
        ),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(25);
    expect(await stores[1].labels.count('main')).toBe(25);
  });

  test('a connection that the server ends fails what is under way, and only that', async () => {
    const url = await server.freshDatabase();
    const store = await opened(url);
    const other = await openPostgres(url);
    onTestFinished(() => other.close());
    const endOthers = () =>
      other.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
        [],
      );
    const torn = store.transaction(async ({ meta }) => {
      await meta.put('torn', true);
      await endOthers();
      await meta.put('torn', false);
    });
    await expect(torn).rejects.toThrow(/everything acknowledged so far is kept/);
    await endOthers();
    await vi.waitFor(() => store.meta.put('after', true), 20_000);
    expect(await store.meta.get('after')).toBe(true);
    expect(await store.meta.get('torn')).toBeUndefined();
  });

  test('a transaction that stands still is ended by the server, and every statement sees the newest rows', async () => {
    const engine = await openPostgres(server.url);
    onTestFinished(() => engine.close());
    const transaction = await engine.begin();
    const settings = await transaction.query(
      "select current_setting('idle_in_transaction_session_timeout') as idle, current_setting('transaction_isolation') as level",
      [],
    );
    await transaction.rollback();
    expect(settings.rows).toEqual([{ idle: '1min', level: 'read committed' }]);
    await expect(transaction.query('select 1', [])).rejects.toThrow(/over/);
  });
});
