/** Signing in, links and users, through real HTTP. */
import { expect, test, vi } from 'vitest';
import { openTestDesk, password, type TestDesk } from './testing/desk.ts';
import { auditPage, invited, link, type Me, me, paths, user, users } from './wire.ts';

vi.setConfig({ testTimeout: 300_000 });

async function firstAdmin(desk: TestDesk) {
  const { token } = await desk.server.accounts.invite({ role: 'admin' }, null);
  const browser = desk.browser();
  const entered = await browser.enter('POST', paths.accept, { token, name: 'Ada', password });
  return { browser, entered, token };
}

const whoIs = async (browser: { ask(method: string, path: string): Promise<unknown> }) =>
  me.parse(await browser.ask('GET', paths.me));

test('an invitation makes a user once, and their session is a cookie that no script reads', async () => {
  const desk = await openTestDesk();
  const { token } = await desk.server.accounts.invite({ role: 'admin' }, null);
  const browser = desk.browser();
  expect(invited.parse(await browser.ask('POST', paths.look, { token }))).toEqual({
    kind: 'new',
    role: 'admin',
    name: null,
  });
  const nobody: Me = { user: null, csrf: null, account: '', version: '' };
  expect(await whoIs(browser)).toEqual(nobody);
  const accepted = await browser.send('POST', paths.accept, { token, name: ' Ada  L ', password });
  expect(accepted.status).toBe(200);
  const cookie = accepted.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/^pivottrace-\d+=[\w-]{43}; /);
  expect(cookie).toMatch(/HttpOnly/);
  expect(cookie).toMatch(/SameSite=Strict/);
  expect(cookie).toMatch(/Path=\//);
  expect(cookie).not.toMatch(/Domain/);
  expect((await whoIs(browser)).user).toMatchObject({ name: 'Ada L', role: 'admin' });
  // Used up, and of no use as a session either.
  const again = await browser.send('POST', paths.accept, { token, name: 'Eve', password });
  expect(again.status).toBe(410);
  expect((await desk.store.users.list()).map(({ name }) => name)).toEqual(['Ada L']);
});

test('of many who use one link at once, one gets in', async () => {
  const desk = await openTestDesk();
  const { token } = await desk.server.accounts.invite({ role: 'viewer' }, null);
  const statuses = await Promise.all(
    Array.from({ length: 6 }, async (_, i) => {
      const body = { token, name: `n${i}`, password };
      return (await desk.browser().send('POST', paths.accept, body)).status;
    }),
  );
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(await desk.store.users.list()).toHaveLength(1);
});

test('what the database holds opens nothing', async () => {
  const desk = await openTestDesk();
  const { browser, token } = await firstAdmin(desk);
  const rows: string[] = [];
  for await (const row of desk.store.dump()) rows.push(JSON.stringify(row));
  const all = rows.join('\n');
  expect(all).toContain('"table":"sessions"');
  for (const secret of [password, token, browser.csrf, browser.cookie?.split('=')[1]]) {
    expect(secret).toBeTruthy();
    expect(all).not.toContain(secret);
  }
  expect(all).toMatch(/scrypt\$4\$8\$1\$/);
});

test('a wrong password, a wrong name, a disabled user and a teacher are told the same', async () => {
  const desk = await openTestDesk();
  const { browser: admin } = await firstAdmin(desk);
  await desk.signedIn('annotator', 'Off');
  const off = (await desk.store.users.list()).find(({ name }) => name === 'Off');
  await admin.ask('PATCH', `${paths.users}/${off?.id}`, { disabled: true });
  await desk.store.users.add({
    ...{ id: 't', name: 'Oracle', nameKey: 'oracle', role: 'annotator', kind: 'teacher' },
    ...{ disabled: false, createdAt: 0, password: null },
  });
  const answers = await Promise.all(
    [
      { name: 'Ada', password: 'not the password' },
      { name: 'Nobody', password },
      { name: 'Off', password },
      { name: 'Oracle', password },
    ].map(async (body) => {
      const response = await desk.browser().send('POST', paths.session, body);
      return [response.status, response.headers.get('set-cookie'), await response.text()];
    }),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0][0]).toBe(401);
  const right = desk.browser();
  // Letter case and spaces around a name are nobody's secret.
  await right.enter('POST', paths.session, { name: ' aDA ', password });
  expect((await whoIs(right)).user?.name).toBe('Ada');
});

