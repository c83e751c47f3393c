/**
 * Faults of the disk in words: read-only, no permission, full.
 *
 * Knows nothing of the database beyond the codes that PostgreSQL and the file system give.
 */
import { statfsSync } from 'node:fs';
import { UserError } from '../core/errors.ts';
import { errorCode } from '../core/files.ts';

type Fault = 'full' | 'read-only' | 'forbidden';

const codes: Record<string, Fault> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  '53100': 'full',
  EROFS: 'read-only',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
};

// The file system inside the WebAssembly module throws numbers (of WASI) instead of names.
const wasiCodes: Record<number, Fault> = {
  51: 'full',
  19: 'full',
  69: 'read-only',
  2: 'forbidden',
};

const phrases: [RegExp, Fault][] = [
  [/no space left on device|disk quota exceeded/i, 'full'],
  [/read-only file system/i, 'read-only'],
  [/permission denied/i, 'forbidden'],
];

function faultOf(error: unknown): Fault | undefined {
  const named = codes[errorCode(error)];
  if (named !== undefined) return named;
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') {
    const numbered = wasiCodes[error.errno];
    if (error.name === 'ErrnoError' && numbered !== undefined) return numbered;
  }
  const message = error instanceof Error ? error.message : String(error);
  return phrases.find(([phrase]) => phrase.test(message))?.[1];
}

/** The UserError that says what is wrong with the disk under `path`, or `error` itself where it is something else. */
export function explained(error: unknown, path: string): unknown {
  if (error instanceof UserError) return error;
  const fault = faultOf(error);
  if (fault === undefined) return error;
  const wanted = 'a workspace that can be written to';
  if (fault === 'full') {
    return new UserError(
      {
        wanted: 'room on the disk for the workspace',
        found: 'no space left',
        where: path,
        fix: 'Free some space and give the same command again: everything acknowledged so far is kept.',
      },
      { cause: error },
    );
  }
  return new UserError(
    {
      wanted,
      found: fault === 'read-only' ? 'a read-only file system' : 'no permission to write',
      where: path,
      fix: 'Choose another workspace, or make this one writable.',
    },
    { cause: error },
  );
}

/** UserError when fewer than `bytes` are free on the file system of `path`, which must exist. */
export function requireFree(path: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(path);
  const free = bavail * bsize;
  if (free >= bytes) return;
  const mebibytes = (count: number) => `${Math.floor(count / 2 ** 20)} MiB`;
  throw new UserError({
    wanted: `at least ${mebibytes(bytes)} free for the database`,
    found: `${mebibytes(free)} free`,
    where: path,
    fix: 'Free some space, or choose a workspace on another disk.',
  });
}
