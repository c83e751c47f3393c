/** What sampling and tracing a round have cost, split into the parts that scores read. */

import { stageCosts } from '../../store/costs.ts';
import type { Repositories } from '../../store/types.ts';
import type { Config } from '../config.ts';
import type { ScoringCosts } from './estimator-cost.ts';
import { CHOICE_OF_HEADS, HIDDEN_STATES } from './stage-cost.ts';
import { profileCost } from './trace-profile.ts';

/** Seconds are null where nothing was timed. */
export async function scoringCosts(
  store: Repositories,
  { workspace, trace }: Config,
  round: number,
): Promise<ScoringCosts> {
  const { seconds } = stageCosts(workspace);
  const headSeconds = seconds[CHOICE_OF_HEADS] ?? null;
  const hiddenSeconds = seconds[HIDDEN_STATES] ?? null;
  const scored = await store.rollouts.totals(round, trace.traces_per_prompt);
  const whole = seconds.trace ?? null;
  return {
    sampled: {
      ...scored,
      seconds: whole === null ? null : whole - (headSeconds ?? 0) - (hiddenSeconds ?? 0),
    },
    heads: { ...(await profileCost(store, round)), seconds: headSeconds },
    hiddenSeconds,
  };
}
