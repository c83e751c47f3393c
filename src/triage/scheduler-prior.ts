/**
 * What the groups of training say of every prompt, visited or not: a Gaussian process over what is known of prompts
 * without visiting them. Knows nothing of labels, routes or draws.
 *
 * The utility mu (1 - mu) is regressed itself, beside mu: near 0.5 a little doubt about mu hardly changes it, near 0 and 1 a
 * little doubt changes all, and it is no monotone function of anything (docs/reproduction.md compares).
 */
import { positiveSolver } from '../stats/linear.ts';
import { standardised } from '../stats/standardised.ts';
import type { Belief, PromptMemory, SchedulerSettings } from './scheduler-types.ts';

type FitSettings = Pick<SchedulerSettings, 'reach' | 'noise' | 'decay' | 'memory'>;

/** One visited prompt. */
interface Observation {
  place: number;
  share: number;
  utility: number;
  /** Variance of what was seen, in units of the variance over prompts. */
  noise: number;
}

/** A prompt is never quite certain to teach nothing. */
const LEAST_UTILITY = 1e-3;

/** Trace features that vary by less, relative to their mean, are constant. */
const RESOLUTION = 1e-9;

/**
 * The belief about every prompt: posterior means of mu and of mu (1 - mu) under a Gaussian process with a squared
 * exponential kernel (Rasmussen and Williams, Gaussian Processes for Machine Learning, eq. 2.23), its mean the mean of
 * what was seen, its noise inverse to the (decayed) rollouts behind an observation.
 *
 * Prompts with a trace are judged by prompt and trace features among those that have one, the others by prompt
 * features alone. With nothing seen, all are alike. `features[i]` belongs to `memories[i]`.
 */
export function believe(
  memories: readonly PromptMemory[],
  features: readonly ArrayLike<number>[],
  step: number,
  settings: FitSettings,
): Belief[] {
  const seen = observationsOf(memories, step, settings);
  const plain = processOver(seen, features, settings);
  const traced = tracedColumns(memories);
  const both = memories.map(({ promptId }, i) => {
    const own = traced.get(promptId);
    return own === undefined ? null : [...Array.from(features[i]), ...own];
  });
  const withTrace = seen.filter(({ place }) => both[place] !== null);
  const rich = processOver(
    withTrace,
    both.map((row) => row ?? []),
    settings,
  );
  return memories.map((_, i) => {
    const row = both[i];
    return row !== null && withTrace.length > 0 ? rich(row) : plain(features[i]);
  });
}

/** Trace features on a common scale, over the prompts that have them. */
function tracedColumns(memories: readonly PromptMemory[]): Map<string, number[]> {
  const rows = memories.flatMap(({ promptId, traced }) =>
    traced === null ? [] : [{ promptId, traced }],
  );
  const columns = (rows[0]?.traced ?? []).map((_, j) =>
    standardised(
      rows.map(({ traced }) => traced[j]),
      RESOLUTION,
    ),
  );
  return new Map(rows.map(({ promptId }, i) => [promptId, columns.map((column) => column[i])]));
}

/** The latest `memory` visited prompts. */
function observationsOf(
  memories: readonly PromptMemory[],
  step: number,
  { noise, decay, memory }: FitSettings,
): Observation[] {
  const visited = memories.flatMap((one, place) => {
    const total = one.hits + one.misses;
    return one.seen < 0 || total <= 0 ? [] : [{ one, place, total }];
  });
  visited.sort((a, b) => b.one.seen - a.one.seen || a.place - b.place);
  return visited.slice(0, memory).map(({ one, place, total }) => {
    const share = one.hits / total;
    // share (1 - share) is too small by (n - 1) / n on average over n rollouts.
    const utility = total > 1 ? Math.min(0.25, (share * (1 - share) * total) / (total - 1)) : 0.25;
    const rollouts = total * decay ** Math.max(0, step - one.seen);
    return { place, share, utility, noise: (noise * 8) / Math.max(rollouts, 1e-9) };
  });
}

/** Predicts from features; with nothing seen, mu = 1/2 and the most utility everywhere. */
function processOver(
  seen: readonly Observation[],
  features: readonly ArrayLike<number>[],
  { reach }: FitSettings,
): (row: ArrayLike<number>) => Belief {
  if (seen.length === 0) return () => ({ mu: 0.5, utility: 0.25 });
  const rows = seen.map(({ place }) => features[place]);
  const width = 2 * reach * Math.max(1, rows[0].length);
  const kernel = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Math.exp(-squaredDistance(a, b) / width);
  const lower = rows.map((row, i) => {
    const line = new Float64Array(rows.length);
    for (let j = 0; j < i; j++) line[j] = kernel(row, rows[j]);
    line[i] = 1 + seen[i].noise;
    return line;
  });
  const shares = seen.map(({ share }) => share);
  const utilities = seen.map(({ utility }) => utility);
  const [meanShare, meanUtility] = [average(shares), average(utilities)];
  const solve = positiveSolver(lower);
  const shareWeights = solve(Float64Array.from(shares, (v) => v - meanShare));
  const utilityWeights = solve(Float64Array.from(utilities, (v) => v - meanUtility));
  return (row) => {
    let mu = meanShare;
    let utility = meanUtility;
    for (const [i, other] of rows.entries()) {
      const near = kernel(row, other);
      mu += shareWeights[i] * near;
      utility += utilityWeights[i] * near;
    }
    return { mu: bounded(mu, 0, 1), utility: bounded(utility, LEAST_UTILITY, 0.25) };
  };
}

function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}

const bounded = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
