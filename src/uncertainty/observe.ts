/**
 * What several estimators share: averages over a prompt's rollouts and traces, and the one place that says
 * whether an observation has what an estimator needs.
 */
import { type Complaint, UserError } from '../core/errors.ts';
import type {
  Estimator,
  LayerPath,
  Needs,
  PivotSummary,
  PromptObservation,
  RolloutSummary,
  TokenStatistic,
} from './types.ts';

type Named = Pick<Estimator, 'name' | 'needs'>;

/** NaN of an empty list. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Mean of `read` over a prompt's traces. */
export function meanOverTraces(
  observation: PromptObservation,
  read: (pivots: PivotSummary) => number,
): number {
  return mean(observation.pivots.map(read));
}

/** Mean of `read` over a prompt's rollouts. */
export function meanOverRollouts(
  observation: PromptObservation,
  read: (rollout: RolloutSummary) => number,
): number {
  return mean(observation.rollouts.map(read));
}

/** Mean of `read` over the layer paths of a prompt's rollouts. */
export function meanOverPaths(
  { rollouts }: PromptObservation,
  read: (path: LayerPath) => number,
): number {
  return mean(rollouts.flatMap(({ layerPath }) => layerPath ?? []).map(read));
}

/**
 * One score per observation by `read`, after checking that every observation has what the estimator
 * needs and that every score is a number.
 */
export function scoreEach(
  estimator: Named,
  observations: readonly PromptObservation[],
  read: (observation: PromptObservation) => number,
): Float64Array {
  return Float64Array.from(observations, (observation) => {
    const lack = lacking(estimator, observation);
    if (lack !== null) throw new UserError({ ...lack, where: `prompt ${observation.promptId}` });
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

/** Whether every observation has the rollouts, traces, signals and layer paths that the estimator reads. */
export function hasWhatItReads(
  estimator: Named,
  observations: readonly PromptObservation[],
): boolean {
  return observations.every((one) => lacking(estimator, one) === null);
}

/** What the observation lacks of the estimator's needs, and what to do about it; null when nothing. */
function lacking({ name, needs }: Named, observation: PromptObservation): Complaint | null {
  const { rollouts, pivots } = observation;
  if (rollouts.length < needs.samples) {
    return {
      wanted: `at least ${needs.samples} rollout(s) for the estimator ${name}`,
      found: String(rollouts.length),
      fix: 'Run `pivottrace trace` with more samples per prompt, or choose another estimator.',
    };
  }
  if (needs.traces === true && pivots.length === 0) {
    return {
      wanted: `at least one attention trace for the estimator ${name}`,
      found: 'none',
      fix: 'Run `pivottrace trace` for this pool, or choose another estimator.',
    };
  }
  return (
    lackingStatistic(name, needs, observation) ??
    lackingSignal(name, needs, observation) ??
    lackingPaths(name, needs, observation)
  );
}

const statisticNames: Readonly<Record<TokenStatistic, string>> = {
  meanEntropy: 'token entropies',
  maxEntropy: 'token entropies',
  meanSelfCertainty: 'self-certainty',
  meanLogprob: 'log-probabilities',
};

function lackingStatistic(
  name: string,
  { statistics = [] }: Needs,
  { rollouts }: PromptObservation,
): Complaint | null {
  for (const statistic of statistics) {
    const without = rollouts.filter((rollout) => Number.isNaN(rollout[statistic])).length;
    if (without === 0) continue;
    return {
      wanted: `the ${statisticNames[statistic]} of every response for the estimator ${name}`,
      found: `${without} of ${rollouts.length} without`,
      fix: 'They did not come along with the responses: trace with weights (trace.weights=true), or choose another estimator.',
    };
  }
  return null;
}

function lackingSignal(
  name: string,
  { pivotsOf, meanOf }: Needs,
  { signalPivots, signalMeans }: PromptObservation,
): Complaint | null {
  const again =
    'to `trace.extra_signals` and run `pivottrace trace --fresh`, or choose another estimator.';
  if (pivotsOf !== undefined && (signalPivots?.[pivotsOf] ?? []).length === 0) {
    return {
      wanted: `traces with ${pivotsOf} beside the configured signal for the estimator ${name}`,
      found: 'none',
      fix: `If ${pivotsOf} is \`trace.signal\`, its scores are pivot_density and pivot_count. Else add it ${again}`,
    };
  }
  if (meanOf !== undefined && (signalMeans?.[meanOf] ?? []).length === 0) {
    return {
      wanted: `traces that kept the signal ${meanOf} for the estimator ${name}`,
      found: 'none',
      fix: `Add ${meanOf} ${again}`,
    };
  }
  return null;
}

function lackingPaths(
  name: string,
  { layerPaths }: Needs,
  { rollouts }: PromptObservation,
): Complaint | null {
  if (layerPaths !== true) return null;
  const without = rollouts.filter((rollout) => rollout.layerPath === undefined).length;
  if (without === 0) return null;
  return {
    wanted: `the way through the layers of every rollout for the estimator ${name}`,
    found: `${without} of ${rollouts.length} without`,
    fix: 'Set `trace.hidden_states` and run `pivottrace trace --fresh`, or choose another estimator.',
  };
}
