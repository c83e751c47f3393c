/**
 * Finds the engine behind a target: the database of a workspace folder, owned or through the process that owns
 * and shares it, or a database on a PostgreSQL server.
 *
 * Knows nothing of tables.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { UserError } from '../core/errors.ts';
import { errorCode, makeFolders } from '../core/files.ts';
import { openDatabase } from './database.ts';
import type { Engine } from './dialect.ts';
import { explained } from './failures.ts';
import { removeLeftovers } from './leftovers.ts';
import { Owned, type OwnerLock, takeOwnership } from './owner.ts';
import { openPostgres } from './postgres.ts';
import { joinShare } from './share-client.ts';
import { openShare, type Share } from './share-server.ts';
import { isPostgresUrl } from './url.ts';

export interface OpenOptions {
  /** Lets other processes use the workspace through this one for as long as the store is open. Default false. */
  share?: boolean;
  /** Milliseconds that another process may be silent in a transaction before it is rolled back. */
  shareIdleLimit?: number;
}

export interface OpenedEngine {
  engine: Engine;
  /** How it was reached: on a server, as the owner of a workspace, or through its owner. */
  by: 'server' | 'owner' | 'guest';
  /** To be called when the tables are up to date: from then on others may come in. */
  ready(schema: number): void;
  /** Closes the engine and gives the workspace free. */
  close(): Promise<void>;
}

/** How often, and after how many milliseconds, a workspace that somebody owns is looked at again. */
const looks = 3;
const betweenLooks = 150;

/**
 * Opens the engine of `target`, a folder or postgres://...; makes the folder where there is none.
 * `schema` is the newest migration of this version: a process that shares must have the same.
 * UserError when another process owns the workspace without sharing it, when the folder cannot be written, the
 * disk is full, or the server cannot be used.
 */
export async function openEngine(
  target: string,
  schema: number,
  options: OpenOptions = {},
): Promise<OpenedEngine> {
  if (isPostgresUrl(target)) {
    const engine = await openPostgres(target);
    return { engine, by: 'server', ready: () => undefined, close: () => engine.close() };
  }
  makeWorkspace(target);
  for (let look = 1; ; look++) {
    const taken = ownership(target);
    if (!(taken instanceof Owned)) return await asOwner(target, taken, options);
    const engine = await joinShare(target, schema);
    if (engine !== undefined) {
      return { engine, by: 'guest', ready: () => undefined, close: () => engine.close() };
    }
    if (look === looks) throw taken;
    // Its owner may be about to listen, or about to end.
    await pause(betweenLooks);
  }
}

function ownership(workspace: string): OwnerLock | Owned {
  try {
    return takeOwnership(join(workspace, 'owner.lock'));
  } catch (error) {
    if (error instanceof Owned) return error;
    throw error;
  }
}

async function asOwner(
  workspace: string,
  lock: OwnerLock,
  { share: isShared = false, shareIdleLimit }: OpenOptions,
): Promise<OpenedEngine> {
  let share: Share | undefined;
  try {
    removeLeftovers(workspace);
    if (isShared) share = await openShare(workspace, lock.token, shareIdleLimit);
    const engine = await openDatabase(workspace);
    return {
      engine,
      by: 'owner',
      ready: (schema) => share?.serve(engine, schema),
      async close() {
        await share?.close();
        await engine.close();
        lock.release();
      },
    };
  } catch (error) {
    await share?.close();
    lock.release();
    throw error;
  }
}

/** Makes the folder of a workspace. UserError where that cannot be. */
export function makeWorkspace(workspace: string): void {
  let found = 'a file';
  try {
    makeFolders(workspace);
    if (statSync(workspace).isDirectory()) return;
  } catch (error) {
    const known = explained(error, workspace);
    if (known instanceof UserError) throw known;
    found = errorCode(error);
  }
  throw new UserError({
    wanted: 'a folder that can be made for the workspace',
    found,
    where: workspace,
    fix: 'Choose another workspace.',
  });
}
