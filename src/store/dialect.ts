/**
 * PGlite as a kysely dialect: four factories and a driver with one connection.
 *
 * Knows nothing of tables. Any engine with `query` fits, which is also how faults get their names.
 */
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';

/** One connection to a PostgreSQL engine. */
export interface Engine {
  query(
    sql: string,
    parameters: readonly unknown[],
  ): Promise<{ rows: unknown[]; affectedRows?: number }>;
  /** Runs statements separated by semicolons. */
  script(sql: string): Promise<void>;
  close(): Promise<void>;
}

/** The dialect for `engine`, which stays open when kysely is destroyed. */
export function engineDialect(engine: Engine): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new EngineDriver(engine),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

/** Hands out its only connection to one user at a time: statements of two transactions must not mix. */
class EngineDriver implements Driver {
  private readonly connection: DatabaseConnection;
  private readonly waiting: (() => void)[] = [];
  private busy = false;

  constructor(engine: Engine) {
    this.connection = new EngineConnection(engine);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.busy) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.busy = true;
    return this.connection;
  }

  async releaseConnection(): Promise<void> {
    const next = this.waiting.shift();
    if (next === undefined) this.busy = false;
    else next();
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async destroy(): Promise<void> {}
}

class EngineConnection implements DatabaseConnection {
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, affectedRows } = await this.engine.query(query.sql, query.parameters);
    // kysely types the rows of a query by its text; the engine cannot know.
    return { rows: rows as R[], numAffectedRows: BigInt(affectedRows ?? 0) };
  }

  streamQuery(): never {
    throw new Error('this engine has no cursors: read in batches instead');
  }
}
