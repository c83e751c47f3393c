/**
 * What a route is: its place, who may call it, and what it answers.
 *
 * A route file exports `routes: Routes`; app.ts puts the guards in front of all of them (session, role, origin, CSRF
 * token, limits), so that a handler sees only requests that are allowed. Knows nothing of hono.
 */
import type { z } from 'zod';
import type { Annotator, Queue, Role } from '../label/queue/types.ts';
import type { Store } from '../store/types.ts';
import type { Verifiers } from '../verify/verifiers.ts';
import type { LiveEvent } from './wire.ts';

/** Least role that may call a route; 'anyone' is also who is not signed in. */
export type Access = Role | 'anyone';

export interface RouteEntry {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Begins with /api/; `:name` is a parameter: '/api/traces/:prompt/:sample'. */
  path: string;
  access: Access;
  /** Longest body that is taken, in bytes. Default 64 KiB. */
  maxBody?: number;
  /**
   * Answers with a JSON value, which is sent with status 200 (204 for undefined), or with a Response of its own
   * (a download). Throw `Refusal` for what is the caller's fault; UserError becomes 409, anything else 500.
   * A GET must change nothing.
   */
  handle(call: Call): unknown;
}

/** What every route file exports under the name `routes`. */
export type Routes = (context: ServerContext) => RouteEntry[];

/** One request that has passed the guards. */
export interface Call {
  /** Who asks. Throws a Refusal (401) where nobody is signed in, which only routes for anyone can meet. */
  readonly user: Annotator;
  /** null where nobody is signed in. */
  readonly session: SignedIn | null;
  /** The value of `:name` in the path, decoded; '' where there is none. */
  param(name: string): string;
  /** The query (`?a=b`; the last of equal names), parsed. Refusal (400) where it does not fit. */
  query<T>(schema: z.ZodType<T>): T;
  /** The JSON body, parsed. Refusal (400) where it does not fit, 413 where it is too long. */
  body<T>(schema: z.ZodType<T>): Promise<T>;
  /** The body as text, for files that are uploaded. Refusal 400 where it is no UTF-8, 413 where it is too long. */
  text(): Promise<string>;
  /** Name and port under which the server was called; one of its own. */
  readonly host: string;
  /** Address that the request came from, as far as the server knows it. */
  readonly address: string;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
}

export interface SignedIn {
  user: Annotator;
  /** Names the session without opening it. */
  id: string;
  /** What requests that change something must send as `x-csrf-token`. */
  csrf: string;
}

/** What the routes work with. */
export interface ServerContext {
  readonly store: Store;
  readonly queue: Queue;
  readonly verifiers: Pick<Verifiers, 'of'>;
  /** Absolute path. */
  readonly workspace: string;
  /** Whose labels these are. */
  readonly account: string;
  /** Name of the triage plan. */
  readonly plan: string;
  /** Directory of the model, whose tokenizer gives the text of single tokens; absent: tokens show as ids. */
  readonly model?: string | undefined;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Tells everybody who listens that something changed, at once. */
  changed(topic: LiveEvent['topic']): void;
  /** Writes the audit log: who did what to what. */
  audit(
    who: Annotator | null,
    action: string,
    subject: string,
    detail?: Record<string, string | number | boolean | null>,
  ): Promise<void>;
}

/** Statuses that a handler may refuse with. */
export type RefusalStatus = 400 | 401 | 403 | 404 | 409 | 410 | 413 | 415 | 429 | 503;

/** A request that is refused for a reason that its sender may know. */
export class Refusal extends Error {
  readonly status: RefusalStatus;
  /** `kind` of the wire's `problem`. */
  readonly kind: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: RefusalStatus,
    message: string,
    options: ErrorOptions & { kind?: string; headers?: Record<string, string> } = {},
  ) {
    super(message, options);
    this.name = 'Refusal';
    this.status = status;
    this.kind = options.kind ?? usualKind[status];
    this.headers = options.headers ?? {};
  }
}

const usualKind: Record<RefusalStatus, string> = {
  400: 'invalid',
  401: 'signed_out',
  403: 'forbidden',
  404: 'gone',
  409: 'conflict',
  410: 'gone',
  413: 'invalid',
  415: 'invalid',
  429: 'limited',
  503: 'failed',
};
