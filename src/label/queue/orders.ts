/** What is put up for labelling, and what is taken down again. */
import { UserError } from '../../core/errors.ts';
import type { TaskRecord } from '../../store/desk.ts';
import type { Repositories } from '../../store/types.ts';
import { alone, isWork, type QueueContext } from './context.ts';
import type { TaskOrder } from './types.ts';

const listed = 10;

/**
 * Puts prompts up, or raises what is there. UserError, with nothing written, for prompts that are not in the pool;
 * RangeError for a utility that is no finite number.
 */
export async function order(context: QueueContext, orders: readonly TaskOrder[]): Promise<number> {
  const wanted = mostUseful(orders);
  if (wanted.length === 0) return 0;
  const { account, overlap } = context.settings;
  const now = context.clock();
  return await alone(context, async (repositories) => {
    const ids = wanted.map(({ promptId }) => promptId);
    await refuseUnknown(repositories, ids);
    const there = new Map(
      (await repositories.desk.tasks(account, ids)).map((task) => [task.promptId, task]),
    );
    const owned = await repositories.labels.owned(account, ids);
    const labelled = new Set(owned.map(({ promptId }) => promptId));
    const fresh = wanted.filter(({ promptId }) => {
      const state = there.get(promptId)?.state;
      return !labelled.has(promptId) && (state === undefined || state === 'withdrawn');
    });
    const raised = wanted.filter(({ promptId }) => {
      const task = there.get(promptId);
      return task !== undefined && isWork(task) && ['open', 'adjudicate'].includes(task.state);
    });
    const base = { account, overlap, createdAt: now };
    const held = await heldPrompts(repositories, account);
    await repositories.desk.putTasks(
      fresh.map((one) => opened(one, base, there.get(one.promptId), held)),
    );
    await repositories.desk.raise(account, raised);
    return fresh.length;
  });
}

/** Whoever holds them, and whether or not still in time. */
export async function heldPrompts({ desk }: Repositories, account: string): Promise<Set<string>> {
  return new Set((await desk.leases(account)).map(({ promptId }) => promptId));
}

/** A prompt that comes back keeps the answers it has, and the overlap that they or its holders were promised. */
function opened(
  { promptId, utility, run, step, reason }: TaskOrder,
  base: Pick<TaskRecord, 'account' | 'overlap' | 'createdAt'>,
  before: TaskRecord | undefined,
  held: ReadonlySet<string>,
): TaskRecord {
  const answers = before?.answers ?? 0;
  const isBound = before !== undefined && (answers > 0 || held.has(promptId));
  const overlap = isBound ? before.overlap : base.overlap;
  return {
    ...base,
    ...{ promptId, utility, run, step, reason, overlap, answers },
    state: answers < overlap ? 'open' : 'adjudicate',
    outcome: null,
    gold: false,
    checks: null,
    revision: 0,
    labelSource: null,
    decidedAt: null,
  };
}

/** One order per prompt: the one with the highest utility, the first of equal ones. */
function mostUseful(orders: readonly TaskOrder[]): TaskOrder[] {
  const best = new Map<string, TaskOrder>();
  for (const one of orders) {
    if (!Number.isFinite(one.utility)) {
      throw new RangeError(`utility of '${one.promptId}' is ${one.utility}`);
    }
    const before = best.get(one.promptId);
    if (before === undefined || one.utility > before.utility) best.set(one.promptId, one);
  }
  return [...best.values()];
}

/**
 * Puts up questions whose answer is known; one that is gold already gets the new answer, which counts from then on.
 * A prompt that people already answered, hold or that has a label is left as it is. Returns how many are new.
 */
export async function orderGold(
  context: QueueContext,
  known: readonly { promptId: string; answer: string }[],
): Promise<number> {
  const wanted = [...new Map(known.map((one) => [one.promptId, one])).values()];
  if (wanted.length === 0) return 0;
  refuseEmpty(wanted);
  const { account, overlap } = context.settings;
  const now = context.clock();
  return await alone(context, async (repositories) => {
    const { desk } = repositories;
    const ids = wanted.map(({ promptId }) => promptId);
    await refuseUnknown(repositories, ids);
    const there = new Map((await desk.tasks(account, ids)).map((task) => [task.promptId, task]));
    const held = await heldPrompts(repositories, account);
    const touched = new Set([
      ...held,
      ...(await desk.standing(account, ids)).map(({ promptId }) => promptId),
      ...(await repositories.labels.owned(account, ids)).map(({ promptId }) => promptId),
    ]);
    const isGold = (promptId: string) => there.get(promptId)?.gold === true;
    const put = wanted.filter(({ promptId }) => isGold(promptId) || !touched.has(promptId));
    const fresh = put.filter(
      ({ promptId }) => !isGold(promptId) || there.get(promptId)?.state !== 'open',
    );
    const base = { account, overlap, createdAt: now };
    const asked = { utility: 0, run: null, step: null, reason: 'gold' };
    await desk.putTasks(
      fresh.map(({ promptId }) => ({
        ...opened({ promptId, ...asked }, base, there.get(promptId), held),
        gold: true,
      })),
    );
    await desk.putGolds(account, put);
    return fresh.length;
  });
}

/** Takes prompts down. Who holds one may finish it: a person's work is not thrown away. */
export async function withdraw(
  context: QueueContext,
  promptIds: readonly string[],
): Promise<number> {
  if (promptIds.length === 0) return 0;
  const { account } = context.settings;
  return await alone(context, ({ desk }) => desk.withdraw(account, promptIds));
}

export async function refuseUnknown(
  { prompts }: Repositories,
  promptIds: readonly string[],
): Promise<void> {
  const unknown = await prompts.unknown(promptIds);
  if (unknown.length === 0) return;
  const names = unknown.slice(0, listed).map((id) => `'${id}'`);
  throw new UserError({
    wanted: 'ids of prompts in the pool',
    found: `${unknown.length} unknown: ${names.join(', ')}${unknown.length > listed ? ' ...' : ''}`,
    fix: 'Correct the ids, or add the prompts to the pool first.',
  });
}

function refuseEmpty(known: readonly { promptId: string; answer: string }[]): void {
  const empty = known.find(({ answer }) => answer.trim() === '');
  if (empty === undefined) return;
  throw new UserError({
    wanted: 'the answer of every gold question',
    found: `none for '${empty.promptId}'`,
  });
}
