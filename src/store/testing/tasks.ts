/** Made-up rows of the annotation queue for tests. */
import type { TaskRecord } from '../desk.ts';

/** A question that nobody has answered yet, in the account `main`; `more` is what is not as usual. */
export function openTask(promptId: string, more: Partial<TaskRecord> = {}): TaskRecord {
  return {
    ...{ account: 'main', promptId, utility: 0, run: null, step: null, reason: 'planned' },
    ...{ state: 'open', outcome: null, overlap: 1, gold: false, checks: null },
    ...{ answers: 0, revision: 0, labelSource: null, createdAt: 0, decidedAt: null },
    ...more,
  };
}
