/**
 * Users as they come and go: invited by link, signed in by password or link, changed by an admin.
 *
 * Knows nothing of HTTP. What it refuses is a Refusal that tells no more than its caller may know.
 */
import { randomUUID } from 'node:crypto';
import type { Annotator, Role } from '../label/queue/types.ts';
import type { Repositories, Store } from '../store/types.ts';
import type { Invitation, StoredUser, UserChange } from '../store/users.ts';
import { type Limiter, openLimiter } from './limits.ts';
import { nameKey, nameOf } from './names.ts';
import type { Passwords } from './passwords.ts';
import { freshToken, isToken, keyOfToken } from './secrets.ts';
import { annotatorOf, type Sessions } from './sessions.ts';
import { Refusal, type SignedIn } from './types.ts';

export interface AccountsNeeds {
  store: Store;
  sessions: Sessions;
  passwords: Passwords;
  /** Milliseconds since 1970. */
  clock: () => number;
}

/** What a link is good for, and until when. */
export interface OneTimeLink {
  token: string;
  expiresAt: number;
}

export interface Accepted {
  token: string;
  session: SignedIn;
  /** Did the link make the user? */
  isNew: boolean;
}

const dayMs = 24 * 3_600_000;
/** Lives of links, in milliseconds: an invitation travels by mail, a sign-in is copied from a terminal. */
const inviteMs = 3 * dayMs;
const signInMs = 10 * 60_000;

// Enough for a person with a bad memory; a guesser gets some thousand tries a year per name.
const perName = { tries: 10, perMs: 15 * 60_000 };
const perAddress = { tries: 50, perMs: 15 * 60_000 };

export class Accounts {
  private readonly needs: AccountsNeeds;
  private readonly byName: Limiter;
  private readonly byAddress: Limiter;

  constructor(needs: AccountsNeeds) {
    this.needs = needs;
    this.byName = openLimiter(perName, needs.clock);
    this.byAddress = openLimiter(perAddress, needs.clock);
  }

  /** Refusal: 401 for a wrong name or password, whichever it is; 429 after too many of them. */
  async signIn(
    { name, password }: { name: string; password: string },
    address: string,
  ): Promise<{ token: string; session: SignedIn }> {
    const { store, passwords, sessions } = this.needs;
    const key = nameKey(name);
    // Counted before the hash is made: many tries at once must not slip through.
    this.allow(this.byAddress, address);
    this.allow(this.byName, key);
    const user = await store.users.byName(key);
    const right = await passwords.matches(password, user?.password ?? null);
    if (!right || user === undefined || user.disabled || user.kind !== 'person') {
      throw new Refusal(401, 'The name or the password is wrong.', { kind: 'invalid' });
    }
    this.byAddress.giveBack(address);
    this.byName.giveBack(key);
    return await sessions.begin(user);
  }

  /** Checks the password of somebody who is signed in already; counted as a sign-in. */
  async changePassword(
    session: SignedIn,
    { current, password }: { current: string; password: string },
    address: string,
  ): Promise<{ token: string; session: SignedIn }> {
    const { store, passwords, sessions } = this.needs;
    const key = nameKey(session.user.name);
    this.allow(this.byAddress, address);
    this.allow(this.byName, key);
    const user = await store.users.byName(key);
    if (user === undefined || !(await passwords.matches(current, user.password))) {
      throw new Refusal(403, 'The present password is wrong.', { kind: 'invalid' });
    }
    this.byAddress.giveBack(address);
    this.byName.giveBack(key);
    const hash = await passwords.hash(password);
    return await store.transaction(async (tables) => {
      await tables.users.change(user.id, { password: hash });
      return await sessions.begin(user, tables);
    });
  }

  /** An invitation for a new user. UserError is never thrown: a name that is taken by then is refused on use. */
  async invite(
    { role, name }: { role: Role; name?: string | undefined },
    by: Annotator | null,
    lifeMs: number = inviteMs,
  ): Promise<OneTimeLink> {
    const fixed = name === undefined ? null : nameOf(name);
    if (fixed !== null && (await this.needs.store.users.byName(nameKey(fixed))) !== undefined) {
      throw new Refusal(409, `There is a user called "${fixed}" already.`);
    }
    return await this.link({ userId: null, role, name: fixed, createdBy: by?.id ?? null }, lifeMs);
  }

