/** What every part of the queue works with, and how stored rows become what callers see. */
import { UserError } from '../../core/errors.ts';
import type { AnnotationRecord, LeaseRecord, TaskRecord } from '../../store/desk.ts';
import type { Turns } from '../../store/turns.ts';
import type { Repositories, Store } from '../../store/types.ts';
import type { Annotation, Judge, Lease, QueueEvent, QueueSettings, Task } from './types.ts';

/** Name of an annotator by id: the source of their labels. Rejects where there is no such annotator. */
export type NameOf = (annotator: string) => string | Promise<string>;

export interface QueueContext {
  store: Store;
  settings: QueueSettings;
  judge: Judge;
  nameOf: NameOf;
  /** Milliseconds since 1970. */
  clock: () => number;
  turns: Turns;
  /** Keeps what was done, in the transaction that does it. */
  record: (repositories: Repositories, event: QueueEvent) => Promise<void>;
}

/**
 * Runs `work` alone in the account, all of it or nothing. Nothing slow may happen inside. Those of one process wait
 * for each other here, so that they do not take up its connections to wait for the lock.
 */
export async function alone<T>(
  { store, settings, turns }: QueueContext,
  work: (repositories: Repositories) => Promise<T>,
): Promise<T> {
  const locked = async (repositories: Repositories): Promise<T> => {
    await repositories.desk.lock(settings.account);
    return await work(repositories);
  };
  return await turns.alone(() => store.transaction(locked));
}

/**
 * May one more prompt be worked on? Every prompt in somebody's hands, or answered and undecided, has its label in the
 * budget already: nobody works in vain.
 */
export async function hasRoom(
  { desk }: Pick<Repositories, 'desk'>,
  { account, budget }: QueueSettings,
  now: number,
): Promise<boolean> {
  return budget === null || (await desk.spoken(account, now)) < budget;
}

/** Counts towards a task's overlap. */
export function counts({ kind, gold, adjudicates }: AnnotationRecord): boolean {
  return kind !== 'skip' && !gold && !adjudicates;
}

/** Does the task want a label? */
export function isWork({ gold, checks }: Pick<TaskRecord, 'gold' | 'checks'>): boolean {
  return !gold && checks === null;
}

/** A new lease from now. */
export function leaseFrom(
  { account, leaseMs }: QueueSettings,
  promptId: string,
  annotator: string,
  now: number,
): LeaseRecord {
  return { account, promptId, annotator, takenAt: now, expiresAt: now + leaseMs };
}

export function taskOf(record: TaskRecord): Task {
  const { account, promptId, utility, run, step, reason, state, outcome, overlap, gold } = record;
  const { checks, createdAt, decidedAt } = record;
  return {
    ...{ account, promptId, utility, run, step, reason, state, outcome, overlap, gold },
    ...{ checks, createdAt, decidedAt },
  };
}

export function leaseOf(record: LeaseRecord): Lease {
  return { ...record };
}

export function annotationOf(record: AnnotationRecord): Annotation {
  const { gold: _gold, checks: _checks, correct: _correct, ...annotation } = record;
  return annotation;
}

/** The settings, when they make sense; UserError otherwise. */
export function checkedSettings(settings: QueueSettings): QueueSettings {
  requireCount('budget', settings.budget ?? 0, 0);
  requireCount('overlap', settings.overlap, 1);
  requireCount('gold_every', settings.goldEvery, 0);
  requireCount('check_every', settings.checkEvery, 0);
  if (!(settings.leaseMs > 0 && Number.isFinite(settings.leaseMs))) {
    throw new UserError({
      wanted: 'a lease longer than no time',
      found: `${settings.leaseMs} ms`,
      where: 'serve.lease_seconds',
    });
  }
  return settings;
}

function requireCount(key: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new UserError({
    wanted: `a whole number from ${least} as ${key}`,
    found: String(value),
    where: 'the settings of the annotation queue',
  });
}
