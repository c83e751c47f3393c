/**
 * Checks and averages that several estimators share.
 */
import { UserError } from '../core/errors.ts';
import type { Estimator, PivotSummary, PromptObservation, RolloutSummary } from './types.ts';

/** Mean of `read` over a prompt's traces. */
export function meanOverTraces(
  observation: PromptObservation,
  read: (pivots: PivotSummary) => number,
): number {
  return observation.pivots.reduce((sum, one) => sum + read(one), 0) / observation.pivots.length;
}

/** Mean of `read` over a prompt's rollouts. */
export function meanOverRollouts(
  observation: PromptObservation,
  read: (rollout: RolloutSummary) => number,
): number {
  return (
    observation.rollouts.reduce((sum, one) => sum + read(one), 0) / observation.rollouts.length
  );
}

/**
 * One score per observation by `read`, after checking that every observation has what the estimator
 * needs and that every score is a number.
 */
export function scoreEach(
  estimator: Pick<Estimator, 'name' | 'needs'>,
  observations: readonly PromptObservation[],
  read: (observation: PromptObservation) => number,
): Float64Array {
  return Float64Array.from(observations, (observation) => {
    checkNeeds(estimator, observation);
    const score = read(observation);
    if (Number.isFinite(score)) return score;
    throw new UserError({
      wanted: `a finite ${estimator.name} score`,
      found: String(score),
      where: `prompt ${observation.promptId}`,
      fix: 'Trace this prompt again: its rollout summaries are not numbers.',
    });
  });
}

/** Throws UserError when an observation has fewer rollouts or traces than the estimator needs. */
export function checkNeeds(
  { name, needs }: Pick<Estimator, 'name' | 'needs'>,
  { promptId, rollouts, pivots }: PromptObservation,
): void {
  if (rollouts.length < needs.samples) {
    throw new UserError({
      wanted: `at least ${needs.samples} rollout(s) for the estimator ${name}`,
      found: String(rollouts.length),
      where: `prompt ${promptId}`,
      fix: 'Run `pivottrace trace` with more samples per prompt, or choose another estimator.',
    });
  }
  if (needs.traces === true && pivots.length === 0) {
    throw new UserError({
      wanted: `at least one attention trace for the estimator ${name}`,
      found: 'none',
      where: `prompt ${promptId}`,
      fix: 'Run `pivottrace trace` for this pool, or choose another estimator.',
    });
  }
}
