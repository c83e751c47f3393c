/**
 * What a request must show before a route sees it: a name of ours in `Host`, a page of ours as its origin, the session's
 * own token, and a role that may.
 *
 * A page elsewhere cannot set these: browsers fill in Host, Origin and Sec-Fetch-Site, and the token can only be read by
 * a page of this origin. Knows nothing of hono.
 */
import { type Role, roles } from '../label/queue/types.ts';
import { sameSecret } from './secrets.ts';
import { type Access, Refusal, type SignedIn } from './types.ts';

export interface Names {
  /** The address that people use ('https://label.example.org'), where a proxy stands before the server; null = none. */
  origin: string | null;
  /** Further names, without a port, under which the server is reached directly. */
  hosts: readonly string[];
  /** Is the server bound to loopback? Then its loopback names are fine. */
  loopback: boolean;
}

const loopbackNames = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Refusal (403) unless `host` is a name of this server. Without it a page whose name is made to point here (DNS
 * rebinding) would count as ours.
 */
export function checkHost(names: Names, host: string | undefined): string {
  const name = host?.toLowerCase() ?? '';
  if (names.origin !== null && name === new URL(names.origin).host) return name;
  const bare = name.replace(/:\d+$/, '');
  if (names.loopback && loopbackNames.includes(bare)) return name;
  if (names.hosts.some((known) => known.toLowerCase() === bare)) return name;
  throw new Refusal(
    403,
    'The server is not known by this name. Whoever runs it can allow it with the settings serve.origin or serve.hosts.',
  );
}

/** Refusal (403) unless a request that changes something comes from a page of this server. `host` was checked. */
export function checkOrigin(names: Names, host: string, headers: Headers): void {
  const site = headers.get('sec-fetch-site');
  const origin = headers.get('origin');
  const isOurs =
    origin === null
      ? site === 'same-origin'
      : isOwn(names, host, origin) && (site === null || site === 'same-origin');
  if (!isOurs) throw new Refusal(403, 'The request does not come from a page of this server.');
}

function isOwn(names: Names, host: string, origin: string): boolean {
  if (names.origin !== null && origin === names.origin) return true;
  // By another name than the public one: as the request itself came, without TLS.
  return isDirect(names, host) && origin.toLowerCase() === `http://${host}`;
}

/** Was the server called directly, and not through the proxy of its public name? */
function isDirect(names: Names, host: string): boolean {
  return names.origin === null || host !== new URL(names.origin).host;
}

/** Refusal (403) unless the request carries the session's own token. */
export function checkCsrf(session: SignedIn, sent: string | null): void {
  if (sent !== null && sameSecret(sent, session.csrf)) return;
  throw new Refusal(403, 'The request does not carry the token of this session. Reload the page.');
}

/** Refusal: 401 where nobody is signed in, 403 where the role is too low. */
export function checkRole(access: Access, session: SignedIn | null): void {
  if (access === 'anyone') return;
  if (session === null) throw new Refusal(401, 'Sign in first.');
  if (mayAct(session.user.role, access)) return;
  throw new Refusal(403, `This is for the role ${access}; yours is ${session.user.role}.`);
}

/** May `role` do what `least` may? */
export function mayAct(role: Role, least: Role): boolean {
  return roles.indexOf(role) <= roles.indexOf(least);
}
