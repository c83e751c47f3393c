/**
 * Correlations beside the plain ones of core/ranks.ts: partial rank, and with a yes or no.
 */
import { averageRanks, pearson } from '../core/ranks.ts';

/**
 * Spearman correlation of `a` and `b` with the ranks of `covariate` held fixed (first-order partial
 * correlation on ranks). NaN when undefined: a constant side, or a side that the covariate determines.
 */
export function partialSpearman(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  covariate: ArrayLike<number>,
): number {
  const [ra, rb, rc] = [averageRanks(a), averageRanks(b), averageRanks(covariate)];
  const ab = pearson(ra, rb);
  const ac = pearson(ra, rc);
  const bc = pearson(rb, rc);
  const left = (1 - ac) * (1 + ac);
  const right = (1 - bc) * (1 + bc);
  // Rounding alone leaves about 1e-16 where the covariate determines a side.
  if (!(left > 1e-12) || !(right > 1e-12)) return Number.NaN;
  return Math.max(-1, Math.min(1, (ab - ac * bc) / Math.sqrt(left * right)));
}

/**
 * Point-biserial correlation of values `u` with outcomes `r` in {0, 1}, -1..1 (METHOD.md section 8; arXiv 2601.22595):
 * (mean u where r is 1 - mean u where r is 0) / s * sqrt(n0 n1 / n^2), s the population standard deviation of u.
 * It equals the Pearson correlation of the two lists. null where it is undefined: all outcomes agree, all values
 * are equal, or there are none. RangeError for lists of different lengths, values that are not finite, other outcomes.
 */
export function pointBiserial(u: ArrayLike<number>, r: ArrayLike<number>): number | null {
  const n = u.length;
  if (n !== r.length) throw new RangeError(`pointBiserial: ${n} values, ${r.length} outcomes`);
  const values = Float64Array.from(u);
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(values[i])) throw new RangeError(`pointBiserial: value ${i} is ${u[i]}`);
    if (r[i] !== 0 && r[i] !== 1) throw new RangeError(`pointBiserial: outcome ${i} is ${r[i]}`);
  }
  const positives = Array.from(r).reduce((sum, outcome) => sum + outcome, 0);
  const negatives = n - positives;
  const scaled = unitSpread(values);
  if (positives === 0 || negatives === 0 || scaled === null) return null;
  const sumOfAll = scaled.reduce((sum, value) => sum + value, 0);
  const sumOfPositives = scaled.reduce((sum, value, i) => sum + value * r[i], 0);
  const gap = sumOfPositives / positives - (sumOfAll - sumOfPositives) / negatives;
  const variance = scaled.reduce((sum, value) => sum + (value - sumOfAll / n) ** 2, 0) / n;
  const rpb = (gap / Math.sqrt(variance)) * Math.sqrt((negatives / n) * (positives / n));
  return Math.max(-1, Math.min(1, rpb));
}

/**
 * Values less the first one, the largest of size 1: no correlation depends on this, and squares of tiny or huge
 * values would leave the range of a double. null when all are equal.
 */
function unitSpread(values: Float64Array): Float64Array | null {
  const shifted = values.map((value) => value / 2 - values[0] / 2); // halves, for a difference may overflow
  const size = shifted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return size === 0 ? null : shifted.map((value) => value / size);
}
