/** How long the rest of a bench takes, judged by the jobs of the same kind that have ended. */
import type { Job } from './folder.ts';

type Named = Pick<Job, 'kind' | 'pool'> & { arm?: string };

export class TimeLeft {
  private readonly workers: number;
  private readonly taken = new Map<string, number[]>();
  private readonly began = new Map<Job, number>();
  private readonly clock: () => number;

  /** `past`: jobs that had ended before, with their seconds. `clock` in seconds. */
  constructor(
    workers: number,
    past: readonly { job: Job; seconds: number }[],
    clock: () => number = () => performance.now() / 1000,
  ) {
    this.workers = workers;
    this.clock = clock;
    for (const { job, seconds } of past) this.add(job, seconds);
  }

  begun(job: Job): void {
    this.began.set(job, this.clock());
  }

  /** `seconds`: what it took in all, the time before a stop included. */
  ended(job: Job, seconds: number): void {
    this.add(job, seconds);
    this.began.delete(job);
  }

  /**
   * Seconds until `open` (running or waiting) are done; undefined before any has ended. A kind of which none has
   * ended is taken to last as long as the mean of the others.
   */
  seconds(open: readonly Job[]): number | undefined {
    const all = [...this.taken.values()].flat();
    if (all.length === 0) return undefined;
    const now = this.clock();
    const rest = open.map((job) => {
      const whole = mean(this.taken.get(kindOf(job)) ?? all);
      return Math.max(0, whole - (now - (this.began.get(job) ?? now)));
    });
    const sum = rest.reduce((total, seconds) => total + seconds, 0);
    // No plan ends before its longest job.
    return Math.max(sum / this.workers, ...rest, 0);
  }

  private add(job: Job, seconds: number): void {
    const kind = kindOf(job);
    this.taken.set(kind, [...(this.taken.get(kind) ?? []), seconds]);
  }
}

function kindOf(job: Named): string {
  return `${job.kind}/${job.pool}/${job.arm ?? ''}`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
