/**
 * Who is signed in: a random token in a cookie that scripts cannot read, its hash in the database.
 *
 * A session ends at a fixed time after its sign-in, and earlier when it is not used. Knows nothing of passwords.
 */
import { parse, serialize } from 'hono/utils/cookie';
import type { Annotator } from '../label/queue/types.ts';
import type { Repositories } from '../store/types.ts';
import type { StoredUser } from '../store/users.ts';
import { csrfOf, freshToken, isToken, keyOfToken } from './secrets.ts';
import type { SignedIn } from './types.ts';

export interface SessionSettings {
  /** A session ends this long after its sign-in, however busy, in milliseconds. */
  lifeMs: number;
  /** And when it was not used for this long. */
  idleMs: number;
  /** Do people come by https? Then the cookie goes nowhere else. */
  secure: boolean;
}

/** How much a session may have been used since it was last written down, in milliseconds. */
const seenEveryMs = 60_000;

export class Sessions {
  private readonly store: Pick<Repositories, 'sessions'>;
  private readonly settings: SessionSettings;
  private readonly clock: () => number;

  constructor(
    store: Pick<Repositories, 'sessions'>,
    settings: SessionSettings,
    clock: () => number,
  ) {
    this.store = store;
    this.settings = settings;
    this.clock = clock;
  }

  /** Signs `user` in; the token is for their browser and is kept nowhere. */
  async begin(
    user: StoredUser,
    store: Pick<Repositories, 'sessions'> = this.store,
  ): Promise<{ token: string; session: SignedIn }> {
    const now = this.clock();
    const token = freshToken();
    const id = keyOfToken(token);
    await store.sessions.sweep(now - this.settings.idleMs, now);
    await store.sessions.add({
      key: id,
      userId: user.id,
      createdAt: now,
      seenAt: now,
      expiresAt: now + this.settings.lifeMs,
    });
    return { token, session: { user: annotatorOf(user), id, csrf: csrfOf(token) } };
  }

  /** The session that a request's cookies open; null where there is none. Counts as use. */
  async find(cookies: string | undefined, host: string): Promise<SignedIn | null> {
    const name = this.cookieName(host);
    const token = cookies === undefined ? undefined : parse(cookies, name)[name];
    if (token === undefined || !isToken(token)) return null;
    const now = this.clock();
    const found = await this.store.sessions.get(keyOfToken(token));
    if (found === undefined) return null;
    if (now >= found.expiresAt || now - found.seenAt >= this.settings.idleMs) {
      await this.store.sessions.end(found.key);
      return null;
    }
    if (now - found.seenAt >= seenEveryMs) await this.store.sessions.seen(found.key, now);
    return { user: annotatorOf(found.user), id: found.key, csrf: csrfOf(token) };
  }

  /** Those of `ids` that are still signed in. Does not count as use. */
  async alive(ids: readonly string[]): Promise<Set<string>> {
    const now = this.clock();
    return new Set(await this.store.sessions.alive(ids, now - this.settings.idleMs, now));
  }

  /** `set-cookie` that signs a browser in. */
  cookie(token: string, host: string): string {
    return this.write(token, host, Math.ceil(this.settings.lifeMs / 1000));
  }

  /** `set-cookie` that makes a browser forget. */
  noCookie(host: string): string {
    return this.write('', host, 0);
  }

  private write(value: string, host: string, maxAge: number): string {
    const { secure } = this.settings;
    const options = { httpOnly: true, sameSite: 'Strict', path: '/', secure, maxAge } as const;
    return serialize(this.cookieName(host), value, options);
  }

  /** Cookies do not tell ports apart, and two desks may run on one machine. */
  private cookieName(host: string): string {
    if (this.settings.secure) return '__Host-pivottrace';
    return `pivottrace-${/:(\d+)$/.exec(host)?.[1] ?? '80'}`;
  }
}

/** A user as the queue knows them. */
export function annotatorOf({ id, name, role, kind, disabled }: StoredUser): Annotator {
  return { id, name, role, kind, disabled };
}
