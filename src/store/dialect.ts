/**
 * A PostgreSQL engine as a kysely dialect: four factories and a driver.
 *
 * A statement on its own takes a connection for no longer than it runs; a transaction has one to itself from
 * its beginning to its end. Knows nothing of tables, or of which engine it is.
 */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';

/** What one statement gave. */
export interface Answer {
  rows: unknown[];
  /** Rows that were inserted, changed or deleted. */
  affectedRows?: number;
}

/** Where statements are sent. */
export interface Session {
  query(sql: string, parameters: readonly unknown[]): Promise<Answer>;
  /** Runs statements separated by semicolons. */
  script(sql: string): Promise<void>;
}

/** A transaction that has begun; it has its connection to itself until one of these two was called. */
export interface Transaction extends Session {
  commit(): Promise<void>;
  /** Never throws: what cannot be rolled back is rolled back by the end of its connection. No-op when over. */
  rollback(): Promise<void>;
}

/** A PostgreSQL engine: one connection or several. Statements given to it are transactions of their own. */
export interface Engine extends Session {
  /** Waits until a connection is free. */
  begin(): Promise<Transaction>;
  close(): Promise<void>;
}

/** `work` in a transaction; rolled back when it throws. */
export async function inTransaction<T>(
  engine: Engine,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const transaction = await engine.begin();
  try {
    const result = await work(transaction);
    await transaction.commit();
    return result;
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
}

/** One connection of an engine. */
export interface Connection extends Session {
  command(word: 'begin' | 'commit' | 'rollback'): Promise<void>;
}

/**
 * A transaction on `connection`, which nobody else uses. `free` is called once, when it is over; it is told
 * whether the connection can be used again.
 */
export async function begun(
  connection: Connection,
  free: (usable: boolean) => void,
): Promise<Transaction> {
  let open = true;
  const end = async (word: 'commit' | 'rollback'): Promise<void> => {
    open = false;
    let usable = false;
    try {
      await connection.command(word);
      usable = true;
    } finally {
      free(usable);
    }
  };
  // What comes late must not run in the transaction of whoever has the connection then.
  const whileOpen = <T>(work: () => Promise<T>): Promise<T> =>
    open ? work() : Promise.reject(new Error('this transaction is over'));
  try {
    await connection.command('begin');
  } catch (error) {
    free(false);
    throw error;
  }
  return {
    query: (sql, parameters) => whileOpen(() => connection.query(sql, parameters)),
    script: (sql) => whileOpen(() => connection.script(sql)),
    commit: () => whileOpen(() => end('commit')),
    async rollback() {
      if (open) await end('rollback').catch(() => undefined);
    },
  };
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

class EngineDriver implements Driver {
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  async init(): Promise<void> {}

  /** Costs nothing: what it hands out takes hold of the engine when it must. */
  async acquireConnection(): Promise<EngineConnection> {
    return new EngineConnection(this.engine);
  }

  async releaseConnection(connection: EngineConnection): Promise<void> {
    await connection.transaction?.rollback();
  }

  async beginTransaction(connection: EngineConnection): Promise<void> {
    connection.transaction = await this.engine.begin();
  }

  async commitTransaction(connection: EngineConnection): Promise<void> {
    await connection.transaction?.commit();
    connection.transaction = undefined;
  }

  async rollbackTransaction(connection: EngineConnection): Promise<void> {
    await connection.transaction?.rollback();
    connection.transaction = undefined;
  }

  async destroy(): Promise<void> {}
}

class EngineConnection implements DatabaseConnection {
  transaction: Transaction | undefined;
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const session = this.transaction ?? this.engine;
    const { rows, affectedRows } = await session.query(query.sql, query.parameters);
    // kysely types the rows of a query by its text; the engine cannot know.
    return { rows: rows as R[], numAffectedRows: BigInt(affectedRows ?? 0) };
  }

  streamQuery(): never {
    throw new Error('this engine has no cursors: read in batches instead');
  }
}
