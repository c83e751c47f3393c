/**
 * The monotone curve through the probes. Knows nothing of what is on its axes.
 */
import { type IsotonicFit, isotonicFit } from '../stats/isotonic.ts';

export interface Observation {
  x: number;
  y: number;
}

/** Probes in a window: `most`, or a third of few probes, at least 3 (or all there are). */
export function windowSize(probes: number, most: number): number {
  return Math.min(probes, most, Math.max(3, Math.ceil(probes / 3)));
}

/**
 * Falling isotonic fit to sliding-window estimates of `sorted` (ascending in x, y in 0..1).
 *
 * In simulations at a level of 0.9, bootstrap intervals of a plain isotonic fit cover 0.45 to 0.7 at
 * the ends, which hang on one or two probes; those of window means 0 to 0.9 there, since a window
 * cannot be centred at an end. A falling line per window covers 0.83 to 1 throughout and errs least.
 * `coin` is the outcome of one more probe in every window; left out, there is none.
 */
export function smoothFallingFit(
  sorted: readonly Observation[],
  window: number,
  coin?: number,
): IsotonicFit {
  const size = windowSize(sorted.length, window);
  const estimates = sorted.map(({ x }, i) => {
    const from = Math.min(Math.max(0, i - (size >> 1)), sorted.length - size);
    return lineAt(sorted, from, from + size, x, coin);
  });
  return isotonicFit(
    sorted.map((point) => point.x),
    estimates,
    'falling',
  );
}

/** Least-squares line through points from..to-1 (and the coin, at x) read at x; level where it would rise. */
function lineAt(
  points: readonly Observation[],
  from: number,
  to: number,
  x: number,
  coin: number | undefined,
): number {
  let count = coin === undefined ? 0 : 1;
  let sumY = coin ?? 0;
  let sumX = 0;
  let sumXX = 0;
  let sumXY = 0;
  for (let j = from; j < to; j++) {
    const distance = points[j].x - x;
    count++;
    sumX += distance;
    sumY += points[j].y;
    sumXX += distance * distance;
    sumXY += distance * points[j].y;
  }
  const spread = count * sumXX - sumX * sumX;
  // Resampled probes repeat: a window of equal places has no slope.
  const slope =
    spread > 1e-12 * count * sumXX ? Math.min(0, (count * sumXY - sumX * sumY) / spread) : 0;
  return Math.min(1, Math.max(0, (sumY - slope * sumX) / count));
}
