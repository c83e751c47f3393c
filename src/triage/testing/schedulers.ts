/** Schedulers and what groups show them, for tests. */
import { schedulerStateFromJson, schedulerStateToJson } from '../disk.ts';
import { Scheduler } from '../scheduler.ts';
import type {
  SchedulerPrompt,
  SchedulerSettings,
  SchedulerState,
  Visit,
} from '../scheduler-types.ts';
import type { PromptState } from '../types.ts';
import { settings as usual } from './sampled-pool.ts';

const ORIGIN = { plan: 'main', round: 0 };

export function schedulerOf(
  prompts: readonly SchedulerPrompt[],
  over: Partial<SchedulerSettings> = {},
  saved?: SchedulerState,
): Scheduler {
  return new Scheduler(ORIGIN, prompts, { ...usual, ...over }, saved);
}

/** Prompts in these states, so far from each other that none speaks for another. */
export function apart(states: Record<string, PromptState>): SchedulerPrompt[] {
  return Object.entries(states).map(([promptId, state], i) => {
    return { promptId, state, features: [100 * i] };
  });
}

/** What a group of 8 with this majority share shows; with a label also its share of right answers. */
export const group = (promptId: string, right: number, passRate?: number): Visit => ({
  ...{ promptId, voteShare: right, samples: 8 },
  ...(passRate === undefined ? {} : { passRate }),
});
/** Through JSON, as a checkpoint keeps it. */
export const stored = (scheduler: Scheduler) =>
  schedulerStateFromJson(JSON.parse(JSON.stringify(schedulerStateToJson(scheduler.save()))));
