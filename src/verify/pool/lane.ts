// One worker thread as its pool sees it: what was sent to it, what it is at, how it ended. Decides nothing: the pool
// does.
import { UserError } from '../../core/errors.ts';
import { startWorker } from '../../engine/worker-thread.ts';
import type { Verdict } from '../types.ts';
import {
  type FromWorker,
  Heartbeat,
  type Method,
  type Orders,
  type Request,
  type Results,
  type ToWorker,
} from './protocol.ts';

/** A request that somebody waits for. */
export interface Task {
  method: Method;
  first: string;
  second: string;
  settle(outcome: Outcome): void;
}

/** What came of a task: what the judge gave, or the verdict where it gave nothing. */
export type Outcome = { value: Results[Method] } | { failure: Verdict };

export interface LaneSettings extends Omit<Orders, 'heartbeat'> {
  /** Heap of the thread, in MiB. */
  memoryMb: number;
}

/** What a lane tells its pool. After `ended` it says nothing more. */
export interface LaneEvents {
  ready(): void;
  done(task: Task, outcome: Outcome | 'late'): void;
  /** `at` is the task that the thread was at, `rest` those that it was yet to answer. */
  ended(end: LaneEnd): void;
}

export interface LaneEnd {
  why: 'refused' | 'memory' | 'crash';
  error: Error;
  at: Task | undefined;
  rest: Task[];
}

/** Enough for the deepest recursion that the bounds of an answer allow; beyond it a RangeError is thrown and caught. */
const stackSizeMb = 4;

/**
 * Size of the young generation, in MiB. When a thread meets its limit, Node lets the collection that is under way have 16 MiB
 * more and then ends the thread; a larger young generation (the default of Node 24) may need more than that, and V8 ends the
 * whole process instead.
 */
const youngMb = 12;

/** How long a judge may take to end what it started, in milliseconds. */
const closingMs = 500;

export class Lane {
  isReady = false;
  /** When the thread was started, on the clock of performance.now(). */
  readonly started = performance.now();
  /** Requests that may be under way at a time; the pool turns it down where they are slow. */
  window = 1;
  /** Resolves when the thread has ended. */
  readonly gone: Promise<void>;
  private readonly worker;
  private readonly heartbeat = new Heartbeat();
  private readonly inFlight = new Map<number, Task>();
  private readonly events: LaneEvents;
  private nextSeq = 0;
  private hasEnded = false;
  private closes = false;

  constructor(settings: LaneSettings, events: LaneEvents) {
    const { module, spec, deadlineMs, memoryMb } = settings;
    this.events = events;
    const orders: Orders = { module, spec, deadlineMs, heartbeat: this.heartbeat.buffer };
    this.worker = startWorker(new URL('./worker.ts', import.meta.url), orders, {
      name: 'verify',
      resourceLimits: {
        maxYoungGenerationSizeMb: youngMb,
        maxOldGenerationSizeMb: memoryMb,
        stackSizeMb,
      },
    });
    this.worker.on('message', (message: FromWorker) => this.hear(message));
    this.worker.on('error', (error: unknown) => this.fall(error));
    this.gone = new Promise((resolve) => {
      this.worker.on('exit', (code) => {
        resolve();
        this.fall(new Error(`the thread ended with code ${code}`));
      });
    });
    // The pool's timer keeps the process alive while somebody waits; a thread alone must not. After the listeners: adding
    // one takes this back.
    this.worker.unref();
  }

  get load(): number {
    return this.inFlight.size;
  }

  /** Sends tasks, as one message. */
  send(tasks: readonly Task[]): void {
    const requests = tasks.map((task): Request => {
      const seq = this.nextSeq++;
      this.inFlight.set(seq, task);
      return { seq, method: task.method, first: task.first, second: task.second };
    });
    this.post(requests);
  }

  /** Takes back the tasks that the thread has not begun. */
  revoke(): Task[] {
    const first = this.heartbeat.revoke(this.nextSeq);
    const back: Task[] = [];
    for (const [seq, task] of this.inFlight) {
      if (seq < first) continue;
      back.push(task);
      this.inFlight.delete(seq);
    }
    return back;
  }

  /** The task that the thread is at, and since when. */
  running(): { task: Task; ms: number; awaiting: boolean } | undefined {
    const at = this.heartbeat.running();
    const task = at === undefined ? undefined : this.inFlight.get(at.seq);
    return at === undefined || task === undefined ? undefined : { ...at, task };
  }

  /**
   * Gives the thread up: nothing more is heard of it. A judge that has something of its own to end gets a moment for
   * that, unless the thread cannot hear. Returns the tasks that were not answered.
   */
  abandon(): Task[] {
    this.hasEnded = true;
    const tasks = [...this.inFlight.values()];
    const at = this.heartbeat.running();
    this.heartbeat.revoke(this.nextSeq);
    this.inFlight.clear();
    void this.end(at === undefined || at.awaiting);
    return tasks;
  }

  /** Ends the thread as one that has failed. */
  fail(error: Error): void {
    this.finish('crash', error);
  }

  private async end(hears: boolean): Promise<void> {
    if (!this.closes || !hears) {
      await this.worker.terminate();
      return;
    }
    this.post('close');
    const patience = setTimeout(() => void this.worker.terminate(), closingMs);
    await this.gone;
    clearTimeout(patience);
  }

  private post(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  private hear(message: FromWorker): void {
    if (this.hasEnded) return;
    if (message.kind === 'ready') {
      this.isReady = true;
      this.closes = message.closes;
      this.events.ready();
      return;
    }
    if (message.kind === 'refused') {
      const { complaint } = message;
      this.finish(
        'refused',
        complaint === undefined ? new Error(message.message) : new UserError(complaint),
      );
      return;
    }
    const task = this.inFlight.get(message.seq);
    if (task === undefined) return;
    this.inFlight.delete(message.seq);
    if (message.kind === 'late') this.events.done(task, 'late');
    else if (message.kind === 'value') this.events.done(task, { value: message.value });
    else this.events.done(task, { failure: message.verdict });
  }

  private fall(error: unknown): void {
    const isError = error instanceof Error;
    const hasNoMemory = isError && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const why = hasNoMemory ? 'memory' : 'crash';
    this.finish(why, isError ? error : new Error('something that is no error was thrown'));
  }

  private finish(why: LaneEnd['why'], error: Error): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    const at = this.running()?.task;
    const rest = [...this.inFlight.values()].filter((task) => task !== at);
    this.inFlight.clear();
    void this.worker.terminate();
    this.events.ended({ why, error, at, rest });
  }
}
