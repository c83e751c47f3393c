/**
 * The URL of a PostgreSQL database: told apart from a folder, checked, and shown without its password.
 */
import { UserError } from '../core/errors.ts';

const scheme = /^postgres(?:ql)?:\/\//i;
const urlsInText = /postgres(?:ql)?:\/\/[^\s'"`<>]*/gi;

/** Parameters that say where a database is and how it is reached; a password may stand in any other. */
const harmless = new Set(['host', 'port', 'dbname', 'sslmode', 'application_name']);

/** Does `target` name a database on a server, and not a workspace folder? */
export function isPostgresUrl(target: string): boolean {
  return scheme.test(target);
}

/** `url` as it is; UserError, without any part of it, where it is no URL of a PostgreSQL database. */
export function requirePostgresUrl(url: string): string {
  if (isPostgresUrl(url) && withoutPassword(url) !== hidden) return url;
  throw new UserError({
    wanted: 'a database URL: postgres://USER:PASSWORD@HOST:PORT/DATABASE',
    found: isPostgresUrl(url) ? 'one that cannot be read' : 'something else',
    fix: 'Characters such as @ : / ? # in a password are written as %40 %3A %2F %3F %23.',
  });
}

/** `url` for people: without password and without parameters that may hold one. */
export function withoutPassword(url: string): string {
  // Without a host, as before ?host=/folder/of/the/socket, a user name is no URL for the parser.
  const parsable = url.replace('@/', '@socket/');
  return URL.canParse(parsable) ? shown(new URL(parsable)) : hidden;
}

/** `text` with every database URL in it made safe to show. */
export function withoutPasswords(text: string): string {
  return text.replace(urlsInText, withoutPassword);
}

const hidden = 'postgres://...';

function shown(parsed: URL): string {
  const url = new URL(parsed);
  url.password = '';
  url.hash = '';
  for (const name of [...url.searchParams.keys()]) {
    if (!harmless.has(name)) url.searchParams.delete(name);
  }
  const place = `${url.host}${url.pathname}${url.search}`;
  // An @ beyond the first means that a password was not escaped, and that a part of it looks like a host.
  return place.includes('@') || parsed.hash.includes('@') ? hidden : url.href;
}
