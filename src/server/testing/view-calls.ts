/** Routes called without HTTP: the context of a fixture with verifiers that compare texts, and the answer to a path. */
import type { Role } from '../../label/queue/types.ts';
import type { Store } from '../../store/types.ts';
import type { Verifiers } from '../../verify/verifiers.ts';
import { type Call, Refusal, type RouteEntry, type ServerContext } from '../types.ts';
import { model } from './view-fixture.ts';

/** Everything a route that only reads may use. What it may not is left out, and throws. */
export function viewContext(
  workspace: string,
  store: Store,
  more: Partial<ServerContext> = {},
): ServerContext {
  return {
    ...{ store, workspace, model, account: 'main', plan: 'main', version: '0' },
    clock: () => 1_700_000_000_000,
    changed: () => undefined,
    audit: async () => undefined,
    verifiers: byText,
    queue: queueOf(30),
    ...more,
  };
}

function queueOf(budget: number): ServerContext['queue'] {
  const settings = { account: 'main', budget, overlap: 1, leaseMs: 1, goldEvery: 0, checkEvery: 0 };
  const missing = () => {
    throw new Error('reading routes do not touch the queue');
  };
  return {
    ...{ settings, order: missing, orderGold: missing, withdraw: missing, next: missing },
    ...{ submit: missing, undo: missing, release: missing, disputes: missing, rule: missing },
    ...{ progress: missing, figures: missing, agreement: missing, annotations: missing },
    ...{ tasks: missing, orderChecks: missing, contest: missing, checks: missing },
  };
}

/** Right is a response that ends with the label. */
const byText: Pick<Verifiers, 'of'> = {
  of: () => ({
    name: 'ends with',
    candidates: async () => [],
    extract: async (responses) => responses.map(() => undefined),
    read: async () => null,
    compare: async () => ({ verdict: 'undecided', reason: '', rung: '' }),
    verify: async (gold, responses) =>
      responses.map((text) => ({
        ...{ verdict: text.endsWith(`answer: ${gold}`) ? 'right' : 'wrong', reason: '', rung: '' },
      })),
    classes: async (answers) => Int32Array.from(answers, () => -1),
    close: async () => undefined,
  }),
};

/** What the routes answer to a GET of `address` ('/api/trace?prompt=p1'). Refusal as the server would give it. */
export async function asked(
  routes: readonly RouteEntry[],
  address: string,
  role: Role = 'admin',
): Promise<unknown> {
  const url = new URL(address, 'http://localhost');
  const route = routes.find(({ method, path }) => method === 'GET' && path === url.pathname);
  if (route === undefined) throw new Refusal(404, `no route ${url.pathname}`);
  return await route.handle(callOf(url, role));
}

function callOf(url: URL, role: Role): Call {
  const user = { id: 'u1', name: 'Ada', role, kind: 'person', disabled: false } as const;
  return {
    user,
    session: { user, id: 's', csrf: 'c' },
    param: () => '',
    query(schema) {
      const parsed = schema.safeParse(Object.fromEntries(url.searchParams));
      if (parsed.success) return parsed.data;
      throw new Refusal(400, parsed.error.message);
    },
    body: () => Promise.reject(new Refusal(400, 'no body')),
    text: () => Promise.reject(new Refusal(400, 'no body')),
    host: '127.0.0.1:7411',
    address: '127.0.0.1',
    signal: new AbortController().signal,
  };
}
