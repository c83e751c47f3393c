/** Who gets which question next. Of those who are served together, sums over the queue are made once. */
import type { Asked, Candidate, LeaseRecord, TaskRecord, Wanted } from '../../store/desk.ts';
import type { Repositories } from '../../store/types.ts';
import { alone, leaseFrom, leaseOf, type QueueContext, taskOf } from './context.ts';
import type { Came } from './together.ts';
import type { Next, NothingNext } from './types.ts';

/** What is known of the queue while nobody else can change it, kept up with what is handed out. */
interface Standing {
  /** By annotator, in force or not. */
  leases: Map<string, LeaseRecord>;
  /** Which kinds of questions there are any of. */
  kinds: ReadonlySet<Asked>;
  /** Prompts that have their part of the budget; undefined: to be counted. */
  spoken: number | undefined;
}

/** The question that each annotator holds, for a whole lease from now, or the next one. */
export async function handOut(
  context: QueueContext,
  repositories: Repositories,
  annotators: readonly string[],
): Promise<Came<Next>[]> {
  const { desk } = repositories;
  const { account } = context.settings;
  const leases = await desk.leases(account);
  const standing: Standing = {
    leases: new Map(leases.map((lease) => [lease.annotator, lease])),
    kinds: new Set(await desk.openKinds(account)),
    spoken: undefined,
  };
  const given: Came<Next>[] = [];
  for (const annotator of annotators) {
    const next = await give(context, repositories, standing, annotator);
    given.push(() => next);
  }
  return given;
}

async function give(
  context: QueueContext,
  repositories: Repositories,
  standing: Standing,
  annotator: string,
): Promise<Next> {
  const { desk } = repositories;
  const { account, leaseMs } = context.settings;
  // Read under the lock: with a time from before the wait a lease could be dead when it is given.
  const now = context.clock();
  const put = async (task: TaskRecord, lease: LeaseRecord): Promise<Next> => {
    await desk.putLease(lease);
    standing.leases.set(annotator, lease);
    return { task: taskOf(task), lease: leaseOf(lease) };
  };
  const held = standing.leases.get(annotator);
  const isHeld = held !== undefined && held.expiresAt > now;
  if (isHeld) {
    const task = await desk.task(account, held.promptId);
    // Whoever asks again is still at it, and keeps the question for longer.
    if (task !== undefined && task.state !== 'done') {
      return await put(task, { ...held, expiresAt: now + leaseMs });
    }
    await desk.dropLease(account, annotator);
    standing.leases.delete(annotator);
    standing.spoken = undefined;
  }
  const found = await select(context, repositories, standing, annotator, now);
  if (typeof found === 'string') return { nothing: found };
  return await put(found, leaseFrom(context.settings, found.promptId, annotator, now));
}

async function select(
  { settings }: QueueContext,
  { desk }: Repositories,
  standing: Standing,
  annotator: string,
  now: number,
): Promise<TaskRecord | NothingNext> {
  const { account, budget, goldEvery, checkEvery } = settings;
  const wanted = { account, annotator, now, started: false };
  const candidate = async (kind: Asked, more: Partial<Wanted> = {}) =>
    standing.kinds.has(kind) ? await desk.candidate({ ...wanted, kind, ...more }) : undefined;
  let found: Candidate | undefined = await candidate('question');
  if (found === undefined) {
    return (await candidate('check')) ?? (standing.kinds.has('question') ? 'taken' : 'empty');
  }
  if (!isStarted(found) && budget !== null) {
    standing.spoken ??= await desk.spoken(account, now);
    if (standing.spoken >= budget) {
      // Time goes on, and with it leases end: counted again before it is said.
      standing.spoken = await desk.spoken(account, now);
    }
    if (standing.spoken >= budget) {
      found = await candidate('question', { started: true });
      if (found === undefined) return (await candidate('check')) ?? 'budget';
    }
  }
  const other = await dueInstead(wanted, standing, desk, { goldEvery, checkEvery });
  if (other === undefined && !isStarted(found) && standing.spoken !== undefined) {
    standing.spoken += 1;
  }
  return other ?? found;
}

/** Has somebody answered it, or does somebody hold it? Then it has its part of the budget. */
function isStarted({ answers, hands }: Candidate): boolean {
  return answers > 0 || hands > 0;
}

/** Only in the place of a question that leads to a label: known answers alone are nobody's work. */
async function dueInstead(
  wanted: Omit<Wanted, 'kind'>,
  { kinds }: Standing,
  desk: Repositories['desk'],
  every: { goldEvery: number; checkEvery: number },
): Promise<Candidate | undefined> {
  const goldEvery = kinds.has('gold') ? every.goldEvery : 0;
  const checkEvery = kinds.has('check') ? every.checkEvery : 0;
  const longest = Math.max(goldEvery, checkEvery) - 1;
  const { account, annotator } = wanted;
  const recent = longest > 0 ? await desk.recent(account, annotator, longest) : [];
  const gold = isDue('gold', goldEvery, recent)
    ? await desk.candidate({ ...wanted, kind: 'gold' })
    : undefined;
  if (gold !== undefined || !isDue('check', checkEvery, recent)) return gold;
  return await desk.candidate({ ...wanted, kind: 'check' });
}

/** Were the last questions all of another kind? Skipped ones are counted, for they were asked. */
function isDue(kind: Asked, every: number, recent: readonly Asked[]): boolean {
  if (every === 0) return false;
  const last = recent.slice(0, every - 1);
  return last.length === every - 1 && !last.includes(kind);
}

/** Gives free what the annotator holds. */
export async function release(context: QueueContext, annotator: string): Promise<void> {
  const { account } = context.settings;
  await alone(context, ({ desk }) => desk.dropLease(account, annotator));
}
