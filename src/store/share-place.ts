/**
 * Where the owner of a workspace can be met by other processes: a socket in a folder that only its user may
 * enter, and a file that says which owner it belongs to.
 *
 * The path of a socket has room for about a hundred bytes. Where that of the workspace is longer, the socket
 * is in a private folder for temporary files. Knows nothing of what is said there.
 */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { errorCode, writeWhole } from '../core/files.ts';
import { ownerOf } from './owner.ts';

/** Linux has room for 107 bytes, the BSDs for 103. */
const maxSocketBytes = 103;
const socketName = 'db.sock';
const temporaryPrefix = 'pt-share-';

const placeSchema = z.object({
  /** Of the lock whose holder listens. */
  token: z.string(),
  socket: z.string(),
});

/** Makes a place that can be listened at; `announce` is called when somebody does. */
export interface SharePlace {
  socket: string;
  announce(): void;
  remove(): void;
}

const folderOf = (workspace: string) => join(workspace, 'share');
const fileOf = (workspace: string) => join(folderOf(workspace), 'place.json');

/** A fresh place for the owner of `workspace`, whose lock is `token`. What an earlier owner left is removed. */
export function makeSharePlace(workspace: string, token: string): SharePlace {
  const folder = folderOf(workspace);
  clear(workspace);
  mkdirSync(folder, { mode: 0o700 });
  const socket = socketPath(folder);
  return {
    socket,
    announce() {
      chmodSync(socket, 0o600);
      writeWhole(fileOf(workspace), `${JSON.stringify({ token, socket })}\n`);
    },
    remove: () => clear(workspace),
  };
}

function socketPath(folder: string): string {
  const usual = join(folder, socketName);
  if (fits(usual)) return usual;
  for (const base of [tmpdir(), '/tmp']) {
    if (fits(join(base, `${temporaryPrefix}XXXXXX`, socketName))) {
      return join(mkdtempSync(join(base, temporaryPrefix)), socketName);
    }
  }
  throw new UserError({
    wanted: `a path of at most ${maxSocketBytes} bytes for a socket`,
    found: `${tmpdir()}, which is longer`,
    where: folder,
    fix: 'Set TMPDIR to a folder with a short path, or move the workspace.',
  });
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= maxSocketBytes;
}

function clear(workspace: string): void {
  const old = read(workspace)?.socket;
  if (old !== undefined && basename(dirname(old)).startsWith(temporaryPrefix)) {
    rmSync(dirname(old), { recursive: true, force: true });
  }
  rmSync(folderOf(workspace), { recursive: true, force: true });
}

/** The socket on which the present owner of `workspace` listens; undefined where it does not. */
export function sharedSocket(workspace: string): string | undefined {
  const place = read(workspace);
  if (place === undefined) return undefined;
  const lock = join(workspace, 'owner.lock');
  if (ownerOf(lock)?.token !== place.token) return undefined;
  try {
    // In a folder for everybody's temporary files, another user may have taken a name that became free.
    const isOurs = lstatSync(place.socket).uid === statSync(lock).uid;
    return isOurs ? place.socket : undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function read(workspace: string): z.infer<typeof placeSchema> | undefined {
  try {
    const parsed = placeSchema.safeParse(JSON.parse(readFileSync(fileOf(workspace), 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
