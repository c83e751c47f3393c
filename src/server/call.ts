/** One request as the routes see it. */
import { isIPv6 } from 'node:net';
import type { Context } from 'hono';
import type { z } from 'zod';
import type { Annotator } from '../label/queue/types.ts';
import type { Bindings } from './app.ts';
import { type Call, Refusal, type SignedIn } from './types.ts';

export interface CallFacts {
  session: SignedIn | null;
  host: string;
  /** In bytes. */
  maxBody: number;
  forwarded: boolean;
}

export class HonoCall implements Call {
  readonly session: SignedIn | null;
  readonly host: string;
  private readonly c: Context<Bindings>;
  private readonly maxBody: number;
  private readonly forwarded: boolean;

  constructor(c: Context<Bindings>, { session, host, maxBody, forwarded }: CallFacts) {
    this.c = c;
    this.session = session;
    this.host = host;
    this.maxBody = maxBody;
    this.forwarded = forwarded;
  }

  /** Refusal (413) where the request says itself that its body is too long. */
  refuseLong(): void {
    if (Number(this.c.req.header('content-length') ?? 0) > this.maxBody) throw this.tooLong();
  }

  get user(): Annotator {
    if (this.session === null) throw new Refusal(401, 'Sign in first.');
    return this.session.user;
  }

  get signal(): AbortSignal {
    return this.c.req.raw.signal;
  }

  get address(): string {
    const direct = this.c.env.incoming.socket.remoteAddress ?? '';
    if (!this.forwarded) return network(direct);
    // What stands before the last entry was written by the caller.
    const last = this.c.req.header('x-forwarded-for')?.split(',').at(-1)?.trim();
    return network(last === undefined || last === '' ? direct : last.slice(0, 64));
  }

  param(name: string): string {
    const value = this.c.req.param(name) ?? '';
    refuseBrokenText(value);
    return value;
  }

  query<T>(schema: z.ZodType<T>): T {
    const { searchParams } = new URL(this.c.req.url);
    const query = parsed(schema, Object.fromEntries(searchParams), 'query');
    refuseBrokenText(query);
    return query;
  }

  async body<T>(schema: z.ZodType<T>): Promise<T> {
    const type = this.c.req.header('content-type')?.split(';')[0].trim().toLowerCase();
    if (type !== 'application/json') {
      throw new Refusal(415, 'The body must be JSON (content-type: application/json).');
    }
    const text = await this.text();
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new Refusal(400, 'The body is no JSON.', { cause: error });
    }
    const body = parsed(schema, value, 'body');
    refuseBrokenText(body);
    return body;
  }

  async text(): Promise<string> {
    const parts: Uint8Array[] = [];
    let size = 0;
    const reader = this.c.req.raw.body?.getReader();
    for (;;) {
      const part = (await reader?.read())?.value;
      if (part === undefined) break;
      size += part.byteLength;
      if (size > this.maxBody) throw this.tooLong();
      parts.push(part);
    }
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
    } catch (error) {
      throw new Refusal(400, 'The body is no UTF-8.', { cause: error });
    }
  }

  private tooLong(): Refusal {
    return new Refusal(413, `The request is longer than ${this.maxBody} bytes.`);
  }
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue.path.map(String).join('.');
  throw new Refusal(
    400,
    `The ${what} does not fit${where === '' ? '' : ` at ${where}`}: ${issue.message}.`,
  );
}

/** The database has no place for U+0000, and half a character is no text. What was parsed is as deep as its schema. */
function refuseBrokenText(value: unknown): void {
  if (typeof value === 'string') {
    if (value.includes('\u0000') || /\p{Surrogate}/u.test(value)) {
      throw new Refusal(400, 'A text holds the character U+0000 or half a character.');
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) refuseBrokenText(inner);
  }
}

/** The address as limits count it: of IPv6 the network, since one line has 2^64 addresses. */
function network(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head, tail] = plain.replace(/%.*$/, '').split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  return `${[...front, ...zeros, ...back].slice(0, 4).join(':')}::/64`;
}
