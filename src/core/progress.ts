/**
 * How a long job tells what it does, and how it is asked to stop.
 *
 * A job gets a `Progress` as a parameter and reports units done; whether that becomes a redrawn line, plain
 * lines, JSON or nothing is decided once, at the edge. Knows nothing of any particular job.
 */
import { Interrupted } from './errors.ts';
import { formatBytes, formatDuration, formatNumber, MovingRate } from './rates.ts';

export type Extra = Readonly<Record<string, number | string>>;

export interface Progress {
  /** Begins a job of `total` units (undefined: unknown), named as people say it: start('trace', 2000, 'prompts'). */
  start(label: string, total: number | undefined, unit: string): void;
  /** `done` units so far, from the start (a resumed job begins with what was done before). */
  update(done: number, extra?: Extra): void;
  /** Ends the job with one sentence. Every started job is finished or abandoned by the next start. */
  finish(summary: string): void;
}

/** What a progress line is made of; the JSON form writes these keys in snake_case. */
export interface Snapshot {
  label: string;
  unit: string;
  done: number;
  total: number | undefined;
  /** Units per second over the last stretch; undefined while there is too little to go by. */
  rate: number | undefined;
  /** Seconds left at that rate; undefined while estimating or without a total. */
  secondsLeft: number | undefined;
  elapsed: number;
  /** Resident memory of this process, bytes. */
  memory: number;
  /** Processor use since the start of the job, in cores. */
  cores: number;
  extra: Extra;
}

export type ProgressMode = 'terminal' | 'lines' | 'json' | 'silent';

export interface ProgressOptions {
  mode: ProgressMode;
  /** Takes whole chunks of text, line ends and redraw codes included. */
  write: (text: string) => void;
  /** Width of the terminal, in characters. */
  columns?: () => number;
  /** Seconds, from any origin. */
  clock?: () => number;
  usage?: () => { memory: number; cpuSeconds: number };
}

/** The progress of one process; jobs follow one another, they do not nest. */
export function createProgress(options: ProgressOptions): Progress {
  if (options.mode === 'silent') return silent;
  return new Reporter(options);
}

export const silent: Progress = { start() {}, update() {}, finish() {} };

class Reporter implements Progress {
  private readonly options: Required<ProgressOptions>;
  private job: Job | undefined;
  private lastShown = 0;

  constructor(options: ProgressOptions) {
    this.options = { columns: () => 100, clock: monotonic, usage: processUsage, ...options };
  }

  start(label: string, total: number | undefined, unit: string): void {
    const now = this.options.clock();
    const cpuStart = this.options.usage().cpuSeconds;
    this.job = {
      label,
      total,
      unit,
      begun: now,
      cpuStart,
      rate: new MovingRate(),
      done: 0,
      extra: {},
    };
    this.lastShown = now;
    if (this.options.mode === 'json') this.json('start', this.snapshot(this.job, now));
    else this.draw(total === undefined ? label : `${label}: ${formatNumber(total)} ${unit}`);
  }

  update(done: number, extra: Extra = {}): void {
    const job = this.job;
    if (job === undefined) return;
    const now = this.options.clock();
    job.done = done;
    job.extra = extra;
    job.rate.add(now, done);
    if (now - this.lastShown < this.interval(now - job.begun)) return;
    this.lastShown = now;
    const snapshot = this.snapshot(job, now);
    if (this.options.mode === 'json') this.json('progress', snapshot);
    else this.draw(progressLine(snapshot));
  }

  finish(summary: string): void {
    const job = this.job;
    if (job === undefined) return;
    const now = this.options.clock();
    const snapshot = this.snapshot(job, now);
    this.job = undefined;
    if (this.options.mode === 'json') {
      this.json('finish', snapshot, { summary });
      return;
    }
    const line = `${job.label}: ${summary} (${formatDuration(snapshot.elapsed)})`;
    this.options.write(this.options.mode === 'terminal' ? `\r${line}\u001b[K\n` : `${line}\n`);
  }

  /** Seconds between two shown states: quick on a terminal; a log of a long job grows by lines, not by pages. */
  private interval(elapsed: number): number {
    if (this.options.mode === 'terminal') return 0.1;
    if (this.options.mode === 'json') return 1;
    return Math.max(10, elapsed / 20);
  }

