/**
 * Runs the jobs of a bench side by side. What is finished is left alone, what was begun goes on, and a job that
 * fails does not stop the others.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Interrupted, UserError } from '../../../core/errors.ts';
import { makeFolders } from '../../../core/files.ts';
import { type Progress, stopHere } from '../../../core/progress.ts';
import { formatDuration } from '../../../core/rates.ts';
import { takeOwnership } from '../../../store/owner.ts';
import { type BeforeTraining, type CountBefore, rolloutsLeft } from './before.ts';
import {
  changes,
  doneVerbs,
  Inputs,
  identityOf,
  isFinished,
  type Job,
  jobSeconds,
  logTail,
  noteDone,
  openFolder,
  writeSettings,
} from './folder.ts';
import type { CellJob, Plan } from './jobs.ts';
import { writeResult } from './outcome.ts';
import { TimeLeft } from './time-left.ts';
import type { RunVerb } from './verb-process.ts';

export interface BenchRun {
  out: string;
  workers: number;
  /** Threads of every process. */
  threads: number;
  /** Run again what was run with other settings, instead of refusing. */
  redo: boolean;
  runVerb: RunVerb;
  countBefore: CountBefore;
  progress: Progress;
  note(sentence: string): void;
  stop: AbortSignal;
}

export interface Failure {
  /** The job, as in `cells/bundled/full/101`. */
  id: string;
  /** What went wrong, for a person; the end of its log among it. */
  text: string;
}

/** Runs `plan` and returns the jobs that failed. Throws Interrupted on a stop, after every child has ended. */
export async function runBench(plan: Plan, bench: BenchRun): Promise<Failure[]> {
  makeFolders(bench.out);
  const lock = takeOwnership(join(bench.out, 'owner.lock'));
  try {
    const identities = await checkedIdentities(plan, bench);
    return await new Runner(plan, bench, identities).run();
  } finally {
    lock.release();
  }
}

type Identities = ReadonlyMap<Job, unknown>;

/** Settings that changed are refused before anything runs, all at once. */
async function checkedIdentities({ shared, cells }: Plan, bench: BenchRun): Promise<Identities> {
  const inputs = new Inputs();
  const identities = new Map<Job, unknown>();
  const changed: { job: Job; found: string[] }[] = [];
  for (const job of [...shared, ...cells]) {
    const identity = await identityOf(job, inputs);
    identities.set(job, identity);
    const found = changes(job, identity);
    if (found !== null && found.length > 0) changed.push({ job, found });
  }
  if (changed.length === 0) return identities;
  if (!bench.redo) throw changedSettings(changed, bench.out);
  for (const { job } of changed) rmSync(job.folder, { recursive: true, force: true });
  bench.note(`Run again with other settings: ${changed.map(({ job }) => job.id).join(', ')}.`);
  return identities;
}

function changedSettings(changed: readonly { job: Job; found: string[] }[], out: string) {
  const shown = changed.slice(0, 4).map(({ job, found }) => `${job.id}: ${shortList(found)}`);
  const more = changed.length - shown.length;
  return new UserError({
    wanted: 'the settings that the cells were begun with',
    found: `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`,
    where: out,
    fix: 'Set them back, choose another `out`, or throw the old results away with --redo.',
  });
}

