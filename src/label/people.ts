/**
 * People as a source of labels: questions go into their queue, what they answer turns up in the account.
 *
 * Knows nothing of who they are or of how they are asked.
 */
import type { Outcome, Queue, Task } from './queue/types.ts';
import type { LiveSource } from './types.ts';

const withoutLabel: readonly (Outcome | null)[] = ['no_answer', 'bad_question'];

export function people(queue: Pick<Queue, 'order' | 'tasks'>): LiveSource {
  const told = new Set<string>();
  return {
    name: 'people',
    async put(wishes, { run, step }) {
      const fresh = wishes.filter(({ promptId }) => !told.has(promptId));
      if (fresh.length === 0) return;
      await queue.order(fresh.map((wish) => ({ ...wish, run, step })));
      for (const { promptId } of fresh) told.add(promptId);
    },
    async refused(promptIds) {
      const tasks = await queue.tasks(promptIds);
      return tasks.filter(isRefused).map(({ promptId }) => promptId);
    },
    idle: async () => {},
    close: async () => {},
  };
}

/** People have said that there is no label, or somebody has taken the question back. */
function isRefused({ state, outcome }: Task): boolean {
  return state === 'withdrawn' || (state === 'done' && withoutLabel.includes(outcome));
}
