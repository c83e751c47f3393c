/** Which database the verbs work on: that of --db, that of the environment, or the workspace's own. */
import { requirePostgresUrl } from '../store/url.ts';

/** Keeps the password out of the list of processes, where every user of the machine can read a flag. */
export const databaseVariable = 'PIVOTTRACE_DB';

export const databaseOption = `a PostgreSQL database instead of the workspace's own: postgres://USER@HOST/NAME (or ${databaseVariable})`;

/** `flag` is the value of --db. UserError, which does not repeat it, for what is no PostgreSQL URL. */
export function databaseOf(flag: unknown): string | undefined {
  const url = typeof flag === 'string' ? flag : process.env[databaseVariable];
  return url === undefined || url === '' ? undefined : requirePostgresUrl(url);
}
