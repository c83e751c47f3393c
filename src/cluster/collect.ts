/**
 * Shards of a job as they come in: those that are there, then those that a job makes, which is attached to or submitted
 * when something is missing. Each is checked before it is handed out; a broken one is asked for again.
 *
 * Knows nothing of what is done with a shard, and hands one out every time that it is asked for.
 */
import { join } from 'node:path';
import { UserError } from '../core/errors.ts';
import { stopHere } from '../core/progress.ts';
import { FollowedJob, type Following, failedByItself, greet, type Look } from './follow.ts';
import type { JobRequest } from './jobs.ts';
import type { JobEvent } from './log.ts';
import { BrokenShard, readShard, removeShard, type Shard, shardsIn } from './shards.ts';

export interface Collection extends Following {
  /** The job's folder; shards are in `shards` below it. */
  folder: string;
  /** Writes what the job is to do and says how it is started. Called once per submission. */
  order(): Promise<Omit<JobRequest, 'submissionId'>>;
  onEvent(event: JobEvent): void;
}

/** Jobs that one command submits: when the third has not made all shards, a person should look. */
const MOST_SUBMISSIONS = 3;

export class Collector {
  private readonly collection: Collection;
  private readonly shards: string;
  private readonly broken = new Set<string>();
  private job: FollowedJob | null = null;
  private submissions = 0;
  private complaint: string | null = null;

  constructor(collection: Collection) {
    this.collection = collection;
    this.shards = join(collection.folder, 'shards');
  }

  /**
   * The shards of `chunks`, each once, as they are made. Interrupted when a stop was asked for; UserError where they
   * cannot be made.
   */
  async *arrivals(chunks: readonly string[]): AsyncGenerator<Shard> {
    const missing = new Set(chunks);
    yield* this.arrived(missing);
    while (missing.size > 0) {
      const job = await this.running();
      const look = await job.look();
      this.hear(look);
      yield* this.arrived(missing);
      if (missing.size === 0) return;
      if (look.over) this.ended(job, look, missing);
      else await job.rest();
    }
  }

  private async running(): Promise<FollowedJob> {
    if (this.job !== null) return this.job;
    if (this.submissions === 0) await greet(this.collection);
    const { job, submitted } = await FollowedJob.attachOrSubmit(
      this.collection,
      this.collection.order,
    );
    if (submitted) this.submissions++;
    this.complaint = null;
    this.job = job;
    return job;
  }

  private async *arrived(missing: Set<string>): AsyncGenerator<Shard> {
    for (const chunk of shardsIn(this.shards)) {
      if (!missing.has(chunk)) continue;
      stopHere(this.collection.stop, 'Taking in shards');
      try {
        const shard = await readShard(this.shards, chunk);
        this.broken.delete(chunk);
        missing.delete(chunk);
        yield shard;
      } catch (error) {
        if (!(error instanceof BrokenShard)) throw error;
        // A file system that is shared may be late with the file: it is looked at again until the job ends.
        if (!this.broken.has(chunk))
          this.collection.note(`Shard ${chunk} is broken: ${error.message}.`);
        this.broken.add(chunk);
      }
    }
  }

  private hear({ events, lines }: Look): void {
    for (const line of lines) this.collection.note(`ray | ${line}`);
    for (const event of events) {
      if (event.event === 'error') this.complaint = event.reason;
      this.collection.onEvent(event);
    }
  }

  /** The job is over and shards are missing: the next round of the loop submits it again, or this throws. */
  private ended(job: FollowedJob, { status, message }: Look, missing: ReadonlySet<string>): void {
    const { note, folder } = this.collection;
    this.job = null;
    const again = [...this.broken].filter((chunk) => missing.has(chunk));
    for (const chunk of again) removeShard(this.shards, chunk);
    this.broken.clear();
    const left = `${missing.size} shards are missing`;
    if (status === 'STOPPED') {
      throw failure(job, `${left}; it was stopped`, 'The same command goes on.');
    }
    if (status === 'SUCCEEDED' && again.length === 0) {
      const fix =
        'The workspace must be in a folder that this machine and all nodes see under the same path.';
      throw failure(job, `${left} in ${folder}, though it succeeded`, fix);
    }
    const reason = this.complaint ?? job.tail.at(-1) ?? (message || 'no reason was given');
    const byItself = this.complaint !== null || failedByItself({ status, message });
    if ((byItself && again.length === 0) || this.submissions >= MOST_SUBMISSIONS)
      throw failure(
        job,
        `${left}: ${reason}`,
        'Shards that were made are kept: the same command goes on.',
      );
    note(
      again.length > 0
        ? `${again.length} broken shards are made again.`
        : `Job ${job.id} is ${status.toLowerCase()} (${reason}); ${left}: it is submitted again.`,
    );
  }
}

function failure(job: FollowedJob, found: string, fix: string): UserError {
  return new UserError({ wanted: 'all shards of the trace', found, where: `job ${job.id}`, fix });
}
