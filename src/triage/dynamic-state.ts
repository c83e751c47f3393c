/**
 * The state of dynamic routing before the first step, as the plan leaves it.
 */
import type { DynamicState, PromptMemory } from './dynamic-types.ts';
import type { TriagePlan } from './types.ts';

/** Memory before the first step: the plan's scores, states and cuts. */
export function initialState(plan: TriagePlan): DynamicState {
  const prompts = plan.decisions.map((decision): PromptMemory => {
    const { promptId, score, route, rule, expectedPassRate } = decision;
    const owned = rule === 'probe' || rule === 'labelled';
    return {
      promptId,
      state: owned ? 'annotated' : route,
      score,
      visits: 0,
      below: 0,
      above: 0,
      unanimous: 0,
      disagreeing: 0,
      hits: 0,
      misses: 0,
      seen: 0,
      owned,
      refused: false,
      prior: expectedPassRate ?? 0.5,
    };
  });
  const { discardBelow, annotateAbove } = plan.thresholds;
  return {
    version: 1,
    plan: plan.name,
    round: plan.round,
    step: -1,
    shift: 0,
    thresholds: { low: discardBelow, high: annotateAbove },
    quantiles: { low: quantileOf(plan, discardBelow), high: quantileOf(plan, annotateAbove) },
    uninformed: plan.estimator === 'random',
    flatSteps: 0,
    queued: 0,
    prompts,
  };
}

/** The quantile whose linear interpolation gives `cut` back; null for a cut beyond the scores. */
function quantileOf(plan: TriagePlan, cut: number): number | null {
  const below = plan.decisions.filter((one) => one.score < cut).length;
  const notAbove = plan.decisions.filter((one) => one.score <= cut).length;
  if (below === 0 || notAbove === plan.decisions.length) return null;
  return ((below + notAbove) / 2 - 0.5) / (plan.decisions.length - 1);
}
