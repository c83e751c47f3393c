/**
 * A PGlite data directory as an engine: made whole or not at all, opened, and its faults named.
 *
 * Durability: `relaxedDurability` stays false and every commit is written to the log file before it is
 * acknowledged, so a killed process loses nothing. PGlite never calls fsync (its file system has none):
 * a power cut may lose the last seconds, as with `fsync = off`.
 * Knows nothing of tables.
 */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite, type PGliteOptions } from '@electric-sql/pglite';
import { UserError } from '../core/errors.ts';
import type { Connection, Engine } from './dialect.ts';
import { explained, requireFree } from './failures.ts';
import { inTurns } from './turns.ts';

// Two segments of the log (16 MiB each) and some room to recover; a new database adds its 40 MiB.
const roomToOpen = 40 * 2 ** 20;
const roomToCreate = 120 * 2 ** 20;

const byteaType = 17;

const options: PGliteOptions = {
  relaxedDurability: false,
  // PGlite's own conversion goes byte by byte, 20 times slower than this.
  serializers: {
    [byteaType]: (bytes: Uint8Array) =>
      `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`,
  },
  parsers: { [byteaType]: (text) => Uint8Array.from(Buffer.from(text.slice(2), 'hex')) },
};

/**
 * Opens `<workspace>/db`, creating it where there is none. The caller owns the workspace.
 * UserError when the disk is full or cannot be written, or when the directory holds no working database.
 */
export async function openDatabase(workspace: string): Promise<Engine> {
  const directory = join(workspace, 'db');
  try {
    if (existsSync(directory)) requireFree(workspace, roomToOpen);
    else await createDatabase(workspace, directory);
    return engineOf(await PGlite.create(directory, options), workspace);
  } catch (error) {
    const known = explained(error, workspace);
    if (known instanceof UserError) throw known;
    throw new UserError(
      {
        wanted: 'a database that opens',
        found: error instanceof Error ? error.message : String(error),
        where: directory,
        fix: 'Put back a copy of the directory, or move it away to start with an empty database.',
      },
      { cause: error },
    );
  }
}

/** Made under another name and renamed: a directory called `db` is always a whole database. */
async function createDatabase(workspace: string, directory: string): Promise<void> {
  for (const name of readdirSync(workspace)) {
    if (name.startsWith('db.new')) rmSync(join(workspace, name), { recursive: true, force: true });
  }
  requireFree(workspace, roomToCreate);
  const unfinished = join(workspace, 'db.new');
  const database = await PGlite.create(unfinished, options);
  await database.close();
  renameSync(unfinished, directory);
}

function engineOf(database: PGlite, workspace: string): Engine {
  // After a panic the module is gone and a further call would wait for ever.
  let broken: unknown;
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    if (broken !== undefined) throw broken;
    try {
      return await work();
    } catch (error) {
      const known = explained(error, workspace);
      if (isPanic(error)) broken = known;
      throw known;
    }
  };
  const script = (sql: string) => guarded(async () => void (await database.exec(sql)));
  const connection: Connection = {
    query: (sql, parameters) => guarded(() => database.query(sql, [...parameters])),
    ...{ script, command: script },
  };
  return inTurns(
    () => connection,
    async () => {
      if (broken === undefined && !database.closed) await database.close();
    },
  );
}

/** Did the module itself stop, and not only this statement? */
function isPanic(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('severity' in error) return error.severity === 'PANIC' || error.severity === 'FATAL';
  return error.name === 'RuntimeError' || error.name === 'ExitStatus';
}
