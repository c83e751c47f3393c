/** What was sampled before the first step of training, as every report counts it. */
import type { RolloutDigest } from '../../store/types.ts';
import type { TriagePlan } from '../../triage/types.ts';

export interface Spent {
  rollouts: number;
  tokens: number;
}

export const nothingSpent: Readonly<Spent> = { rollouts: 0, tokens: 0 };

/** Settings that the counting goes by. */
export interface TracedSettings {
  traces_per_prompt: number;
  profile_prompts: number;
}

/**
 * Responses that `plan` rests on. Random routes need no scores, only the probes they measured. The responses on
 * which heads were chosen are counted, but their tokens are not known.
 */
export function spentOnPlan(
  { traces_per_prompt: perPrompt, profile_prompts: profiled }: TracedSettings,
  plan: TriagePlan,
  digests: readonly RolloutDigest[],
): { scoring: Spent; probes: Spent } {
  const probes = new Set(plan.calibration.dots.map(({ promptId }) => promptId));
  const isScored = plan.requested !== 'random';
  const scoring = isScored
    ? spentOn(digests.filter(({ sample }) => sample < perPrompt))
    : nothingSpent;
  const extra = digests.filter(
    ({ promptId, sample }) => probes.has(promptId) && !(isScored && sample < perPrompt),
  );
  // The responses on which heads were chosen are not kept; their number is known.
  const profile = isScored ? Math.min(profiled, plan.counts.pool) : 0;
  return { scoring: { ...scoring, rollouts: scoring.rollouts + profile }, probes: spentOn(extra) };
}

/** Responses and their tokens. */
export function spentOn(digests: readonly RolloutDigest[]): Spent {
  const tokens = digests.reduce((total, { length }) => total + length, 0);
  return { rollouts: digests.length, tokens };
}
