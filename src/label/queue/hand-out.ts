/** Who gets which question next. */
import type { Candidate, TaskRecord } from '../../store/desk.ts';
import type { Repositories } from '../../store/types.ts';
import { alone, hasRoom, leaseFrom, leaseOf, type QueueContext, taskOf } from './context.ts';
import type { Next, NothingNext } from './types.ts';

/** The question that the annotator holds, for a whole lease from now, or the next one. */
export async function handOut(context: QueueContext, annotator: string): Promise<Next> {
  const { account } = context.settings;
  return await alone(context, async (repositories): Promise<Next> => {
    // Read under the lock: with a time from before the wait a lease could be dead when it is given.
    const now = context.clock();
    const { desk } = repositories;
    const held = await desk.lease(account, annotator);
    if (held !== undefined && held.expiresAt > now) {
      const task = await desk.task(account, held.promptId);
      if (task !== undefined && task.state !== 'done') {
        // Whoever asks again is still at it, and keeps the question for longer.
        const renewed = { ...held, expiresAt: now + context.settings.leaseMs };
        await desk.putLease(renewed);
        return { task: taskOf(task), lease: leaseOf(renewed) };
      }
    }
    const found = await select(context, repositories, annotator, now);
    if (typeof found === 'string') {
      if (held !== undefined && held.expiresAt > now) await desk.dropLease(account, annotator);
      return { nothing: found };
    }
    const lease = leaseFrom(context.settings, found.promptId, annotator, now);
    await desk.putLease(lease);
    return { task: taskOf(found), lease: leaseOf(lease) };
  });
}

async function select(
  { settings }: QueueContext,
  repositories: Repositories,
  annotator: string,
  now: number,
): Promise<TaskRecord | NothingNext> {
  const { desk } = repositories;
  const { account, goldEvery } = settings;
  const wanted = { account, annotator, now, gold: false, started: false };
  let found: Candidate | undefined = await desk.candidate(wanted);
  if (found === undefined) return (await desk.anyOpen(account)) ? 'taken' : 'empty';
  const started = found.answers > 0 || found.hands > 0;
  if (!started && !(await hasRoom(repositories, settings, now))) {
    found = await desk.candidate({ ...wanted, started: true });
    if (found === undefined) return 'budget';
  }
  if (goldEvery === 0 || !(await isGoldDue(repositories, settings, annotator))) return found;
  // Only in the place of a question that leads to a label: known answers alone are nobody's work.
  return (await desk.candidate({ ...wanted, gold: true })) ?? found;
}

/** Were the last questions all ordinary ones? Skipped ones are counted, for they were asked. */
async function isGoldDue(
  { desk }: Repositories,
  { account, goldEvery }: QueueContext['settings'],
  annotator: string,
): Promise<boolean> {
  if (goldEvery === 1) return true;
  const recent = await desk.recentGold(account, annotator, goldEvery - 1);
  return recent.length === goldEvery - 1 && !recent.includes(true);
}

/** Gives free what the annotator holds. */
export async function release(context: QueueContext, annotator: string): Promise<void> {
  const { account } = context.settings;
  await alone(context, ({ desk }) => desk.dropLease(account, annotator));
}
