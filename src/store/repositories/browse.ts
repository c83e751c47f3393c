/** Reads for people who look around: see browse-types.ts. */
import type { Kysely } from 'kysely';
import type { Browse } from '../browse-types.ts';
import type { Database } from '../schema.ts';
import { browsePool } from './browse-pool.ts';
import { browseTraces } from './browse-traces.ts';

export function browseIn(db: Kysely<Database>): Browse {
  return { ...browseTraces(db), ...browsePool(db) };
}
