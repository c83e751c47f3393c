/** A connection to the Ray cluster of the configuration, and what most jobs on it share. */
import { clusterAddress } from '../../cluster/address.ts';
import { type Following, greet, isOver, newestAttempt, patiently } from '../../cluster/follow.ts';
import { RayJobs } from '../../cluster/jobs.ts';
import type { JobEvent } from '../../cluster/log.ts';
import type { Config } from '../config.ts';

export interface ClusterStage {
  config: Config;
  /** By `--address`; null = as configured. */
  address: string | null;
  note(sentence: string): void;
  stop: AbortSignal;
}

/** The Jobs API of the cluster; nothing is asked of it yet. UserError where no address is known. */
export function jobsOf({ config, address }: ClusterStage): RayJobs {
  const url = clusterAddress(address ?? config.ray.address, process.env);
  return new RayJobs(url, { token: process.env.RAY_AUTH_TOKEN || null });
}

export function followingOf(
  { config, note, stop }: ClusterStage,
  jobs: RayJobs,
  base: string,
): Following {
  return { jobs, base, note, stop, patienceMs: 1000 * config.ray.patience_seconds };
}

/** An event as a sentence for people; null where there is nothing to say. */
export function sentenceOf(event: JobEvent): string | null {
  switch (event.event) {
    case 'lost':
      return `A worker was lost ${event.when} (${event.reason}). Another takes over.`;
    case 'trouble':
      return `Chunk ${event.chunk} went wrong (${event.reason}). It is tried again.`;
    case 'failed':
      return `Chunk ${event.chunk} was given up: ${event.reason}`;
    case 'waiting':
      return `Waiting for room on the cluster: of ${amounts(event.all)}, ${amounts(event.free)} are free.`;
    default:
      return null;
  }
}

function amounts(of: Readonly<Record<string, number>>): string {
  return Object.entries(of)
    .map(([name, amount]) => `${amount} ${name}`)
    .join(' and ');
}

/** Asks the job that is under way to end. Returns its name, null where none is. */
export async function stopJob(following: Following): Promise<string | null> {
  await greet(following);
  const { attempt, status } = await newestAttempt(following);
  if (status === null || isOver(status)) return null;
  const id = `${following.base}-${attempt}`;
  await patiently(following, (jobs) => jobs.stop(id));
  return id;
}