  private draw(line: string): void {
    if (this.options.mode === 'terminal') {
      // A line as wide as the terminal would wrap, and a wrapped line cannot be redrawn.
      this.options.write(`\r${line.slice(0, this.options.columns() - 1)}\u001b[K`);
    } else this.options.write(`${line}\n`);
  }

  private json(event: string, at: Snapshot, more: Extra = {}): void {
    const line = {
      event,
      label: at.label,
      unit: at.unit,
      done: at.done,
      total: at.total ?? null,
      rate: at.rate ?? null,
      seconds_left: at.secondsLeft ?? null,
      seconds: at.elapsed,
      memory_bytes: at.memory,
      cores: at.cores,
      ...at.extra,
      ...more,
    };
    this.options.write(`${JSON.stringify(line)}\n`);
  }

  private snapshot(job: Job, now: number): Snapshot {
    const elapsed = now - job.begun;
    const usage = this.options.usage();
    const rate = job.rate.value();
    const left =
      job.total === undefined || rate === undefined ? undefined : (job.total - job.done) / rate;
    return {
      label: job.label,
      unit: job.unit,
      done: job.done,
      total: job.total,
      rate,
      secondsLeft: left === undefined ? undefined : Math.max(0, left),
      elapsed,
      memory: usage.memory,
      cores: elapsed > 0 ? (usage.cpuSeconds - job.cpuStart) / elapsed : 0,
      extra: job.extra,
    };
  }
}

interface Job {
  label: string;
  total: number | undefined;
  unit: string;
  begun: number;
  cpuStart: number;
  rate: MovingRate;
  done: number;
  extra: Extra;
}

/** One line for people: `trace 120/2,000 prompts, 14.2/s, 2 min 12 s left, 1.9 cores, 812 MB, loss 0.41`. */
function progressLine(at: Snapshot): string {
  const counted =
    at.total === undefined
      ? formatNumber(at.done)
      : `${formatNumber(at.done)}/${formatNumber(at.total)}`;
  const parts = [`${at.label} ${counted} ${at.unit}`];
  if (at.rate !== undefined) parts.push(rateText(at.rate, at.unit));
  if (at.secondsLeft !== undefined) parts.push(`${formatDuration(at.secondsLeft)} left`);
  else if (at.total !== undefined) parts.push('estimating');
  for (const [name, value] of Object.entries(at.extra)) {
    parts.push(`${name} ${typeof value === 'number' ? formatNumber(value) : value}`);
  }
  parts.push(`${at.cores.toFixed(1)} cores`, formatBytes(at.memory));
  return parts.join(', ');
}

/** A slow rate reads better upside down: `8.3 s each` rather than `0.12/s`. */
function rateText(rate: number, unit: string): string {
  if (rate >= 0.5 || rate === 0) return `${formatNumber(rate)}/s`;
  return `${formatDuration(1 / rate)} per ${unit.replace(/s$/, '')}`;
}

function monotonic(): number {
  return performance.now() / 1000;
}

function processUsage(): { memory: number; cpuSeconds: number } {
  const { user, system } = process.cpuUsage();
  return { memory: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 };
}

export interface Stop {
  /** Aborted at the first SIGINT or SIGTERM. */
  signal: AbortSignal;
  /** Takes the handlers off again. */
  dispose(): void;
}

/**
 * Listens for SIGINT and SIGTERM. The first asks for a stop at the next safe point (the signal aborts, and
 * `notify` gets a sentence for the person); the second ends the process at once with 128 + the signal's
 * number: everything on disk is whole, only work since the last safe point is lost.
 */
export function stopSignal(notify: (sentence: string) => void): Stop {
  const controller = new AbortController();
  const handler = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(name === 'SIGTERM' ? 143 : 130);
    controller.abort();
    notify('Stopping at the next safe point; once more stops at once.');
  };
  process.on('SIGINT', handler);
  process.on('SIGTERM', handler);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGINT', handler);
      process.off('SIGTERM', handler);
    },
  };
}

/** Call at safe points: throws Interrupted when a stop was asked for. `what` names the job: "The training run". */
export function stopHere(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted === true) throw new Interrupted(what);
}
