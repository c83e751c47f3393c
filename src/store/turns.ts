/**
 * One connection, many users: it goes from hand to hand in the order in which they asked.
 *
 * A statement has it for as long as it runs, a transaction until it is over: statements of two
 * transactions must not mix.
 */
import { begun, type Connection, type Engine } from './dialect.ts';

/** The only connection of an engine: it is free, or somebody has it. */
export class Turns {
  private readonly waiting: (() => void)[] = [];
  private taken = false;

  /** Waits for its turn; what it returns ends the turn. */
  async enter(): Promise<() => void> {
    if (this.taken) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.taken = true;
    return () => {
      const next = this.waiting.shift();
      if (next === undefined) this.taken = false;
      else next();
    };
  }

  /** `work` in a turn of its own. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }
}

/**
 * An engine of one connection. `connection` gives it when a turn begins; a statement on its own has it
 * for as long as it runs.
 */
export function inTurns(
  connection: () => Connection | Promise<Connection>,
  close: () => Promise<void>,
): Engine {
  const turns = new Turns();
  return {
    query: (sql, parameters) =>
      turns.alone(async () => (await connection()).query(sql, parameters)),
    script: (sql) => turns.alone(async () => (await connection()).script(sql)),
    async begin() {
      const leave = await turns.enter();
      let mine: Connection;
      try {
        mine = await connection();
      } catch (error) {
        leave();
        throw error;
      }
      return await begun(mine, leave);
    },
    close,
  };
}
