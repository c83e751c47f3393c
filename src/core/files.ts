/**
 * Files that are whole or not there: written under a temporary name, synced, renamed.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from './errors.ts';

/** Makes a folder and those above it that are missing. A recursive mkdirSync never returns under /proc. */
export function makeFolders(path: string): void {
  if (existsSync(path)) return;
  makeFolders(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

/** Writes `data` to `path` so that a reader (or a crash) sees the old file or the new one, never a part. */
export function writeWhole(path: string, data: string | Uint8Array | Iterable<Uint8Array>): void {
  makeFolders(dirname(path));
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'w');
  try {
    const parts =
      typeof data === 'string'
        ? [Buffer.from(data, 'utf8')]
        : data instanceof Uint8Array
          ? [data]
          : data;
    for (const part of parts) {
      for (let at = 0; at < part.byteLength; ) at += writeSync(file, part, at);
    }
    fsyncSync(file);
  } catch (error) {
    closeSync(file);
    rmSync(temporary, { force: true });
    throw error;
  }
  closeSync(file);
  renameSync(temporary, path);
}

/**
 * Has `fill` fill a folder under a temporary name, which is then renamed to `path`: a folder that was there is replaced
 * as a whole. Between the two renames it is under `<path>.<pid>.old`.
 */
export function writeFolder(path: string, fill: (temporary: string) => void): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  makeFolders(temporary);
  try {
    fill(temporary);
    const old = `${path}.${process.pid}.old`;
    const existed = existsSync(path);
    if (existed) renameSync(path, old);
    renameSync(temporary, path);
    if (existed) rmSync(old, { recursive: true });
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** The JSON value in `path`; UserError when it is missing or is no JSON. */
export function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(
      { wanted: 'a readable JSON file', found: errorCode(error), where: path },
      { cause: error },
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(
      { wanted: 'valid JSON', found: String(error), where: path },
      { cause: error },
    );
  }
}

/** SHA-256 of a file, hex, streamed. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/** The system's code of a failed call (ENOENT, EROFS, ENOSPC ...), or the message where there is none. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string')
    return error.code;
  return String(error);
}
