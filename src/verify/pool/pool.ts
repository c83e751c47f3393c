// A pool of worker threads that answer tasks within a deadline. A task that hangs, fills the memory or ends its thread
// costs itself and nothing else: its thread is replaced and what was queued behind it goes on elsewhere. Knows nothing
// of what is asked.
import { UserError } from '../../core/errors.ts';
import { Lane, type LaneEnd, type LaneSettings, type Outcome, type Task } from './lane.ts';
import type { Method } from './protocol.ts';

export interface PoolSettings extends LaneSettings {
  /** Threads; each is started when there is more work than those there are have done within a tick. */
  workers: number;
}

/** How often the threads are looked at while somebody waits, in milliseconds: a deadline is kept to within two ticks. */
const tickMs = 20;

/** Tasks that are under way in one thread: enough that it never waits for the next message. */
const widest = 64;

/** UTF-16 units that are under way in one thread, beyond its first task. */
const mostChars = 4_000_000;

/** A thread that is not ready after this has failed to start, in milliseconds: warming up loads modules. */
const startingMs = 60_000;

/** Ticks of steady work after which another thread is worth its start. */
const busyEnough = 5;

/** Starts that may fail in a row, or threads that may end without a task to blame, before those who wait are told. */
const mostFailures = 3;

export class Pool {
  private readonly settings: PoolSettings;
  private readonly lanes = new Set<Lane>();
  private queue: Task[] = [];
  private waiting = 0;
  private failures = 0;
  private busyTicks = 0;
  private isScheduled = false;
  private isClosed = false;
  private timer: NodeJS.Timeout | undefined;
  /** Threads that were given up and are yet to end. */
  private readonly leaving = new Set<Promise<void>>();

  constructor(settings: PoolSettings) {
    this.settings = settings;
  }

