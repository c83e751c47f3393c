/**
 * Pivots: the tokens where the signal changes most, and what they amount to in one response
 * (METHOD, section 3, steps 5 and 6).
 */

/** The pivots of one response. */
export interface PivotSummary {
  /** Response tokens T. */
  tokens: number;
  /** Positions of the pivots in the response, ascending, from 0. */
  positions: number[];
  /** n, the number of pivots. */
  count: number;
  /** rho = 100 n / T, pivots per 100 tokens; 0 for an empty response. */
  density: number;
  /** Sum of d_t - tau over the pivots, in the signal's unit: a continuous count that ties less. */
  excess: number;
}

/**
 * The tokens with d_t >= tau and d_t > 0 that are the maximum of their neighbourhood of
 * floor(delta / 2) tokens on either side. Of equal neighbours the earliest counts. NaN is never one.
 */
export function findPivots(changes: ArrayLike<number>, tau: number, delta: number): number[] {
  const reach = Math.floor(delta / 2);
  const out: number[] = [];
  for (let t = 0; t < changes.length; t++) {
    if (changes[t] > 0 && changes[t] >= tau && isPeak(changes, t, reach)) out.push(t);
  }
  return out;
}

function isPeak(changes: ArrayLike<number>, t: number, reach: number): boolean {
  for (let u = Math.max(0, t - reach); u < t; u++) if (changes[u] >= changes[t]) return false;
  const end = Math.min(changes.length - 1, t + reach);
  for (let u = t + 1; u <= end; u++) if (changes[u] > changes[t]) return false;
  return true;
}

/** Finds and sums up the pivots of one response's changes at the pool's threshold. */
export function summarisePivots(
  changes: ArrayLike<number>,
  tau: number,
  delta: number,
): PivotSummary {
  const positions = findPivots(changes, tau, delta);
  const tokens = changes.length;
  return {
    tokens,
    positions,
    count: positions.length,
    density: tokens === 0 ? 0 : (100 * positions.length) / tokens,
    excess: positions.reduce((sum, t) => sum + changes[t] - tau, 0),
  };
}
