/**
 * The other end of a shared workspace: an engine whose statements run in the process that owns it.
 *
 * A connection that is lost between two statements is made anew, so that the owner can be started again
 * without ending everybody else; what was under way when it was lost has failed.
 * Knows nothing of tables.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { UserError } from '../core/errors.ts';
import type { Answer, Connection, Engine } from './dialect.ts';
import { sharedSocket } from './share-place.ts';
import {
  errorOf,
  frames,
  helloSchema,
  protocol,
  type Reply,
  type Request,
  replySchema,
  send,
} from './share-wire.ts';
import { inTurns } from './turns.ts';

/** Milliseconds that an owner may take to open its database. */
const helloLimit = 120_000;
/** Milliseconds to look for an owner that was there before. */
const returnLimit = 15_000;

/**
 * The database of `workspace` through the process that owns and shares it; undefined where nobody shares it.
 * UserError when that process is of another version (its newest migration is not `schema`), or does not answer.
 */
export async function joinShare(
  workspace: string,
  schema: number,
  limit = returnLimit,
): Promise<Engine | undefined> {
  let link = await linkTo(workspace, schema);
  if (link === undefined) return undefined;
  let closed = false;
  const live = async (): Promise<Link> => {
    const deadline = performance.now() + limit;
    while (link === undefined || link.isBroken) {
      if (closed) throw new Error('the store is closed');
      link = await linkTo(workspace, schema);
      if (link !== undefined) break;
      if (performance.now() > deadline) throw lost(workspace);
      await pause(100);
    }
    return link;
  };
  return inTurns(live, async () => {
    closed = true;
    await link?.close();
  });
}

async function linkTo(workspace: string, schema: number): Promise<Link | undefined> {
  const path = sharedSocket(workspace);
  if (path === undefined) return undefined;
  const socket = connect(path);
  try {
    await once(socket, 'connect');
  } catch {
    // The owner has ended between our look and our call.
    return undefined;
  }
  return await Link.opened(socket, workspace, schema);
}

function lost(workspace: string): UserError {
  return new UserError({
    wanted: 'the process that shares the workspace',
    found: 'the connection to it ended',
    where: workspace,
    fix: 'Give the same command again: everything acknowledged so far is kept.',
  });
}

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

class Link implements Connection {
  private readonly socket: Socket;
  private readonly workspace: string;
  private readonly waiting: Waiting[] = [];
  private broken = false;

  private constructor(socket: Socket, workspace: string) {
    this.socket = socket;
    this.workspace = workspace;
  }

  /** Waits for the owner's first word; undefined where it ends instead of saying it. */
  static async opened(
    socket: Socket,
    workspace: string,
    schema: number,
  ): Promise<Link | undefined> {
    socket.on('error', () => undefined);
    const incoming = frames(socket);
    const late = setTimeout(() => socket.destroy(new Error('no answer')), helloLimit);
    try {
      const first = await incoming.next();
      if (first.done === true) return undefined;
      requireSame(helloSchema.parse(first.value), schema, workspace);
    } catch (error) {
      socket.destroy();
      if (error instanceof UserError) throw error;
      throw silent(workspace, error);
    } finally {
      clearTimeout(late);
    }
    const link = new Link(socket, workspace);
    void link.listen(incoming);
    return link;
  }

  get isBroken(): boolean {
    return this.broken;
  }

  async query(sql: string, parameters: readonly unknown[]): Promise<Answer> {
    const { rows, affectedRows } = await this.asked({
      ...{ op: 'query', sql },
      parameters: [...parameters],
    });
    return { rows, ...(affectedRows === undefined ? {} : { affectedRows }) };
  }

  async script(sql: string): Promise<void> {
    await this.asked({ op: 'script', sql });
  }

  async command(op: 'begin' | 'commit' | 'rollback'): Promise<void> {
    await this.asked({ op });
  }

  async close(): Promise<void> {
    if (this.socket.closed) return;
    const gone = once(this.socket, 'close');
    this.socket.destroy();
    await gone;
  }

  private async asked(request: Request): Promise<Extract<Reply, { kind: 'answer' }>> {
    if (this.broken) throw lost(this.workspace);
    const reply = await new Promise<Reply>((resolve, reject) => {
      const mine = { resolve, reject };
      this.waiting.push(mine);
      send(this.socket, request).catch((error: Error) => {
        this.waiting.splice(this.waiting.indexOf(mine), 1);
        reject(error);
      });
    });
    if (reply.kind === 'fault') throw errorOf(reply);
    return reply;
  }

  private async listen(incoming: AsyncGenerator<unknown>): Promise<void> {
    try {
      for await (const frame of incoming) {
        this.waiting.shift()?.resolve(replySchema.parse(frame));
      }
    } catch {
      // It ends here as it does without an error: nothing more can come.
    }
    this.broken = true;
    this.socket.destroy();
    for (const { reject } of this.waiting.splice(0)) reject(lost(this.workspace));
  }
}

function requireSame(
  hello: { protocol: number; schema: number; pid: number },
  schema: number,
  workspace: string,
): void {
  if (hello.protocol === protocol && hello.schema === schema) return;
  throw new UserError({
    wanted: `the process that shares the workspace to be of this version of pivottrace (schema ${schema})`,
    found: `another one (schema ${hello.schema}, process ${hello.pid})`,
    where: workspace,
    fix: 'Use one version for all, or stop that process first.',
  });
}

function silent(workspace: string, cause: unknown): UserError {
  return new UserError(
    {
      wanted: 'an answer from the process that shares the workspace',
      found: 'none',
      where: workspace,
      fix: 'Stop that process (`pivottrace env` names it) and try again.',
    },
    { cause },
  );
}
