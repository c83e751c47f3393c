/**
 * The app: guards in front of every route, errors as the wire's `problem`, and the page for every other path.
 *
 * Order of the guards: name of the server, origin, session, role, CSRF token, length of the body. Knows nothing of what
 * a route does.
 */
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { UserError } from '../core/errors.ts';
import { HonoCall } from './call.ts';
import { checkCsrf, checkHost, checkOrigin, checkRole, type Names } from './guards.ts';
import { securityHeaders } from './headers.ts';
import type { Sessions } from './sessions.ts';
import { type Assets, assetResponse } from './static.ts';
import { Refusal, type RouteEntry } from './types.ts';
import type { Problem } from './wire.ts';

export interface AppNeeds {
  entries: readonly RouteEntry[];
  sessions: Sessions;
  assets: Assets;
  names: Names;
  /** Do people come by https? */
  secure: boolean;
  /** Does a proxy that we trust say where requests come from, as the last of x-forwarded-for? */
  forwarded: boolean;
  /** A fault of ours, for whoever runs the server. */
  onFault(error: unknown): void;
}

export type Bindings = { Bindings: HttpBindings };

const usualBody = 64 * 1024;

export function createApp(needs: AppNeeds): Hono<Bindings> {
  const app = new Hono<Bindings>();
  app.use(headersOn(needs.secure));
  app.use(async (c, next) => {
    checkHost(needs.names, c.req.header('host'));
    await next();
  });
  for (const entry of needs.entries) addRoute(app, needs, entry);
  app.all('/api/*', () => {
    throw new Refusal(404, 'There is nothing at this address.');
  });
  app.get('*', (c) => assetResponse(needs.assets, c.req.raw));
  app.notFound((c) => answer(c, 404, { message: 'There is nothing here.', kind: 'gone' }));
  app.onError((error, c) => refused(needs, error, c));
  return app;
}

function headersOn(secure: boolean): MiddlewareHandler<Bindings> {
  const headers = Object.entries(securityHeaders(secure));
  return async (c, next) => {
    await next();
    for (const [name, value] of headers) c.header(name, value);
    if (c.res.headers.get('cache-control') === null) c.header('cache-control', 'no-store');
  };
}

function addRoute(app: Hono<Bindings>, needs: AppNeeds, entry: RouteEntry): void {
  const { method, path, access, maxBody = usualBody } = entry;
  app.on(method, path, async (c) => {
    // HEAD comes here as a GET whose body nobody reads.
    if (c.req.method !== method) throw new Refusal(404, 'There is nothing at this address.');
    const host = checkHost(needs.names, c.req.header('host'));
    const { headers } = c.req.raw;
    if (method !== 'GET') checkOrigin(needs.names, host, headers);
    const session = await needs.sessions.find(c.req.header('cookie'), host);
    checkRole(access, session);
    if (method !== 'GET' && access !== 'anyone' && session !== null) {
      checkCsrf(session, c.req.header('x-csrf-token') ?? null);
    }
    const call = new HonoCall(c, { session, host, maxBody, forwarded: needs.forwarded });
    call.refuseLong();
    return responseOf(c, await entry.handle(call));
  });
}

function responseOf(c: Context<Bindings>, value: unknown): Response {
  if (value instanceof Response) return value;
  if (value === undefined) return c.body(null, 204);
  return c.json(value);
}

function refused(needs: AppNeeds, error: Error, c: Context<Bindings>): Response {
  if (error instanceof Refusal) {
    return answer(c, error.status, { message: error.message, kind: error.kind }, error.headers);
  }
  if (error instanceof UserError) {
    // Without its place, which may be a path of this machine.
    const { wanted, found, fix } = error.complaint;
    const message = `Wanted ${wanted}, found ${found}.${fix === undefined ? '' : ` ${fix}`}`;
    return answer(c, 409, { message, kind: 'conflict' });
  }
  needs.onFault(error);
  return answer(c, 500, {
    message: 'The server failed; nothing was changed. Whoever runs it finds the reason in its log.',
    kind: 'failed',
  });
}

function answer(
  c: Context<Bindings>,
  status: Refusal['status'] | 500,
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return c.json(problem, status, { ...headers });
}
