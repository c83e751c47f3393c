/** All migrations, oldest first. A new one is a new file and a new line here. */
import { tables } from './0001-tables.ts';
import { routesOfRuns } from './0002-routes-of-runs.ts';
import { layerPath } from './0003-layer-path.ts';

export interface Migration {
  /** Counts from 1 without gaps. */
  id: number;
  name: string;
  /** Statements separated by semicolons; they run in the transaction that records the migration. */
  sql: string;
}

export const migrations: readonly Migration[] = [tables, routesOfRuns, layerPath];
