/**
 * Following a job: the newest attempt of it that there is, its log and its end, through times in which the cluster does
 * not answer. The job is the cluster's: it goes on when nobody follows it.
 *
 * Knows nothing of what the job does.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Interrupted, UserError } from '../core/errors.ts';
import { type JobRequest, type JobStatus, type RayJobs, Unreachable } from './jobs.ts';
import { type JobEvent, LogReader } from './log.ts';

export interface Following {
  jobs: RayJobs;
  /** What a job and its later attempts are called; the number of the attempt comes behind. */
  base: string;
  note(sentence: string): void;
  stop: AbortSignal;
  /** How long a cluster that does not answer is waited for. */
  patienceMs: number;
  /** Between two looks at first, and at most. */
  pollMs?: readonly [number, number];
}

export interface Look {
  /** `LOST`: the cluster knows no such job any more: its head was started anew. */
  status: JobStatus | 'LOST';
  /** What Ray says about it. */
  message: string;
  events: JobEvent[];
  lines: string[];
  over: boolean;
}

/** Attempts of one job; more is a loop. */
const MOST_ATTEMPTS = 1000;

/** Exit codes from here on are those of programs that were killed. */
const SIGNALS = 128;

/**
 * Whether a program ended by itself with an error: it would end that way again. One that was killed, or that went with
 * its cluster, would not.
 */
export function failedByItself({ status, message }: Pick<Look, 'status' | 'message'>): boolean {
  const code = Number(/exit code (-?\d+)/.exec(message)?.[1] ?? -1);
  return status === 'FAILED' && code > 0 && code < SIGNALS;
}

export const isOver = (status: Look['status']): boolean =>
  status !== 'PENDING' && status !== 'RUNNING';

/** The number of the newest attempt that the cluster knows, 0 without one, and how it stands. */
export async function newestAttempt(
  following: Following,
): Promise<{ attempt: number; status: JobStatus | null }> {
  let status: JobStatus | null = null;
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    const info = await patiently(following, (jobs) => jobs.info(idOf(following, attempt)));
    if (info === null) return { attempt: attempt - 1, status };
    status = info.status;
  }
  throw new Error(`${MOST_ATTEMPTS} attempts at ${following.base}`);
}

const idOf = ({ base }: Following, attempt: number): string => `${base}-${attempt}`;

/** A job that runs, with a way to look at it. */
export class FollowedJob {
  readonly id: string;
  private readonly following: Following;
  private readonly log = new LogReader();
  private waitMs: number;

  private constructor(following: Following, attempt: number) {
    this.following = following;
    this.id = idOf(following, attempt);
    this.waitMs = firstPoll(following);
  }

  /** The attempt that is under way, or a new one that `order` describes. */
  static async attachOrSubmit(
    following: Following,
    order: () => Promise<Omit<JobRequest, 'submissionId'>>,
  ): Promise<{ job: FollowedJob; submitted: boolean }> {
    const { attempt, status } = await newestAttempt(following);
    const { note } = following;
    if (status !== null && !isOver(status)) {
      const job = new FollowedJob(following, attempt);
      note(`Following job ${job.id}, which is on the cluster already.`);
      return { job, submitted: false };
    }
    const job = new FollowedJob(following, attempt + 1);
    const request = { ...(await order()), submissionId: job.id };
    await patiently(following, (jobs) => jobs.submit(request));
    note(`Submitted job ${job.id} to ${following.jobs.address.origin}.`);
    return { job, submitted: true };
  }

  /** What is new; the log is read to its end when the job is over. */
  async look(): Promise<Look> {
    const info = await patiently(this.following, (jobs) => jobs.info(this.id));
    const status = info?.status ?? 'LOST';
    const over = isOver(status);
    const text = info === null ? null : await this.logs();
    const part = text === null ? { events: [], lines: [] } : this.log.next(text, over);
    return { status, message: info?.message ?? '', ...part, over };
  }

  /** The last lines of the log. */
  get tail(): readonly string[] {
    return this.log.tail;
  }

  /** Waits until it is time for another look. Interrupted when a stop was asked for: the job stays as it is. */
  async rest(): Promise<void> {
    await waiting(this.following, this.waitMs);
    const [, most] = this.following.pollMs ?? usualPoll;
    this.waitMs = Math.min(most, this.waitMs * 1.2);
  }

  /** The log is for people: without it the job goes on as well. */
  private async logs(): Promise<string | null> {
    try {
      return await this.following.jobs.logs(this.id);
    } catch (error) {
      if (error instanceof Unreachable || error instanceof UserError) return null;
      throw error;
    }
  }
}

const usualPoll = [1000, 10_000] as const;
const firstPoll = ({ pollMs }: Following): number => (pollMs ?? usualPoll)[0];

/** Names the cluster. UserError at once where nothing answers: an address that is wrong gets no patience. */
export async function greet({ jobs, note }: Pick<Following, 'jobs' | 'note'>): Promise<void> {
  try {
    note(`Ray ${await jobs.version()} at ${jobs.address.origin}.`);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      {
        wanted: 'a Ray cluster that takes jobs',
        found: error instanceof Error ? error.message : String(error),
        where: jobs.address.origin,
        fix: '`ray start --head` (with ray[default]) starts one; its dashboard, at port 8265, takes jobs.',
      },
      { cause: error },
    );
  }
}

/** What `call` gives, tried again while the cluster does not answer and patience lasts. UserError after that. */
export async function patiently<T>(
  following: Following,
  call: (jobs: RayJobs) => Promise<T>,
): Promise<T> {
  const { jobs, note, patienceMs } = following;
  let since: number | null = null;
  for (;;) {
    try {
      const result = await call(jobs);
      if (since !== null) note('The cluster answers again.');
      return result;
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      const now = performance.now();
      if (since === null) {
        since = now;
        note(
          `The cluster does not answer (${error.message}); waiting up to ${Math.round(patienceMs / 1000)} s.`,
        );
      }
      if (now - since >= patienceMs) throw gone(jobs, error);
      await waiting(following, firstPoll(following));
    }
  }
}

async function waiting({ stop, note, base }: Following, ms: number): Promise<void> {
  try {
    await pause(ms, undefined, { signal: stop });
  } catch {
    note(
      `Job ${base} goes on on the cluster. The same command follows it again; with --stop it ends it.`,
    );
    throw new Interrupted('Following the job');
  }
}

function gone(jobs: RayJobs, error: Unreachable): UserError {
  return new UserError(
    {
      wanted: 'a Ray cluster that answers',
      found: error.message,
      where: jobs.address.origin,
      fix: 'See whether its head runs. What has come in is kept: the same command goes on.',
    },
    { cause: error },
  );
}