  /** Starts the first thread and waits until it is warm. UserError where it cannot start. */
  async open(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.hold(1);
      const settle = (error?: Error) => {
        this.hold(-1);
        if (error === undefined) resolve();
        else reject(error);
      };
      this.start(settle);
    });
  }

  /**
   * What the judge gives for one task; never rejects. Tasks of one tick are sent together. The deadline counts from
   * when a thread takes the task.
   */
  run(method: Method, first: string, second = ''): Promise<Outcome> {
    if (this.isClosed) return Promise.reject(new Error('the verifier was closed'));
    return new Promise((resolve) => {
      const settle = (outcome: Outcome) => {
        this.hold(-1);
        resolve(outcome);
      };
      this.hold(1);
      this.queue.push({ method, first, second, settle });
      if (this.isScheduled) return;
      this.isScheduled = true;
      queueMicrotask(() => this.dispatch());
    });
  }

  /** Ends all threads; whoever waits is told so. Twice is once. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const lane of this.lanes) this.queue.push(...this.abandon(lane));
    this.giveUp('closed', 'the verifier was closed');
    await Promise.all(this.leaving);
  }

  /** Sends out what is queued, evenly, as far as the threads have room. */
  private dispatch(): void {
    this.isScheduled = false;
    if (this.isClosed || this.queue.length === 0) return;
    if (this.lanes.size === 0) this.start();
    const ready = [...this.lanes].filter((lane) => lane.isReady).sort((a, b) => a.load - b.load);
    for (const [i, lane] of ready.entries()) {
      const share = Math.ceil(this.queue.length / (ready.length - i));
      const count = Math.min(share, lane.window - lane.load);
      if (count > 0) lane.send(this.take(count));
    }
  }

  /** The next tasks of the queue, `count` of them unless they are very long. */
  private take(count: number): Task[] {
    let chars = 0;
    let taken = 0;
    for (const { first, second } of this.queue) {
      chars += first.length + second.length;
      if (taken === count || (taken > 0 && chars > mostChars)) break;
      taken++;
    }
    return this.queue.splice(0, taken);
  }

  private start(opened?: (error?: Error) => void): void {
    try {
      this.lanes.add(this.newLane(opened));
    } catch (thrown) {
      // The system has no thread to give.
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (opened !== undefined) opened(asUserError(error));
      else this.recover({ why: 'crash', error, at: undefined, rest: [] });
    }
  }

  private newLane(opened?: (error?: Error) => void): Lane {
    const lane: Lane = new Lane(this.settings, {
      ready: () => {
        lane.window = widest;
        opened?.();
        this.dispatch();
      },
      done: (task, outcome) => {
        this.failures = 0;
        task.settle(outcome === 'late' ? this.overdue() : outcome);
        if (lane.load <= lane.window / 2 && this.queue.length > 0) {
          lane.window = Math.min(widest, lane.window * 2);
          this.dispatch();
        }
      },
      ended: (end) => {
        this.leave(lane);
        if (opened !== undefined && !lane.isReady) opened(asUserError(end.error));
        else this.recover(end);
      },
    });
    return lane;
  }

  /** Goes on after a thread that ended by itself. */
  private recover({ why, error, at, rest }: LaneEnd): void {
    this.queue.unshift(...rest);
    const said = error.message.slice(0, 200);
    if (at === undefined) this.failures++;
    else if (why === 'memory') {
      at.settle(undecided('memory', `it took more than ${this.settings.memoryMb} MiB of memory`));
    } else at.settle(undecided('crash', `it ended its thread: ${said}`));
    if (this.failures >= mostFailures) {
      this.failures = 0;
      this.giveUp('crash', `the verifier does not start: ${said}`);
    } else if (this.lanes.size === 0 && at !== undefined && !this.isClosed) this.start();
    this.dispatch();
  }

  /** Looks at every thread while somebody waits: ends what is overdue, and finds hands for what is queued. */
  private tick(): void {
    for (const lane of [...this.lanes]) this.check(lane);
    if (this.queue.length === 0) this.shareOut();
    this.hire();
    this.dispatch();
  }

  private check(lane: Lane): void {
    const at = lane.running();
    if (!lane.isReady && performance.now() - lane.started > startingMs) {
      lane.fail(new Error(`it is not ready after ${startingMs / 1000} s`));
    } else if (at !== undefined && at.ms > this.settings.deadlineMs) {
      this.queue.unshift(...this.abandon(lane).filter((task) => task !== at.task));
      at.task.settle(this.overdue());
      if (this.lanes.size === 0) this.start();
    } else if (at !== undefined && at.ms > tickMs && lane.load > 1) {
      // Those behind a slow task need not wait for it.
      this.queue.unshift(...lane.revoke());
      lane.window = 1;
    }
  }

  /** Where a thread has nothing to do, those that have more take back what they have not begun. */
  private shareOut(): void {
    if (![...this.lanes].some((lane) => lane.isReady && lane.load === 0)) return;
    for (const lane of this.lanes) if (lane.load > 2) this.queue.unshift(...lane.revoke());
  }

  /** Starts another thread where there is work for it: at once if the others may be hung. One at a time. */
  private hire(): void {
    const { deadlineMs, workers } = this.settings;
    const all = [...this.lanes];
    const able = all.filter((lane) => (lane.running()?.ms ?? 0) < Math.max(tickMs, deadlineMs / 2));
    const work = all.reduce((sum, lane) => sum + lane.load, this.queue.length);
    this.busyTicks = work > able.length ? this.busyTicks + 1 : 0;
    const isUrgent = able.length === 0 || this.busyTicks >= busyEnough;
    const hasRoom = able.length < workers && all.length < 2 * workers;
    const isStarting = all.some((lane) => !lane.isReady);
    if (work > 0 && isUrgent && hasRoom && !isStarting) this.start();
  }

  private abandon(lane: Lane): Task[] {
    const tasks = lane.abandon();
    this.leave(lane);
    return tasks;
  }

  private leave(lane: Lane): void {
    this.lanes.delete(lane);
    this.leaving.add(lane.gone);
    void lane.gone.then(() => this.leaving.delete(lane.gone));
  }

  /** Answers everything that is queued. */
  private giveUp(rung: string, reason: string): void {
    for (const task of this.queue.splice(0)) task.settle(undecided(rung, reason));
  }

  private overdue(): Outcome {
    return undecided('deadline', `it took longer than ${this.settings.deadlineMs} ms`);
  }

  /** Counts those who wait; the timer runs, and keeps the process alive, only while there are any. */
  private hold(change: 1 | -1): void {
    this.waiting += change;
    if (this.waiting > 0) this.timer ??= setInterval(() => this.tick(), tickMs);
    else {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }
}

function undecided(rung: string, reason: string): Outcome {
  return { failure: { verdict: 'undecided', reason, rung } };
}

function asUserError(error: Error): UserError {
  if (error instanceof UserError) return error;
  return new UserError(
    { wanted: 'a verifier that starts', found: error.message, where: 'verify' },
    { cause: error },
  );
}
