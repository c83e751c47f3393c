/**
 * People as a source of labels: questions go into their queue, what they answer turns up in the account.
 *
 * Knows nothing of who they are or of how they are asked.
 */
import type { Outcome, Queue, Task } from './queue/types.ts';
import type { LiveSource } from './types.ts';

const withoutLabel: readonly (Outcome | null)[] = ['no_answer', 'bad_question'];

export function people(queue: Pick<Queue, 'order' | 'tasks'>): LiveSource {
  /** Utilities by prompt: what a run believes of a question grows while it waits. */
  const told = new Map<string, number>();
  return {
    name: 'people',
    async put(wishes, { run, step }) {
      const fresh = wishes.filter(
        ({ promptId, utility }) => utility > (told.get(promptId) ?? Number.NEGATIVE_INFINITY),
      );
      if (fresh.length === 0) return;
      await queue.order(fresh.map((wish) => ({ ...wish, run, step })));
      for (const { promptId, utility } of fresh) told.set(promptId, utility);
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
function isRefused(task: Task): boolean {
  return task.state === 'withdrawn' || isClosed(task);
}

/** People have said that there is no label. */
export function isClosed({ state, outcome }: Task): boolean {
  return state === 'done' && withoutLabel.includes(outcome);
}
