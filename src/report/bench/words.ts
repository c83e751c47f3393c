/** How the figures of a bench are written, the same in Markdown and on the page. Knows nothing of markup. */
import type { Estimate } from '../data.ts';
import { decimal, isKnown, percent, signed, whole } from '../format.ts';
import type { ArmResult, BenchData, Convergence, Paired, PoolResult } from './data.ts';

/** What an arm is called in a pool; its id where it has no result there. */
export function titleOf({ arms }: PoolResult, id: string): string {
  return arms.find((arm) => arm.id === id)?.title ?? id;
}

/** A value with its interval: `81.2 [80.1, 82.3]`. */
export function withInterval(
  estimate: Estimate | null,
  format: (value: number) => string,
): { value: string; interval: string | null } | null {
  if (estimate === null || !isKnown(estimate.value)) return null;
  const { value, low, high } = estimate;
  const interval = isKnown(low) && isKnown(high) ? `[${format(low)}, ${format(high)}]` : null;
  return { value: format(value), interval };
}

/** An accuracy in per cent, without the sign. */
export const points = (share: number): string => decimal(share * 100, 1);

/** A difference of accuracies, in points. */
export const pointsBetween = (share: number): string => signed(share * 100, 1);

export const times = (ratio: number): string => `${decimal(ratio, 2)}×`;

/** What was made before training, for under the number of rollouts; null where nothing was. */
export function beforeText({ rolloutsBefore, rolloutsUncounted }: ArmResult): string | null {
  const parts = [
    ...(rolloutsBefore > 0 ? [`${whole(rolloutsBefore)} before training`] : []),
    ...(rolloutsUncounted > 0 ? [`+${whole(rolloutsUncounted)} not counted`] : []),
  ];
  return parts.length === 0 ? null : parts.join(', ');
}

/** p-values as they are printed everywhere. */
export function pValue(p: number | null): string {
  if (p === null) return '–';
  return p < 0.001 ? '< .001' : decimal(p, 3).replace(/^0/, '');
}

/** Seeds that never had the accuracy. */
export function neverText({ seeds, reached }: Convergence): string {
  return reached === seeds ? 'none' : `${seeds - reached} of ${seeds}`;
}

/** What stands before a ratio in which a seed of the arm is counted at all that it spent. */
function atMost({ seeds, reached }: Convergence): string {
  return reached < seeds ? '≤ ' : '';
}

/**
 * A ratio, as `times` or better; `never` where no seed of the arm had the accuracy, since then it says how much was
 * spent and nothing else. The reference is not held against itself.
 */
export function ratioOf(
  arm: Pick<ArmResult, 'id' | 'convergence'>,
  reference: string,
  which: 'rollouts' | 'steps' | 'seconds',
): { prefix: string; estimate: Estimate } | 'never' | null {
  const { convergence } = arm;
  if (convergence === null || arm.id === reference) return null;
  if (convergence.reached === 0) return 'never';
  const estimate = convergence[which];
  return estimate === null ? null : { prefix: atMost(convergence), estimate };
}

/** What an arm shows against the reference, in one sentence; no more than its interval does. */
export function finding(arm: ArmResult, reference: string): string | null {
  const test = arm.minusReference;
  if (test === null) return null;
  const { value, low, high } = test.difference;
  const size = `${pointsBetween(value)} points against ${reference}`;
  if (low === null || high === null) return `${arm.title}: ${size}; one seed, no interval.`;
  const range = `95 % interval ${pointsBetween(low)} to ${pointsBetween(high)}`;
  const word = low > 0 ? 'better' : high < 0 ? 'worse' : 'not told apart';
  return `${arm.title} with ${percent(arm.labelShare)} of the labels: ${word}, ${size} (${range}${boundText(test)})${speed(arm, reference)}.`;
}

function boundText({ bound }: Paired): string {
  return bound === null ? '' : `, one-sided bound ${pointsBetween(bound)}`;
}

function speed({ convergence }: ArmResult, reference: string): string {
  if (convergence === null) return '';
  const { rollouts, seeds, reached } = convergence;
  if (reached === 0) return '; it never had that accuracy';
  const notes = [
    ...(rollouts.low === null || rollouts.high === null
      ? []
      : [`${decimal(rollouts.low, 2)} to ${decimal(rollouts.high, 2)}`]),
    ...(reached < seeds ? [`${seeds - reached} of ${seeds} seeds never had it`] : []),
  ];
  const range = notes.length === 0 ? '' : ` (${notes.join(', ')})`;
  const size = `${reached < seeds ? 'at most ' : ''}${times(rollouts.value)}`;
  return `; ${reference} needed ${size} as many rollouts to get there${range}`;
}

/** What every figure of the page means, in the order of the columns. */
export function definitions(data: BenchData): string[] {
  const { budget, k } = data;
  const within =
    budget === null
      ? 'the last evaluation of each run'
      : `the last evaluation within the budget of ${budget} rollouts (training ends with the step that reaches it, so up to one step more)`;
  return [
    `Accuracy is avg@${k ?? 'k'} on the held-out questions at ${within}; means over seeds with 95 % t intervals over seeds. Questions and samples are the same for all arms of a seed.`,
    'Rollouts are all responses made for an arm: scoring, choice of heads and probing before training, and every group of training, those without a gradient included. Evaluation is not counted. Where an arm was told not to count its scoring (count_scoring: false), what that took is shown beside its rollouts. Seconds are those of scoring, probing and training steps; arms that ran side by side shared the machine.',
    'Differences are paired by seed: t interval, one-sided 95 % lower bound, two-sided p of the paired t test, and the same p adjusted for all arms of the pool (Holm). The sign-flip p assumes no distribution; with n seeds it cannot be below 2 to the power 1 - n.',
    'Convergence asks when an arm has the reference’s mean final accuracy: on each seed’s rising fit (isotonic regression) of accuracy over rollouts, linear between evaluations, the reference’s own crossing found the same way. The ratio is the reference’s rollouts over the arm’s, geometric mean over seeds with a t interval on the logarithm.',
    'A seed that never has that accuracy is counted at all that it spent. For an arm this makes its ratio an upper bound; for the reference a lower one. The strict bound assumes nothing of such seeds (one-sided 95 %; 0 where an arm has one). The ratio on the mean curves averages over seeds first; its interval leaves out one seed at a time (jackknife).',
  ];
}