test('too many tries are refused, for the name and for the address, until time has passed', async () => {
  const desk = await openTestDesk();
  await firstAdmin(desk);
  const statusOf = async (name: string, given: string) =>
    await desk.browser().send('POST', paths.session, { name, password: given });
  for (let i = 0; i < 10; i++) expect((await statusOf('Ada', 'wrong wrong')).status).toBe(401);
  const limited = await statusOf('Ada', password);
  expect(limited.status).toBe(429);
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
  // Other names are free, until the address has had enough.
  for (let i = 10; i < 49; i++) {
    expect((await statusOf(`n${i}`, 'wrong wrong')).status, `try ${i}`).toBe(401);
  }
  const statuses = await Promise.all(['x', 'y', 'z'].map((name) => statusOf(name, 'wrong wrong')));
  expect(statuses.some(({ status }) => status === 429)).toBe(true);
  desk.pass(16 * 60_000);
  expect((await statusOf('Ada', password)).status).toBe(200);
});

test('a session ends by itself when it is not used, and at its end however much it is', async () => {
  const desk = await openTestDesk();
  const { browser } = await firstAdmin(desk);
  for (let hour = 0; hour < 11; hour++) {
    desk.pass(3_600_000);
    expect((await whoIs(browser)).user?.name).toBe('Ada');
  }
  desk.pass(3_600_000);
  expect((await whoIs(browser)).user).toBe(null);
  await browser.enter('POST', paths.session, { name: 'Ada', password });
  desk.pass(2 * 3_600_000);
  expect((await browser.send('GET', paths.users)).status).toBe(401);
});

test('signing out ends one session, or all', async () => {
  const desk = await openTestDesk();
  const { browser } = await firstAdmin(desk);
  const other = desk.browser();
  await other.enter('POST', paths.session, { name: 'Ada', password });
  const { cookie } = other;
  const out = await other.send('DELETE', paths.session);
  expect(out.status).toBe(204);
  expect(out.headers.get('set-cookie')).toMatch(/Max-Age=0/);
  other.cookie = cookie;
  expect((await whoIs(other)).user).toBe(null);
  expect((await whoIs(browser)).user?.name).toBe('Ada');
  await other.enter('POST', paths.session, { name: 'Ada', password });
  expect((await browser.send('DELETE', paths.sessions)).status).toBe(204);
  expect((await whoIs(other)).user).toBe(null);
});

test('a new password ends the other sessions, and the old one is of no use', async () => {
  const desk = await openTestDesk();
  const { browser } = await firstAdmin(desk);
  const other = desk.browser();
  await other.enter('POST', paths.session, { name: 'Ada', password });
  const next = 'another long password';
  const wrong = await browser.send('POST', paths.password, { current: next, password: next });
  expect(wrong.status).toBe(403);
  await browser.enter('POST', paths.password, { current: password, password: next });
  expect((await whoIs(browser)).user?.name).toBe('Ada');
  expect((await whoIs(other)).user).toBe(null);
  expect((await other.send('POST', paths.session, { name: 'Ada', password })).status).toBe(401);
  await other.enter('POST', paths.session, { name: 'Ada', password: next });
});

test('admins invite, change and disable; a disabled user is out at once', async () => {
  const desk = await openTestDesk();
  const { browser: admin } = await firstAdmin(desk);
  const { url } = link.parse(
    await admin.ask('POST', paths.invite, { role: 'annotator', name: 'Bob' }),
  );
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/join#[\w-]{43}$/);
  const bob = desk.browser();
  const entered = await bob.enter('POST', paths.accept, { token: url.split('#')[1], password });
  expect(entered.user).toMatchObject({ name: 'Bob', role: 'annotator' });
  expect((await bob.send('GET', paths.users)).status).toBe(403);
  expect((await admin.send('POST', paths.invite, { role: 'viewer', name: 'bob' })).status).toBe(
    409,
  );

  const at = `${paths.users}/${entered.user?.id}`;
  expect(user.parse(await admin.ask('PATCH', at, { role: 'admin' })).role).toBe('admin');
  expect((await bob.send('GET', paths.users)).status).toBe(200);
  await admin.ask('PATCH', at, { role: 'viewer' });
  expect((await bob.send('POST', paths.next, {})).status).toBe(403);
  const waiting = link.parse(await admin.ask('POST', `${at}/link`, {}));
  await admin.ask('PATCH', at, { disabled: true });
  expect((await bob.send('GET', paths.progress)).status).toBe(401);
  const token = waiting.url.split('#')[1];
  expect((await bob.send('POST', paths.accept, { token })).status).toBe(410);
  // Enabled again, they sign in anew: the old session is gone.
  await admin.ask('PATCH', at, { disabled: false });
  expect((await bob.send('GET', paths.progress)).status).toBe(401);
  await bob.enter('POST', paths.session, { name: 'Bob', password });

  const listed = users.parse(await admin.ask('GET', paths.users)).users;
  expect(listed.map(({ name, role }) => [name, role])).toEqual([
    ['Ada', 'admin'],
    ['Bob', 'viewer'],
  ]);
});

