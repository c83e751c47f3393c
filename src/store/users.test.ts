/** Users, sessions, links and the audit log, on every engine. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { hasPostgres, startPostgres, type TestPostgres } from './testing/postgres.ts';
import { promptRow } from './testing/rows.ts';
import { openTask } from './testing/tasks.ts';
import { withStore } from './testing/with-store.ts';
import { freshWorkspace } from './testing/workspace.ts';
import type { Store } from './types.ts';
import type { Invitation, NewUser } from './users.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const user = (id: string, more: Partial<NewUser> = {}): NewUser => ({
  ...{ id, name: id.toUpperCase(), nameKey: id, role: 'annotator', kind: 'person' },
  ...{ disabled: false, createdAt: 1_700_000_000_000.5, password: `hash of ${id}` },
  ...more,
});

const invitation = (key: string, more: Partial<Invitation> = {}): Invitation => ({
  ...{ key, userId: null, role: 'viewer', name: null, createdBy: null },
  ...{ createdAt: 0, expiresAt: 100 },
  ...more,
});

function contract(name: string, fresh: () => Promise<string>): void {
  describe(`${name}: users`, () => {
    const inFresh = async (work: (store: Store) => Promise<void>) => withStore(await fresh(), work);

    test('a name is taken once, and a password never leaves with its user', () =>
      inFresh(async (store) => {
        expect(await store.users.add(user('a', { role: 'admin' }))).toBe(true);
        expect(await store.users.add(user('b', { nameKey: 'a' }))).toBe(false);
        expect(await store.users.add(user('c', { createdAt: 5 }))).toBe(true);
        const { nameKey: _key, password: _password, ...seen } = user('a', { role: 'admin' });
        expect(await store.users.get('a')).toEqual(seen);
        expect((await store.users.list()).map(({ id }) => id)).toEqual(['c', 'a']);
        expect(await store.users.byName('a')).toEqual({ ...seen, password: 'hash of a' });
        expect(await store.users.byName('A')).toBeUndefined();
        const model = user('t', { kind: 'teacher' });
        await expect(store.users.add(model)).rejects.toThrow();
        expect(await store.users.add({ ...model, password: null })).toBe(true);
      }));

    test('an admin is left, however many leave at once', () =>
      inFresh(async (store) => {
        const ids = ['a', 'b', 'c', 'd'];
        for (const id of ids) await store.users.add(user(id, { role: 'admin' }));
        await store.users.add(user('t', { role: 'admin', kind: 'teacher', password: null }));
        const outcomes = await Promise.all(
          ids.map((id, i) =>
            store.users.change(id, i % 2 === 0 ? { disabled: true } : { role: 'viewer' }),
          ),
        );
        expect(outcomes.filter((outcome) => outcome === 'last_admin')).toHaveLength(1);
        expect(await store.users.change('nobody', { disabled: true })).toBe('missing');
      }));

    test('a session ends with its user, its password, and its time', () =>
      inFresh(async (store) => {
        for (const id of ['a', 'b']) await store.users.add(user(id));
        const session = (key: string, userId: string) =>
          store.sessions.add({ key, userId, createdAt: 0, seenAt: 10, expiresAt: 100 });
        for (const [key, of] of [
          ['1', 'a'],
          ['2', 'a'],
          ['3', 'b'],
          ['4', 'b'],
        ]) {
          await session(key, of);
        }
        expect(await store.sessions.get('1')).toMatchObject({
          ...{ userId: 'a', createdAt: 0, seenAt: 10, expiresAt: 100 },
          user: { id: 'a', createdAt: 1_700_000_000_000.5 },
        });
        await store.sessions.seen('2', 50);
        expect((await store.sessions.alive(['1', '2', '3', 'x'], 20, 60)).sort()).toEqual(['2']);
        expect(await store.sessions.alive(['2'], 20, 100)).toEqual([]);
        await store.sessions.endOf('a', '2');
        expect(await store.sessions.get('1')).toBeUndefined();
        await store.users.change('a', { password: 'new' });
        expect(await store.sessions.get('2')).toBeUndefined();
        await store.users.change('b', { role: 'viewer' });
        expect((await store.sessions.get('3'))?.user.role).toBe('viewer');
        await store.sessions.end('4');
        await store.users.change('b', { disabled: true });
        expect(await store.sessions.alive(['3', '4'], 0, 0)).toEqual([]);
        await store.users.change('b', { disabled: false });
        await session('5', 'b');
        await store.sessions.sweep(10, 0);
        expect(await store.sessions.get('5')).toBeUndefined();
      }));

    test('a link is taken once, in time, and goes with its user', () =>
      inFresh(async (store) => {
        await store.users.add(user('a'));
        await store.invitations.add(invitation('new', { name: 'Bob', createdBy: 'a' }));
        await store.invitations.add(invitation('in', { userId: 'a', expiresAt: 200 }));
        expect(await store.invitations.get('new', 99)).toMatchObject({
          name: 'Bob',
          createdBy: 'a',
        });
        expect(await store.invitations.take('new', 100)).toBeUndefined();
        const taken = await Promise.all(
          Array.from({ length: 5 }, () => store.invitations.take('new', 99)),
        );
        expect(taken.filter((one) => one !== undefined)).toHaveLength(1);
        expect(await store.invitations.get('new', 99)).toBeUndefined();
        await store.users.change('a', { disabled: true });
        expect(await store.invitations.get('in', 0)).toBeUndefined();
        await store.invitations.add(invitation('old'));
        await store.invitations.sweep(100);
        expect(await store.invitations.get('old', 0)).toBeUndefined();
      }));

    test('the audit log counts up and comes back in pages', () =>
      inFresh(async (store) => {
        const long = 'ü'.repeat(3_000);
        await Promise.all(
          Array.from({ length: 7 }, (_, i) =>
            store.auditLog.add({
              ...{ at: i, userId: i === 3 ? null : 'a', action: 'label.reveal' },
              ...{ subject: `${long}${i}`, detail: { i, nested: null } },
            }),
          ),
        );
        const first = await store.auditLog.page(3);
        expect(first.map(({ ordinal }) => ordinal)).toEqual([6, 5, 4]);
        const rest = await store.auditLog.page(10, 4);
        expect(rest.map(({ ordinal }) => ordinal)).toEqual([3, 2, 1, 0]);
        expect(await store.auditLog.did('a', 'label.reveal', `${long}5`)).toBe(true);
        for (const [who, action, what] of [
          ['b', 'label.reveal', `${long}5`],
          ['a', 'label.submit', `${long}5`],
          ['a', 'label.reveal', `${long}3`],
          ['a', 'label.reveal', `${long}9`],
        ]) {
          expect(await store.auditLog.did(who, action, what)).toBe(false);
        }
      }));

    test('every topic changes with what it is about, and with nothing else', () =>
      inFresh(async (store) => {
        await store.prompts.add([promptRow(0), promptRow(1)]);
        let before = await store.watch.topics('main', 0);
        const changed = async (work: () => Promise<unknown>) => {
          await work();
          const now = await store.watch.topics('main', 0);
          const names = (['queue', 'labels', 'runs', 'users'] as const).filter(
            (topic) => now[topic] !== before[topic],
          );
          before = now;
          return names;
        };
        const { desk } = store;
        const task = openTask('p0', { reason: '' });
        expect(await changed(async () => undefined)).toEqual([]);
        expect(await changed(() => desk.putTasks([task]))).toEqual(['queue']);
        const lease = { account: 'main', promptId: 'p0', annotator: 'a', takenAt: 0, expiresAt: 9 };
        expect(await changed(() => desk.putLease(lease))).toEqual(['queue']);
        expect(await store.watch.topics('main', 10)).not.toEqual(before);
        expect(await store.watch.topics('other', 0)).not.toEqual(before);
        const label = { promptId: 'p1', answer: '1', source: 's', cost: 1, noisy: false };
        const bought = { ...label, run: null, step: null };
        expect(await changed(() => store.labels.add('main', [bought]))).toEqual(['labels']);
        expect(await changed(() => store.labels.withdraw('main', 'p1', 's', 1))).toEqual([
          'labels',
        ]);
        const run = { name: 'a', kind: 'train', plan: null, account: null, config: {} };
        const put = (status: 'running' | 'done', summary: unknown) => () =>
          store.runs.put({ ...run, status, summary });
        expect(await changed(put('running', null))).toEqual(['runs']);
        expect(await changed(put('done', null))).toEqual(['runs']);
        expect(await changed(put('done', { step: 1 }))).toEqual(['runs']);
        expect(await changed(() => store.plans.save('main', {}))).toEqual(['runs']);
        expect(await changed(() => store.users.add(user('a')))).toEqual(['users']);
        expect(await changed(() => store.users.change('a', { role: 'viewer' }))).toEqual(['users']);
      }));

    test('an annotator’s own answers are counted, skipped and undone ones and rulings are not', () =>
      inFresh(async (store) => {
        await store.prompts.add([promptRow(0), promptRow(1), promptRow(2), promptRow(3)]);
        await store.desk.putTasks(
          [0, 1, 2, 3].map((i) => openTask(`p${i}`, { reason: '', overlap: 3 })),
        );
        const said = (prompt: number, more: object) =>
          store.transaction(({ desk }) =>
            desk.annotate({
              ...{ account: 'main', promptId: `p${prompt}`, annotator: 'a', kind: 'answer' },
              ...{ answer: '1', note: '', revealed: false, seconds: 4, at: 100, undone: false },
              ...{ adjudicates: false, gold: false, checks: null, correct: null },
              ...more,
            }),
          );
        expect(await store.watch.own('main', 'a', 0)).toEqual({ today: 0, medianSeconds: null });
        await said(0, { at: 50 });
        await said(1, { seconds: 8 });
        await said(2, { undone: true });
        await said(2, { kind: 'skip', answer: null });
        await said(3, { adjudicates: true });
        await said(3, { annotator: 'b' });
        expect(await store.watch.own('main', 'a', 60)).toEqual({ today: 1, medianSeconds: 6 });
      }));
  });
}

contract('PGlite', freshWorkspace);

describe.skipIf(!hasPostgres)('PostgreSQL', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());
  contract('PostgreSQL', () => server.freshDatabase());
});
