/**
 * The owner's end of a shared workspace: other processes send their statements here.
 *
 * It listens before the database is open, so that a command started at the same moment waits instead of being
 * refused. Each process is attended to in order; a transaction of one keeps all others out, and is rolled back
 * when its process dies or stands still in it. Knows nothing of tables.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Engine, Transaction } from './dialect.ts';
import { explained } from './failures.ts';
import { makeSharePlace, type SharePlace } from './share-place.ts';
import {
  faultReply,
  frames,
  type Hello,
  protocol,
  type Reply,
  type Request,
  requestSchema,
  send,
} from './share-wire.ts';

/** Milliseconds that another process may be silent within a transaction. */
const idleLimit = 30_000;

export interface Share {
  /** Lets those who wait, and everybody after them, use `engine`. `schema` is the newest migration. */
  serve(engine: Engine, schema: number): void;
  /** Ends all connections, rolls back what was open, and removes the place. */
  close(): Promise<void>;
}

/** Listens for other processes in `workspace`, whose lock this process holds with `token`. */
export async function openShare(
  workspace: string,
  token: string,
  limit = idleLimit,
): Promise<Share> {
  let place: SharePlace | undefined;
  try {
    place = makeSharePlace(workspace, token);
    const desk = new Desk(limit);
    desk.server.listen(place.socket);
    await once(desk.server, 'listening');
    place.announce();
    const { remove } = place;
    return {
      serve: (engine, schema) => desk.open({ engine, schema }),
      async close() {
        await desk.close();
        remove();
      },
    };
  } catch (error) {
    place?.remove();
    throw explained(error, workspace);
  }
}

interface Offer {
  engine: Engine;
  schema: number;
}

class Desk {
  readonly server: Server;
  readonly open: (offer: Offer) => void;
  private readonly offer: Promise<Offer>;
  private readonly limit: number;
  private readonly guests = new Map<Socket, Promise<void>>();

  constructor(limit: number) {
    this.limit = limit;
    const { promise, resolve } = withResolver<Offer>();
    this.offer = promise;
    this.open = resolve;
    this.server = createServer((socket) => this.welcome(socket));
  }

  async close(): Promise<void> {
    this.server.close();
    const attended = [...this.guests.values()];
    for (const socket of this.guests.keys()) socket.destroy();
    await Promise.all(attended);
  }

  private welcome(socket: Socket): void {
    // Whatever goes wrong with one guest ends that guest, by the end of its frames.
    socket.on('error', () => undefined);
    const gone = new Promise<undefined>((resolve) => {
      socket.once('close', () => resolve(undefined));
    });
    const attended = Promise.race([this.offer, gone])
      .then((offer) => (offer === undefined ? undefined : attend(socket, offer, this.limit)))
      .catch(() => undefined)
      .finally(() => {
        socket.destroy();
        this.guests.delete(socket);
      });
    this.guests.set(socket, attended);
  }
}

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((keep) => {
    resolve = keep;
  });
  return { promise, resolve };
}

/** Until the guest goes. */
async function attend(socket: Socket, { engine, schema }: Offer, limit: number): Promise<void> {
  const hello: Hello = { protocol, schema, pid: process.pid };
  await send(socket, hello);
  const guest = new Guest(engine);
  let silence: NodeJS.Timeout | undefined;
  try {
    for await (const frame of frames(socket)) {
      clearTimeout(silence);
      const reply = await guest.answer(requestSchema.parse(frame));
      if (guest.inTransaction) silence = setTimeout(() => socket.destroy(), limit);
      await send(socket, reply).catch((error: unknown) => send(socket, faultReply(error)));
    }
  } finally {
    clearTimeout(silence);
    await guest.leave();
  }
}

/** One connection of another process, and the transaction it may be in. */
class Guest {
  private readonly engine: Engine;
  private transaction: Transaction | undefined;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  get inTransaction(): boolean {
    return this.transaction !== undefined;
  }

  async answer(request: Request): Promise<Reply> {
    try {
      return await this.carriedOut(request);
    } catch (error) {
      return faultReply(error);
    }
  }

  async leave(): Promise<void> {
    await this.ended()?.rollback();
  }

  private async carriedOut(request: Request): Promise<Reply> {
    const session = this.transaction ?? this.engine;
    switch (request.op) {
      case 'query': {
        const { rows, affectedRows } = await session.query(request.sql, request.parameters);
        return { kind: 'answer', rows, ...(affectedRows === undefined ? {} : { affectedRows }) };
      }
      case 'script':
        await session.script(request.sql);
        break;
      case 'begin':
        if (this.transaction !== undefined) throw new Error('a transaction has begun already');
        this.transaction = await this.engine.begin();
        break;
      case 'commit':
        await this.ended()?.commit();
        break;
      case 'rollback':
        await this.ended()?.rollback();
        break;
    }
    return { kind: 'answer', rows: [] };
  }

  private ended(): Transaction | undefined {
    const transaction = this.transaction;
    this.transaction = undefined;
    return transaction;
  }
}
