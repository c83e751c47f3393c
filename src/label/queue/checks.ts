/** Labels that are put before people again: because somebody is to check them, or because they differ. */
import type { TaskRecord } from '../../store/desk.ts';
import { alone, counts, type QueueContext } from './context.ts';
import { heldPrompts, refuseUnknown } from './orders.ts';

/** UserError, with nothing written, for prompts that are not in the pool. */
export async function orderChecks(
  context: QueueContext,
  promptIds: readonly string[],
  source: string,
): Promise<number> {
  const ids = [...new Set(promptIds)];
  if (ids.length === 0) return 0;
  const { account } = context.settings;
  const now = context.clock();
  return await alone(context, async (repositories) => {
    const { desk } = repositories;
    await refuseUnknown(repositories, ids);
    const there = new Map((await desk.tasks(account, ids)).map((task) => [task.promptId, task]));
    const known = new Set([
      ...(await heldPrompts(repositories, account)),
      ...(await desk.standing(account, ids)).filter(counts).map(({ promptId }) => promptId),
    ]);
    const fresh = ids.filter((id) => !known.has(id) && mayBeChecked(there.get(id)));
    await desk.putTasks(fresh.map((id) => checkOf(account, id, source, now)));
    return fresh.length;
  });
}

/** Questions that wait are left alone: people will answer them anyway. */
function mayBeChecked(task: TaskRecord | undefined): boolean {
  if (task === undefined) return true;
  return !task.gold && task.checks === null && ['done', 'withdrawn'].includes(task.state);
}

function checkOf(account: string, promptId: string, source: string, now: number): TaskRecord {
  return {
    ...{ account, promptId, checks: source, reason: 'check', utility: 0, run: null, step: null },
    ...{ state: 'open', outcome: null, overlap: 1, gold: false, answers: 0, revision: 0 },
    ...{ labelSource: null, createdAt: now, decidedAt: null },
  };
}

export async function contest(
  context: QueueContext,
  promptIds: readonly string[],
): Promise<number> {
  const ids = [...new Set(promptIds)];
  if (ids.length === 0) return 0;
  const { account } = context.settings;
  const now = context.clock();
  return await alone(context, async ({ desk, labels }) => {
    const there = new Map((await desk.tasks(account, ids)).map((task) => [task.promptId, task]));
    const rulings = (await desk.standing(account, ids)).filter(({ adjudicates }) => adjudicates);
    const ruled = new Set(rulings.map(({ promptId }) => promptId));
    const sources = new Map<string, string[]>();
    for (const { promptId, source } of await labels.owned(account, ids)) {
      sources.set(promptId, [...(sources.get(promptId) ?? []), source]);
    }
    const fresh = ids.flatMap((id): TaskRecord[] => {
      const [first, ...others] = sources.get(id) ?? [];
      const before = there.get(id) ?? checkOf(account, id, first, now);
      if (others.length === 0 || ruled.has(id) || before.gold || before.state === 'adjudicate') {
        return [];
      }
      const undecided = { state: 'adjudicate', outcome: null, decidedAt: null } as const;
      return [{ ...before, ...undecided, checks: before.checks ?? first }];
    });
    await desk.putTasks(fresh);
    return fresh.length;
  });
}