function shortList(texts: readonly string[]): string {
  const more = texts.length - 3;
  return texts.slice(0, 3).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

class Runner {
  private readonly failures: Failure[] = [];
  private readonly waiting: Job[];
  private readonly running = new Map<Job, Promise<void>>();
  private readonly ended: Set<Job>;
  private readonly failed = new Set<Job>();
  private readonly timeLeft: TimeLeft;
  private readonly cells: number;
  /** Aborted with a fault of ours: the other children end before it is passed on. */
  private readonly fault = new AbortController();
  private readonly stop: AbortSignal;
  private readonly bench: BenchRun;
  private readonly identities: Identities;

  constructor(plan: Plan, bench: BenchRun, identities: Identities) {
    this.bench = bench;
    this.identities = identities;
    const open = plan.cells.filter((cell) => !isFinished(cell));
    // A stage is needed as long as a cell is without its copy.
    const needed = new Set<Job>(
      open.flatMap((cell) =>
        cell.from === null || changes(cell, identities.get(cell)) !== null ? [] : [cell.from],
      ),
    );
    const stages = plan.shared.filter((job) => needed.has(job) && !isFinished(job));
    // Each stage right before the first cell that begins with it.
    this.waiting = [...new Set(open.flatMap((c) => [...stages.filter((s) => s === c.from), c]))];
    this.ended = new Set([...plan.shared, ...plan.cells].filter(isFinished));
    this.cells = plan.cells.length;
    this.stop = AbortSignal.any([bench.stop, this.fault.signal]);
    const past = [...this.ended].map((job) => ({ job, seconds: jobSeconds(job.folder) }));
    this.timeLeft = new TimeLeft(bench.workers, past);
  }

  async run(): Promise<Failure[]> {
    const { stop } = this;
    const { progress } = this.bench;
    progress.start('bench', undefined, 'cells');
    this.show();
    while (this.running.size > 0 || (this.waiting.length > 0 && !stop.aborted)) {
      while (!stop.aborted && this.running.size < this.bench.workers && this.startNext());
      if (this.running.size === 0) break;
      await Promise.race(this.running.values());
    }
    if (this.fault.signal.aborted) throw this.fault.signal.reason;
    if (stop.aborted) throw new Interrupted('The bench');
    progress.finish(`${this.finishedCells()} of ${this.cells} cells`);
    return this.failures;
  }

  /** Starts the first job that waits for nothing; false where there is none. */
  private startNext(): boolean {
    this.dropOrphans();
    const at = this.waiting.findIndex((job) => stageOf(job) === null || this.isReady(job));
    if (at < 0) return false;
    const [job] = this.waiting.splice(at, 1);
    this.timeLeft.begun(job);
    const work = this.perform(job).finally(() => this.running.delete(job));
    this.running.set(job, work);
    return true;
  }

  private isReady(job: Job): boolean {
    const stage = stageOf(job);
    // A cell that has its copy needs the stage no more.
    return (
      stage === null || this.ended.has(stage) || changes(job, this.identities.get(job)) !== null
    );
  }

  /** Cells whose stage failed cannot be run. */
  private dropOrphans(): void {
    for (const job of [...this.waiting]) {
      const stage = stageOf(job);
      if (stage === null || !this.failed.has(stage) || this.isReady(job)) continue;
      this.waiting.splice(this.waiting.indexOf(job), 1);
      this.failures.push({ id: job.id, text: `not run: ${stage.id} failed` });
    }
  }

  private async perform(job: Job): Promise<void> {
    const { note } = this.bench;
    try {
      await this.verbs(job);
      this.ended.add(job);
      this.timeLeft.ended(job, jobSeconds(job.folder));
      if (job.kind === 'cell') note(`${job.id} done.`);
    } catch (error) {
      const isTheirs = error instanceof UserError || error instanceof VerbFailed;
      if (this.stop.aborted && (isTheirs || error instanceof Interrupted)) return;
      if (isTheirs) {
        this.failed.add(job);
        this.failures.push({ id: job.id, text: error.message });
        note(`${job.id} failed.`);
      } else this.fault.abort(error);
    } finally {
      this.show();
    }
  }

  private async verbs(job: Job): Promise<void> {
    const { threads, runVerb } = this.bench;
    openFolder(job, this.identities.get(job), threads);
    let counted: Counted | null = null;
    for (const [i, verb] of job.verbs.entries()) {
      if (job.kind === 'cell' && verb === 'train') counted = await this.budgeted(job);
      if (i < doneVerbs(job.folder).length) continue;
      stopHere(this.stop, 'The bench');
      const started = performance.now();
      const code = await runVerb(job.folder, verb, this.stop);
      if (code !== 0) throw new VerbFailed(verb, code, logTail(job.folder, 12));
      noteDone(job.folder, verb, (performance.now() - started) / 1000);
    }
    if (job.kind === 'cell' && counted !== null) {
      writeResult(job, counted.before, counted.maxRollouts);
    }
  }

  /** Counts what was spent so far and gives training what is left of the budget. */
  private async budgeted(job: CellJob): Promise<Counted> {
    const before = await this.bench.countBefore(job);
    const maxRollouts = rolloutsLeft(job, before);
    if (maxRollouts !== null) {
      writeSettings(job, this.bench.threads, { 'train.max_rollouts': maxRollouts });
    }
    return { before, maxRollouts };
  }

  private show(): void {
    const running = [...this.running.keys()].filter((job) => !this.isOver(job));
    const left = this.timeLeft.seconds([...this.waiting, ...running]);
    this.bench.progress.update(this.finishedCells(), {
      of: this.cells,
      running: running.length,
      ...(this.failures.length === 0 ? {} : { failed: this.failures.length }),
      left: left === undefined ? 'unknown yet' : `about ${formatDuration(left)}`,
    });
  }

  private isOver(job: Job): boolean {
    return this.ended.has(job) || this.failed.has(job);
  }

  private finishedCells(): number {
    return [...this.ended].filter(({ kind }) => kind === 'cell').length;
  }
}

interface Counted {
  before: BeforeTraining;
  maxRollouts: number | null;
}

class VerbFailed extends Error {
  constructor(verb: string, code: number, log: string) {
    const indented = log.replace(/^/gm, '  | ');
    super(`pivottrace ${verb} ended with ${code}. The end of cell.log:\n${indented}`);
  }
}

function stageOf(job: Job): Job | null {
  return job.kind === 'cell' ? job.from : null;
}