  /** A link by which a user signs in without a password, and may set a new one. */
  async signInLink(id: string, by: Annotator | null): Promise<OneTimeLink> {
    const user = await this.needs.store.users.get(id);
    if (user === undefined) throw new Refusal(404, 'There is no such user.');
    if (user.disabled || user.kind !== 'person') {
      throw new Refusal(409, `${user.name} cannot sign in.`);
    }
    const { role } = user;
    return await this.link({ userId: id, role, name: null, createdBy: by?.id ?? null }, signInMs);
  }

  private async link(
    invitation: Omit<Invitation, 'key' | 'createdAt' | 'expiresAt'>,
    lifeMs: number,
  ): Promise<OneTimeLink> {
    const { store, clock } = this.needs;
    const now = clock();
    const token = freshToken();
    const expiresAt = now + lifeMs;
    await store.invitations.sweep(now);
    await store.invitations.add({
      ...invitation,
      key: keyOfToken(token),
      createdAt: now,
      expiresAt,
    });
    return { token, expiresAt };
  }

  /** What a link is for. Refusal: 410 where it is used, too old, or none at all; 429 after too many of these. */
  async look(
    token: string,
    address: string,
  ): Promise<{ invitation: Invitation; user: StoredUser | null }> {
    const { store, clock } = this.needs;
    this.allow(this.byAddress, address);
    const invitation = isToken(token)
      ? await store.invitations.get(keyOfToken(token), clock())
      : undefined;
    if (invitation === undefined) throw usedUp();
    const user = invitation.userId === null ? null : await store.users.get(invitation.userId);
    if (user === undefined) throw usedUp();
    this.byAddress.giveBack(address);
    return { invitation, user };
  }

  /** Uses a link up. Refusal: 400 where a name or password is missing, 409 where the name is taken, 410 as `look`. */
  async accept(
    { token, name, password }: { token: string; name?: string; password?: string },
    address: string,
  ): Promise<Accepted> {
    const { invitation, user } = await this.look(token, address);
    const { passwords, sessions, store } = this.needs;
    if (user !== null) {
      const hash = password === undefined ? null : await passwords.hash(password);
      return await store.transaction(async (tables) => {
        await this.take(tables, invitation);
        if (hash !== null) await tables.users.change(user.id, { password: hash });
        return { ...(await sessions.begin(user, tables)), isNew: false };
      });
    }
    if (password === undefined) throw new Refusal(400, 'A new user needs a password.');
    const chosen = nameOf(invitation.name ?? name ?? '');
    const hash = await passwords.hash(password);
    const added = this.newUser(chosen, invitation.role);
    return await store.transaction(async (tables) => {
      await this.take(tables, invitation);
      const isFree = await tables.users.add({ ...added, nameKey: nameKey(chosen), password: hash });
      if (!isFree) throw new Refusal(409, `The name "${chosen}" is taken. Choose another one.`);
      return { ...(await sessions.begin(added, tables)), isNew: true };
    });
  }

  private newUser(name: string, role: Role): StoredUser {
    const createdAt = this.needs.clock();
    return { id: randomUUID(), name, role, kind: 'person', disabled: false, createdAt };
  }

  private async take(tables: Repositories, { key }: Invitation): Promise<void> {
    if ((await tables.invitations.take(key, this.needs.clock())) === undefined) throw usedUp();
  }

  /** Refusal: 404 where there is no such user, 409 where no admin would be left. */
  async change(id: string, change: UserChange): Promise<Annotator> {
    const { store } = this.needs;
    const outcome = await store.users.change(id, change);
    if (outcome === 'last_admin') {
      throw new Refusal(409, 'This is the only admin. Make somebody else an admin first.');
    }
    const user = await store.users.get(id);
    if (outcome === 'missing' || user === undefined)
      throw new Refusal(404, 'There is no such user.');
    return annotatorOf(user);
  }

  private allow(limiter: Limiter, key: string): void {
    const seconds = limiter.take(key);
    if (seconds === 0) return;
    throw new Refusal(429, `Too many tries. Try again in ${seconds} seconds.`, {
      headers: { 'retry-after': String(seconds) },
    });
  }
}

function usedUp(): Refusal {
  return new Refusal(
    410,
    'This link was used already or is too old. Ask an admin for another one, or start `pivottrace serve` again.',
  );
}
