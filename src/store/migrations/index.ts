/** All migrations, oldest first. A new one is a new file and a new line here. */
import { tables } from './0001-tables.ts';
import { routesOfRuns } from './0002-routes-of-runs.ts';
import { layerPath } from './0003-layer-path.ts';
import { desk } from './0004-desk.ts';
import { users } from './0005-users.ts';
import { checks } from './0006-checks.ts';
import { largePools } from './0007-large-pools.ts';

export interface Migration {
  /** Counts from 1 without gaps. */
  id: number;
  name: string;
  /** Statements separated by semicolons; they run in the transaction that records the migration. */
  sql: string;
}

export const migrations: readonly Migration[] = [
  tables,
  routesOfRuns,
  layerPath,
  desk,
  users,
  checks,
  largePools,
];

/** The schema that this version of the program writes. */
export const newestSchema = migrations.at(-1)?.id ?? 0;
