/**
 * The annotation desk as a server: puts its parts together, listens, stops.
 *
 * Knows nothing of settings files or of terminals.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import type { Queue } from '../label/queue/types.ts';
import type { Store } from '../store/types.ts';
import type { Verifiers } from '../verify/verifiers.ts';
import { Accounts } from './accounts.ts';
import { createApp } from './app.ts';
import type { DeskContext } from './context.ts';
import { type Listening, listen } from './listen.ts';
import { Live } from './live.ts';
import { openPasswords, type ScryptCost } from './passwords.ts';
import { routesOf } from './routes/index.ts';
import { Sessions } from './sessions.ts';
import type { Assets } from './static.ts';
import type { RouteEntry, ServerContext } from './types.ts';
import { joinPage } from './wire.ts';

export interface ServerSettings {
  host: string;
  /** 0 = any free one. */
  port: number;
  /** 'https://label.example.org', where a proxy stands before the server; null = none. */
  origin: string | null;
  /** Further names, without a port. */
  hosts: readonly string[];
  /** Does a proxy say where requests come from? */
  forwarded: boolean;
  /** Lives of sessions, in milliseconds. */
  sessionMs: number;
  idleMs: number;
}

export interface ServerNeeds
  extends Pick<
    ServerContext,
    'store' | 'queue' | 'verifiers' | 'workspace' | 'account' | 'plan' | 'version'
  > {
  store: Store;
  queue: Queue;
  verifiers: Pick<Verifiers, 'of'>;
  settings: ServerSettings;
  assets: Assets;
  /** Directory of the model. */
  model?: string;
  clock?: () => number;
  /** Something of `runs` that is not in the database, as a text that changes with it. */
  runFiles?: () => string;
  /** Labels have come or gone. */
  onLabels?: () => void;
  /** A fault of ours. */
  onFault: (error: unknown) => void;
  /** For tests: a cheaper hash. */
  scrypt?: ScryptCost;
}

export interface DeskServer {
  /** Where people find it, without a slash at the end. */
  url: string;
  port: number;
  accounts: Accounts;
  /** All routes: what a test walks. */
  entries: readonly RouteEntry[];
  /** An address that signs in once. */
  linkTo(token: string): string;
  /** Ends the streams, finishes the requests that are under way. The store stays open. */
  close(): Promise<void>;
}

/** UserError where it cannot listen, or where nobody could reach it safely. */
export async function openServer(needs: ServerNeeds): Promise<DeskServer> {
  const { settings, store, clock = Date.now } = needs;
  requireReachable(settings);
  const secure = settings.origin?.startsWith('https:') ?? false;
  const { sessionMs: lifeMs, idleMs } = settings;
  const sessions = new Sessions(store, { lifeMs, idleMs, secure }, clock);
  const passwords = openPasswords(needs.scrypt);
  const accounts = new Accounts({ store, sessions, passwords, clock });
  const live = liveOf(needs, sessions, clock);
  const entries = routesOf(contextOf(needs, { accounts, sessions, live, clock }));
  const app = createApp({
    ...{ entries, sessions, secure },
    assets: needs.assets,
    names: { origin: settings.origin, hosts: settings.hosts, loopback: isLoopback(settings.host) },
    forwarded: settings.forwarded,
    onFault: needs.onFault,
  });
  const listening: Listening = await listen(app, { ...settings, secure });
  const url = settings.origin ?? `http://${urlHost(settings)}:${listening.port}`;
  return {
    ...{ url, accounts, entries, port: listening.port },
    linkTo: (token) => linkTo(url, token),
    async close() {
      await live.close();
      await listening.close();
    },
  };
}

/** An address that signs in once. After the hash, so that no log on the way keeps the token. */
export function linkTo(url: string, token: string): string {
  return `${url}${joinPage}#${token}`;
}

/** Is it an address that only this machine reaches? */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * Signing in cannot be switched off, so any address may be bound; but requests come by a name, and a name that was not
 * given is refused.
 */
function requireReachable({ host, origin, hosts }: ServerSettings): void {
  if (isLoopback(host) || origin !== null || hosts.length > 0) return;
  throw new UserError({
    wanted: 'the name under which people reach a server that is not on loopback',
    found: 'none',
    where: `serve.host = ${host}`,
    fix: 'Set serve.origin (behind a proxy with TLS) or serve.hosts; or leave serve.host at 127.0.0.1.',
  });
}

/** The host as it stands in the address that is printed. */
function urlHost({ host, hosts }: ServerSettings): string {
  if (!isLoopback(host) && hosts.length > 0) return hosts[0];
  return isIP(host) === 6 ? `[${host}]` : host;
}

function liveOf(needs: ServerNeeds, sessions: Sessions, clock: () => number): Live {
  const { store, account, runFiles, onFault } = needs;
  return new Live({
    async fingerprints() {
      const topics = await store.watch.topics(account, clock());
      return { ...topics, runs: `${topics.runs} ${runFiles?.() ?? ''}` };
    },
    alive: (ids) => sessions.alive(ids),
    onFault,
  });
}

function contextOf(
  needs: ServerNeeds,
  parts: Pick<DeskContext, 'accounts' | 'sessions' | 'live' | 'clock'>,
): DeskContext {
  const { store, queue, settings, onLabels, model } = needs;
  const { live, clock } = parts;
  return {
    ...parts,
    ...{ store, queue, origin: settings.origin },
    verifiers: needs.verifiers,
    workspace: needs.workspace,
    account: needs.account,
    plan: needs.plan,
    version: needs.version,
    ...(model === undefined ? {} : { model }),
    progress: shared(() => queue.progress()),
    round: () => roundOf(store, needs.plan),
    changed: () => live.poke(),
    labelled(verdict) {
      live.poke();
      if (verdict === 'decided' || verdict === 'closed') onLabels?.();
    },
    async audit(who, action, subject, detail = {}) {
      await store.auditLog.add({ at: clock(), userId: who?.id ?? null, action, subject, detail });
    },
  };
}

const planSchema = z.object({ round: z.int().min(0) });

/** The round that the plan was made from; 0 where there is no plan. */
async function roundOf(store: Store, plan: string): Promise<number> {
  const saved = await store.browse.planWithoutDecisions(plan);
  return planSchema.safeParse(saved?.body).data?.round ?? 0;
}

/**
 * `work`, but callers that come while it runs share its next run: it begins after they called, so that they see what
 * they have done.
 */
export function shared<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    running = work().finally(() => {
      running = undefined;
    });
    return running;
  };
  return () => {
    if (running === undefined) return begin();
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return begin();
      });
    return next;
  };
}
