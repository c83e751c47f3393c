/** A desk on a port of its own with an empty workspace, and browsers that use it as people's do. */
import { onTestFinished } from 'vitest';
import { openQueue } from '../../label/queue/queue.ts';
import type { Queue, QueueSettings, Role } from '../../label/queue/types.ts';
import { openStore } from '../../store/store.ts';
import { promptRow } from '../../store/testing/rows.ts';
import { freshWorkspace } from '../../store/testing/workspace.ts';
import type { Store } from '../../store/types.ts';
import { inlineVerifier } from '../../verify/testing/inline.ts';
import { judgeOf } from '../answers.ts';
import { auditOf } from '../audit.ts';
import { type DeskServer, openServer, type ServerSettings } from '../server.ts';
import { type Assets, assetOf } from '../static.ts';
import { type Me, me, paths } from '../wire.ts';

export const account = 'main';
/** Long enough for a password, and nobody's. */
export const password = 'correct horse battery';

export interface TestDesk {
  server: DeskServer;
  store: Store;
  queue: Queue;
  /** What would be told to whoever runs the server. */
  faults: unknown[];
  /** Moves the clock on, in milliseconds. */
  pass(ms: number): void;
  browser(): Browser;
  /** A new user of this role, signed in. */
  signedIn(role: Role, name?: string): Promise<Browser>;
}

export interface DeskOptions extends Partial<ServerSettings>, Partial<QueueSettings> {
  prompts?: number;
  assets?: Assets;
}

/** Closed when the test, or the hook, that opened it is over. */
export async function openTestDesk(options: DeskOptions = {}): Promise<TestDesk> {
  const store = await openStore(await freshWorkspace());
  const count = options.prompts ?? 0;
  await store.prompts.add(Array.from({ length: count }, (_, i) => promptRow(i)));
  // It stands still: what is limited per minute must not depend on how fast a machine is.
  let now = Date.now();
  const clock = () => now;
  const verifier = await inlineVerifier({ kind: 'math' });
  const queue = openQueue(
    store,
    {
      account,
      budget: null,
      overlap: 1,
      leaseMs: 300_000,
      goldEvery: 0,
      checkEvery: 0,
      ...options,
    },
    {
      judge: judgeOf(async () => verifier),
      nameOf: async (id) => (await store.users.get(id))?.name ?? id,
      record: auditOf,
      clock,
    },
  );
  await queue.order(
    Array.from({ length: count }, (_, i) => {
      return { promptId: `p${i}`, utility: -i, run: null, step: null, reason: 'planned' };
    }),
  );
  const faults: unknown[] = [];
  const server = await openServer({
    ...{ store, queue, account, clock, plan: 'main', workspace: '/nowhere', version: '0.0.0' },
    verifiers: { of: () => verifier },
    assets: options.assets ?? (await emptyApp()),
    onFault: (error) => faults.push(error),
    // Weak, so that tests do not wait for it.
    scrypt: { logN: 4, r: 8, p: 1 },
    settings: {
      ...{ host: '127.0.0.1', port: 0, origin: null, hosts: [], forwarded: false },
      ...{ sessionMs: 12 * 3_600_000, idleMs: 2 * 3_600_000 },
      ...options,
    },
  });
  onTestFinished(async () => {
    await server.close();
    await store.close();
  });
  const browser = () => new Browser(`http://127.0.0.1:${server.port}`);
  return {
    ...{ server, store, queue, faults, browser },
    pass(ms) {
      now += ms;
    },
    async signedIn(role, name = role) {
      const { token } = await server.accounts.invite({ role, name }, null);
      const one = browser();
      await one.enter('POST', paths.accept, { token, password });
      return one;
    },
  };
}

async function emptyApp(): Promise<Assets> {
  const page = await assetOf('index.html', Buffer.from('<!doctype html><title>app</title>'));
  return { page, files: new Map() };
}

/** Keeps its cookie and its token, and sends what a browser sends from a page of the server. */
export class Browser {
  readonly base: string;
  cookie: string | null = null;
  csrf: string | null = null;

  constructor(base: string) {
    this.base = base;
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string | null> = {},
  ): Promise<Response> {
    const all: Record<string, string | null> = {
      cookie: this.cookie,
      'x-csrf-token': this.csrf,
      ...(method === 'GET' ? {} : { origin: this.base, 'sec-fetch-site': 'same-origin' }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    };
    const response = await fetch(this.base + path, {
      method,
      headers: Object.entries(all).flatMap(([name, value]): [string, string][] =>
        value === null ? [] : [[name, value]],
      ),
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const [set] = response.headers.getSetCookie();
    if (set !== undefined) this.cookie = set.split(';')[0];
    return response;
  }

  /** Something that signs in: keeps the token of the new session. */
  async enter(method: string, path: string, body: unknown): Promise<Me> {
    const response = await this.send(method, path, body);
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    const entered = me.parse(await response.json());
    this.csrf = entered.csrf;
    return entered;
  }

  /** The JSON that comes back; throws where it is a problem. */
  async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await this.send(method, path, body);
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
