/**
 * What the owner of a workspace and the processes that use it through the owner say to each other: frames of
 * a length and a structured clone, one answer per request, in order.
 *
 * Both ends are processes of one user on one machine: the socket lets nobody else in. Values travel as the
 * engine gives them, dates and bytes included. Knows nothing of how statements are run.
 */
import type { Socket } from 'node:net';
import { deserialize, serialize } from 'node:v8';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';

/** Changes whenever frames do: two versions of the program that differ in it refuse each other. */
export const protocol = 1;

/** The first frame, from the owner, once its database is open. */
export const helloSchema = z.object({
  protocol: z.int(),
  /** The newest migration of the owner. */
  schema: z.int(),
  pid: z.int(),
});
export type Hello = z.infer<typeof helloSchema>;

export const requestSchema = z.discriminatedUnion('op', [
  z.object({ op: z.literal('query'), sql: z.string(), parameters: z.array(z.unknown()) }),
  z.object({ op: z.literal('script'), sql: z.string() }),
  /** What follows is in a transaction, which no other process can enter, until one of the two below. */
  z.object({ op: z.literal('begin') }),
  z.object({ op: z.literal('commit') }),
  z.object({ op: z.literal('rollback') }),
]);
export type Request = z.infer<typeof requestSchema>;

const complaintSchema = z.object({
  wanted: z.string(),
  found: z.string(),
  where: z.string().optional(),
  fix: z.string().optional(),
});

export const replySchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('answer'),
    rows: z.array(z.unknown()),
    affectedRows: z.number().optional(),
  }),
  z.object({
    kind: z.literal('fault'),
    message: z.string(),
    /** What PostgreSQL or the system calls it. */
    code: z.string().optional(),
    complaint: complaintSchema.optional(),
  }),
]);
export type Reply = z.infer<typeof replySchema>;

/** `error` as a reply, without its stack, which is the owner's affair. */
export function faultReply(error: unknown): Reply {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return {
    kind: 'fault',
    message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(error instanceof UserError ? { complaint: error.complaint } : {}),
  };
}

/** The error that the reply `fault` is about. */
export function errorOf(fault: Extract<Reply, { kind: 'fault' }>): Error {
  const { message, code, complaint } = fault;
  if (complaint !== undefined) {
    const { wanted, found, where, fix } = complaint;
    return new UserError({
      ...{ wanted, found },
      ...(where === undefined ? {} : { where }),
      ...(fix === undefined ? {} : { fix }),
    });
  }
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

const headBytes = 4;
const maxFrameBytes = 2 ** 30;

/** Sends one frame; resolves when the socket can take more. Throws, with nothing sent, for a value too large. */
export async function send(socket: Socket, value: unknown): Promise<void> {
  const body = serialize(value);
  if (body.byteLength > maxFrameBytes) throw new Error(`an answer of ${body.byteLength} bytes`);
  const head = Buffer.allocUnsafe(headBytes);
  head.writeUInt32BE(body.byteLength);
  socket.cork();
  socket.write(head);
  const isRoomy = socket.write(body);
  socket.uncork();
  if (!isRoomy && !socket.destroyed) await drained(socket);
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

/** The frames that come in, until the other end is gone. Throws where they make no sense. */
export async function* frames(socket: Socket): AsyncGenerator<unknown> {
  let parts: Buffer[] = [];
  let held = 0;
  let wanted: number | undefined;
  const take = (bytes: number): Buffer => {
    const all = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    parts = all.byteLength > bytes ? [all.subarray(bytes)] : [];
    held -= bytes;
    return all.subarray(0, bytes);
  };
  for await (const chunk of socket) {
    if (!(chunk instanceof Buffer)) throw new Error('the socket gives text');
    parts.push(chunk);
    held += chunk.byteLength;
    for (;;) {
      if (wanted === undefined) {
        if (held < headBytes) break;
        wanted = take(headBytes).readUInt32BE();
        if (wanted > maxFrameBytes) throw new Error(`a frame of ${wanted} bytes`);
      }
      if (held < wanted) break;
      const body = take(wanted);
      wanted = undefined;
      yield deserialize(body);
    }
  }
}
