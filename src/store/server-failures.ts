/**
 * Faults between us and a PostgreSQL server in words. Knows nothing of the disk of this machine.
 */
import { UserError } from '../core/errors.ts';
import { errorCode } from '../core/files.ts';

interface Fault {
  wanted: string;
  found: string;
  fix: string;
}

const unreachable = (found: string): Fault => ({
  wanted: 'a PostgreSQL server that answers',
  found,
  fix: 'Check the host and the port, and that the server runs and can be reached from here.',
});
const refusedUser = (found: string): Fault => ({
  wanted: 'a user and a password that the server accepts',
  found,
  fix: 'Check the user and the password in the URL (or PGPASSWORD, or ~/.pgpass).',
});
const lost: Fault = {
  wanted: 'a connection that lasts',
  found: 'one that the server or the network has ended',
  fix: 'Give the same command again: everything acknowledged so far is kept.',
};
const noTrust: Fault = {
  wanted: 'a server certificate that can be checked',
  found: 'one that is not trusted here',
  fix: 'Name the authority with sslrootcert=FILE in the URL; see docs/guide/teams.md.',
};

const faults: Record<string, Fault> = {
  ECONNREFUSED: unreachable('nothing that listens there'),
  ENOENT: unreachable('no such socket'),
  ENOTFOUND: unreachable('a host name that nobody knows'),
  EAI_AGAIN: unreachable('no name service'),
  ETIMEDOUT: unreachable('no answer'),
  EHOSTUNREACH: unreachable('no way to that host'),
  ENETUNREACH: unreachable('no way to that network'),
  ECONNRESET: lost,
  EPIPE: lost,
  '08000': lost,
  '08003': lost,
  '08006': lost,
  '57P01': lost,
  '57P02': lost,
  '25P03': {
    wanted: 'a transaction that goes on',
    found: 'one that stood still for too long, which the server has ended',
    fix: 'Give the same command again: everything acknowledged so far is kept.',
  },
  '57P03': unreachable('one that is starting or stopping'),
  '28P01': refusedUser('a refusal'),
  '3D000': {
    wanted: 'a database that is there',
    found: 'none of that name on the server',
    fix: 'Make it with `createdb` or CREATE DATABASE; pivottrace makes the tables.',
  },
  '53300': {
    wanted: 'a free connection',
    found: 'a server that has given out all of them',
    fix: 'Stop something that uses it, or raise max_connections there.',
  },
  '53100': {
    wanted: 'room on the disk of the server',
    found: 'no space left',
    fix: 'Free some space there and give the same command again: everything acknowledged so far is kept.',
  },
  '25006': {
    wanted: 'a server that takes writes',
    found: 'one that is read-only (a standby?)',
    fix: 'Name the primary server.',
  },
  '42501': {
    wanted: 'a user who may make and change tables',
    found: 'one who may not',
    fix: 'Let the user own the database: ALTER DATABASE name OWNER TO user.',
  },
  SELF_SIGNED_CERT_IN_CHAIN: noTrust,
  DEPTH_ZERO_SELF_SIGNED_CERT: noTrust,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: noTrust,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: noTrust,
  ERR_TLS_CERT_ALTNAME_INVALID: noTrust,
};

/** What the client library says without a code. */
const phrases: [RegExp, Fault][] = [
  [/client password must be a string/i, refusedUser('no password, and the server asks for one')],
  [/timeout exceeded when trying to connect|connection timeout/i, unreachable('no answer')],
  [/connection terminated|not queryable|client was closed|connection ended/i, lost],
  [
    /does not support SSL/i,
    {
      wanted: 'an encrypted connection',
      found: 'a server that offers none',
      fix: 'Switch encryption on there, or leave sslmode out of the URL.',
    },
  ],
];

/** The UserError for a fault of the server at `where`, or `error` itself where it is something else. */
export function serverExplained(error: unknown, where: string): unknown {
  if (error instanceof UserError) return error;
  const fault = faultOf(error);
  return fault === undefined ? error : new UserError({ ...fault, where }, { cause: error });
}

function faultOf(error: unknown): Fault | undefined {
  const code = errorCode(error);
  // Who may come in is the server's rule, and only its own sentence says which one.
  if (code === '28000' && error instanceof Error) return refusedUser(error.message);
  if (!(error instanceof Error)) return undefined;
  // sslrootcert and its like name files; a socket that is not there fails to connect.
  if (code === 'ENOENT' && !error.message.startsWith('connect')) {
    const fix = 'Correct the path in the URL.';
    return { wanted: 'the files that the URL names', found: error.message, fix };
  }
  if (Object.hasOwn(faults, code)) return faults[code];
  return phrases.find(([phrase]) => phrase.test(error.message))?.[1];
}
