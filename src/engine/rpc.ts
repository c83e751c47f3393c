/**
 * Calls into worker threads: `session.run` blocks the thread it is called on, so models live in threads of
 * their own and the main thread stays free for people and files. Knows nothing of what the methods do.
 */
import { parentPort, type Worker } from 'node:worker_threads';
import { z } from 'zod';
import { type Complaint, UserError } from '../core/errors.ts';
import { startWorker } from './worker-thread.ts';

/** Tells the caller how far a method is; what the numbers mean is the method's affair. */
export type Report = (...values: number[]) => void;
/** A method takes one cloneable value and gives one. */
export type Method = (argument: never, report: Report) => Promise<unknown>;
export type Methods = Record<string, Method>;

type Argument<M extends Method> = Parameters<M>[0];
type Result<M extends Method> = Awaited<ReturnType<M>>;

interface Request {
  id: number;
  method: string;
  argument: unknown;
}

type Reply =
  | { id: number; kind: 'value'; value: unknown }
  | { id: number; kind: 'report'; values: number[] }
  | {
      id: number;
      kind: 'error';
      message: string;
      stack: string | undefined;
      complaint?: Complaint;
    };

/** Answers calls in a worker thread, one after the other. */
export function serve(methods: Methods): void {
  const port = parentPort;
  if (port === null) throw new Error('serve() is for worker threads');
  const reply = (message: Reply) => port.postMessage(message);
  let last: Promise<void> = Promise.resolve();
  const answer = async ({ id, method, argument }: Request): Promise<void> => {
    try {
      const report: Report = (...values) => reply({ id, kind: 'report', values });
      const value = await methods[method](argument as never, report);
      reply({ id, kind: 'value', value });
    } catch (error) {
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      const complaint = error instanceof UserError ? error.complaint : undefined;
      reply({ id, kind: 'error', message, stack, complaint });
    }
  };
  port.on('message', (request: Request) => {
    last = last.then(() => answer(request));
  });
}

const complaintSchema = z.object({
  complaint: z.object({
    wanted: z.string(),
    found: z.string(),
    where: z.string().optional(),
    fix: z.string().optional(),
  }),
});

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
  report: Report;
}

/** The main thread's end of a worker that serves `M`. */
export class Remote<M extends Methods> {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private counter = 0;
  private broken: Error | undefined;

  constructor(moduleUrl: URL, workerData: unknown) {
    this.worker = startWorker(moduleUrl, workerData);
    this.worker.on('message', (reply: Reply) => this.settle(reply));
    this.worker.on('error', (error) => this.fail(asThrown(error)));
    this.worker.on('exit', (code) =>
      this.fail(new Error(`the worker thread ended with code ${code}`)),
    );
  }

  /** Calls a method. Rejects with what it throws; a UserError arrives as one. */
  async call<K extends keyof M & string>(
    method: K,
    argument: Argument<M[K]>,
    report: Report = () => {},
  ): Promise<Result<M[K]>> {
    if (this.broken !== undefined) throw this.broken;
    const id = this.counter++;
    const request: Request = { id, method, argument };
    // First, since it throws when the argument cannot be cloned: nothing may be left pending then.
    this.worker.postMessage(request);
    const value = new Promise<unknown>((resolve, reject) => {
      this.pending.set(id, { resolve, reject, report });
    });
    return (await value) as Result<M[K]>;
  }

  /** Ends the thread; calls that are under way reject. */
  async close(): Promise<void> {
    this.broken = new Error('the worker thread was closed');
    await this.worker.terminate();
  }

  private settle(reply: Reply): void {
    const pending = this.pending.get(reply.id);
    if (pending === undefined) return;
    if (reply.kind === 'report') {
      pending.report(...reply.values);
      return;
    }
    this.pending.delete(reply.id);
    if (reply.kind === 'value') {
      pending.resolve(reply.value);
    } else if (reply.complaint !== undefined) {
      pending.reject(new UserError(reply.complaint));
    } else {
      const error = new Error(reply.message);
      error.stack = reply.stack;
      pending.reject(error);
    }
  }

  private fail(error: Error): void {
    this.broken ??= error;
    for (const { reject } of this.pending.values()) reject(this.broken);
    this.pending.clear();
  }
}

/** An error that ended the thread: a UserError loses its class on the way, not what it says. */
function asThrown(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const parsed = complaintSchema.safeParse(error);
  return parsed.success ? new UserError(parsed.data.complaint) : error;
}
