/** Every route, through real HTTP: who is refused. */
import { request } from 'node:http';
import { expect, test, vi } from 'vitest';
import { roles } from '../label/queue/types.ts';
import { checkHost, checkOrigin, mayAct } from './guards.ts';
import { openTestDesk } from './testing/desk.ts';
import type { RouteEntry } from './types.ts';
import { csrfHeader, paths, problem } from './wire.ts';

vi.setConfig({ testTimeout: 300_000 });

/** An address of the route, and a body that is JSON. */
function calledAs({ method, path }: RouteEntry): [string, string, unknown] {
  const address = path.replaceAll(/:[a-z]+/gi, 'x');
  return [method, address, method === 'GET' ? undefined : {}];
}

test('no route answers who is signed out, has too low a role, comes from elsewhere or lacks the token', async () => {
  const desk = await openTestDesk();
  const { entries } = desk.server;
  expect(entries.length).toBeGreaterThan(20);
  const all = entries.map(({ method, path }) => `${method} ${path}`);
  expect(new Set(all).size).toBe(all.length);
  const users = new Map(
    await Promise.all(roles.map(async (role) => [role, await desk.signedIn(role)] as const)),
  );
  const admin = users.get('admin');
  if (admin === undefined) throw new Error('no admin');
  const stranger = desk.browser();
  const before = await desk.store.auditLog.page(1_000);

  for (const entry of entries) {
    const [method, path, body] = calledAs(entry);
    const name = `${method} ${path}`;
    const statusOf = async (from: typeof stranger, headers: Record<string, string | null> = {}) => {
      const response = await from.send(method, path, body, headers);
      expect(response.headers.get('content-security-policy'), name).toContain("default-src 'none'");
      const said = problem.safeParse(await response.json());
      expect(said.success, name).toBe(true);
      return response.status;
    };
    if (entry.access !== 'anyone') {
      expect(await statusOf(stranger), name).toBe(401);
      expect(await statusOf(stranger, { cookie: 'pivottrace=x' }), name).toBe(401);
      for (const role of roles) {
        const browser = users.get(role);
        if (browser === undefined || mayAct(role, entry.access)) continue;
        expect(await statusOf(browser), `${name} as ${role}`).toBe(403);
      }
    }
    if (entry.method === 'GET') {
      // Nothing is answered without a body being read, and nobody else's page may ask in advance.
      expect((await admin.send('HEAD', path)).status, name).toBe(404);
      continue;
    }
    const asked = await admin.send('OPTIONS', path, undefined, { origin: 'https://evil.example' });
    expect(asked.headers.get('access-control-allow-origin'), name).toBe(null);
    const forged: Record<string, string | null>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: null, 'sec-fetch-site': null },
      { origin: null, 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: `${admin.base}0` },
    ];
    for (const headers of forged) {
      expect(await statusOf(admin, headers), `${name} ${JSON.stringify(headers)}`).toBe(403);
    }
    if (entry.access === 'anyone') continue;
    for (const token of [null, '', 'x'.repeat(43), users.get('viewer')?.csrf ?? '']) {
      expect(await statusOf(admin, { [csrfHeader]: token }), `${name}, token`).toBe(403);
    }
  }
  expect(await desk.store.auditLog.page(1_000)).toEqual(before);
  expect(desk.faults).toEqual([]);
});

test('a name that is not the server’s is refused, whatever is asked of it', async () => {
  const desk = await openTestDesk({ hosts: ['label.local'] });
  const statusAs = (host: string, path: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: desk.server.port, path, headers: { host } };
      request(options, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
  for (const path of ['/', paths.me]) {
    expect(await statusAs('evil.example', path)).toBe(403);
    expect(await statusAs(`127.0.0.1.evil.example:${desk.server.port}`, path)).toBe(403);
    expect(await statusAs('label.local', path)).toBe(200);
    expect(await statusAs(`localhost:${desk.server.port}`, path)).toBe(200);
  }
});

test('behind a proxy the public origin counts, and nothing else', () => {
  const names = { origin: 'https://label.example.org', hosts: [], loopback: true };
  const from = (origin: string | null, site: string | null = null) => {
    const headers = new Headers();
    if (origin !== null) headers.set('origin', origin);
    if (site !== null) headers.set('sec-fetch-site', site);
    return headers;
  };
  const host = checkHost(names, 'label.example.org');
  expect(() => checkOrigin(names, host, from('https://label.example.org'))).not.toThrow();
  expect(() => checkOrigin(names, host, from(null, 'same-origin'))).not.toThrow();
  expect(() => checkOrigin(names, host, from('http://label.example.org'))).toThrow();
  expect(() => checkOrigin(names, host, from('https://label.example.org', 'same-site'))).toThrow();
  // A proxy may call the server by its own address and keep the origin of the page.
  const direct = checkHost(names, '127.0.0.1:7411');
  expect(() => checkOrigin(names, direct, from('https://label.example.org'))).not.toThrow();
  expect(() => checkOrigin(names, direct, from('http://127.0.0.1:7412'))).toThrow();
  expect(() => checkHost({ ...names, loopback: false }, '127.0.0.1:7411')).toThrow();
  expect(() => checkHost(names, undefined)).toThrow();
});
