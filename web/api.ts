/**
 * Talks to the server: JSON over fetch, every answer parsed with a schema of the wire.
 *
 * What goes wrong comes back as one `ApiProblem`, also a lost connection (kind 'offline'). Who is signed in is the
 * signal `session`; a request that finds nobody signed in sets it, and the page then asks for a sign-in. Knows nothing
 * of pages.
 */
import './jitless.ts';
import { signal } from '@preact/signals';
import type * as z from 'zod';
import { csrfHeader, type Me, me, paths, problem } from '../src/server/wire.ts';

/** Why a request came to nothing. The message is for people. */
export class ApiProblem extends Error {
  /** `kind` of the wire's `problem`; 'offline' where no answer came, 'unread' where it did not fit its schema. */
  readonly kind: string;
  /** HTTP status; 0 where there is none. */
  readonly status: number;

  constructor(message: string, kind: string, status: number, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ApiProblem';
    this.kind = kind;
    this.status = status;
  }
}

/** Who is signed in; null until the server has been asked. `user` is null where nobody is. */
export const session = signal<Me | null>(null);

/** Whether somebody was signed in here whose session has ended without their doing. */
export const ended = signal(false);

/** Whether the last request got an answer, whatever it was. */
export const reached = signal(true);

/** Milliseconds by which the server's clock is ahead of this one. */
let ahead = 0;

/** The server's time, in milliseconds since 1970, as far as its answers tell (to a second). */
export function serverNow(): number {
  return Date.now() + ahead;
}

export interface RequestOptions {
  signal?: AbortSignal;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Asks for something. Throws ApiProblem, or AbortError where `options.signal` fired. */
export function get<T>(path: string, schema: z.ZodType<T>, options?: RequestOptions): Promise<T> {
  return request('GET', path, undefined, schema, options);
}

/** Changes something. Throws ApiProblem, or AbortError where `options.signal` fired. */
export function post<T>(
  path: string,
  body: unknown,
  schema: z.ZodType<T>,
  options?: RequestOptions,
): Promise<T> {
  return request('POST', path, body, schema, options);
}

/** As `post`, with another method. */
export async function request<T>(
  method: Method,
  path: string,
  body: unknown,
  schema: z.ZodType<T>,
  options: RequestOptions = {},
): Promise<T> {
  const before = session.value;
  try {
    return await once(method, path, body, schema, options);
  } catch (error) {
    if (method === 'GET' || !(error instanceof ApiProblem) || error.kind !== 'forbidden')
      throw error;
    // A sign-in in another tab changes the token of this one: ask for it and try again, for the same person only.
    const now = await loadSession();
    if (now.csrf === before?.csrf || now.user?.id !== before?.user?.id) throw error;
    return once(method, path, body, schema, options);
  }
}

/** Asks who is signed in, and remembers it. */
export async function loadSession(): Promise<Me> {
  const found = await once('GET', paths.me, undefined, me, {});
  session.value = found;
  return found;
}

/** Looks whether the server can be reached and whether one is still signed in; tells by `reached` and `ended`. */
export async function checkSession(): Promise<void> {
  const before = session.value;
  try {
    const now = await once('GET', paths.me, undefined, me, {});
    if (JSON.stringify(now) === JSON.stringify(before)) return;
    ended.value = before?.user != null && now.user === null;
    session.value = now;
  } catch {
    // `reached` says it.
  }
}

async function once<T>(
  method: Method,
  path: string,
  body: unknown,
  schema: z.ZodType<T>,
  options: RequestOptions,
): Promise<T> {
  const response = await send(method, path, body, options);
  reached.value = true;
  const date = Date.parse(response.headers.get('date') ?? '');
  // The header counts whole seconds: half of one is its mean error.
  if (Number.isFinite(date) && Math.abs(date + 500 - serverNow()) > 1_500)
    ahead = date + 500 - Date.now();
  const value = await bodyOf(response);
  if (!response.ok) throw refused(response.status, value);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ApiProblem(
    `The server's answer to ${path} does not have the expected form. Reload the page: it may be older than the server.`,
    'unread',
    response.status,
    { cause: parsed.error },
  );
}

async function send(
  method: Method,
  path: string,
  body: unknown,
  options: RequestOptions,
): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  const csrf = session.value?.csrf;
  if (method !== 'GET' && csrf) headers[csrfHeader] = csrf;
  if (body !== undefined) headers['content-type'] = 'application/json';
  try {
    return await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    reached.value = false;
    throw new ApiProblem('The server cannot be reached.', 'offline', 0, { cause: error });
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function refused(status: number, value: unknown): ApiProblem {
  const told = problem.safeParse(value);
  const kind = told.success ? told.data.kind : 'failed';
  if (status === 401 && session.value?.user) {
    ended.value = true;
    session.value = { ...session.value, user: null, csrf: null };
  }
  const message = told.success ? told.data.message : `The server answered with status ${status}.`;
  return new ApiProblem(message, kind, status);
}

/** What to tell people about an error of a request. */
export function said(error: unknown): string {
  return error instanceof ApiProblem ? error.message : 'Something in this page went wrong.';
}