test('the last admin stays one', async () => {
  const desk = await openTestDesk();
  const { browser, entered } = await firstAdmin(desk);
  const at = `${paths.users}/${entered.user?.id}`;
  for (const change of [{ disabled: true }, { role: 'viewer' }]) {
    expect((await browser.send('PATCH', at, change)).status).toBe(409);
  }
  const second = await desk.signedIn('admin', 'Bea');
  const other = (await whoIs(second)).user?.id;
  // Each disables the other: one of them must fail.
  const statuses = await Promise.all([
    browser.send('PATCH', `${paths.users}/${other}`, { disabled: true }),
    second.send('PATCH', at, { disabled: true }),
  ]);
  expect(statuses.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
});

test('a link signs an existing user in once, for ten minutes, and may set a new password', async () => {
  const desk = await openTestDesk();
  const { entered } = await firstAdmin(desk);
  const id = entered.user?.id ?? '';
  const old = await desk.server.accounts.signInLink(id, null);
  desk.pass(10 * 60_000 + 1);
  const browser = desk.browser();
  expect((await browser.send('POST', paths.accept, { token: old.token })).status).toBe(410);
  const { token } = await desk.server.accounts.signInLink(id, null);
  const next = 'a password that is new';
  await browser.enter('POST', paths.accept, { token, password: next });
  expect((await whoIs(browser)).user?.name).toBe('Ada');
  await desk.browser().enter('POST', paths.session, { name: 'Ada', password: next });
});

test('names that cannot be seen, or that mark other labels, are refused', async () => {
  const desk = await openTestDesk();
  const { token } = await desk.server.accounts.invite({ role: 'viewer' }, null);
  for (const name of [
    'file',
    'PEOPLE',
    '\u202eada',
    'a\u0000',
    'a\u200bb',
    '...',
    '\u00a0',
    '\ud800',
  ]) {
    const response = await desk.browser().send('POST', paths.accept, { token, name, password });
    expect(response.status, JSON.stringify(name)).toBe(400);
  }
  const weak = { token, name: 'Zoë', password: 'short' };
  expect((await desk.browser().send('POST', paths.accept, weak)).status).toBe(400);
  await desk.signedIn('viewer', 'Zoe');
  const taken = await desk.browser().send('POST', paths.accept, { ...weak, name: 'ZOE', password });
  expect(taken.status).toBe(409);
  // None of these has used the link up.
  await desk.browser().enter('POST', paths.accept, { ...weak, password });
  expect(desk.faults).toEqual([]);
});

test('who did what is on record, for admins', async () => {
  const desk = await openTestDesk();
  const { browser } = await firstAdmin(desk);
  await desk.browser().send('POST', paths.session, { name: 'Ada', password: 'wrong wrong' });
  await browser.ask('POST', paths.invite, { role: 'viewer', name: 'Vic' });
  const page = auditPage.parse(await browser.ask('GET', `${paths.audit}?limit=2`));
  expect(page.entries.map(({ who, action, subject }) => [who, action, subject])).toEqual([
    ['Ada', 'user.invite', 'Vic'],
    [null, 'session.refused', 'Ada'],
  ]);
  const rest = auditPage.parse(await browser.ask('GET', `${paths.audit}?before=${page.before}`));
  expect(rest.entries.map(({ action }) => action)).toEqual(['user.join']);
  expect(rest.before).toBe(null);
});
