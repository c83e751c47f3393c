/** Files and directories of weights: what reading and writing them has in common. Knows nothing of any format. */
import { existsSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.ts';
import { errorCode } from '../core/files.ts';

/** Opens `path` for reading; `kind` (safetensors, GGUF) is named in the UserError where that cannot be. */
export function openForReading(path: string, kind: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new UserError(
      { wanted: `a readable ${kind} file`, found: errorCode(error), where: path },
      { cause: error },
    );
  }
}

/**
 * Fills `into` with the bytes from `from` on. UserError, with `where`, for a file that cannot be read or is shorter: a
 * header promised these bytes, and a file that shrank since then is an error like a truncated one.
 */
export function readFully(file: number, into: Uint8Array, from: number, where: string): void {
  for (let at = 0; at < into.byteLength; ) {
    let got: number;
    try {
      got = readSync(file, into, at, into.byteLength - at, from + at);
    } catch (error) {
      throw new UserError(
        { wanted: 'a readable file', found: errorCode(error), where },
        { cause: error },
      );
    }
    if (got === 0) {
      const found = `${into.byteLength - at} bytes fewer`;
      const fix = 'The file is truncated, damaged or of another format: get it again.';
      throw new UserError({ wanted: 'a whole file', found, where, fix });
    }
    at += got;
  }
}

/**
 * UserError where the directory `target` holds other files than those of its `kind`, which has one called `marker`: to
 * write there would destroy them.
 */
export function refuseForeign(target: string, marker: string, kind: string): void {
  if (!existsSync(target) || existsSync(join(target, marker))) return;
  if (readdirSync(target).length === 0) return;
  throw new UserError({
    wanted: `a new, an empty or ${kind} directory to write to`,
    found: 'other files in it',
    where: target,
  });
}
