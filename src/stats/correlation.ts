/**
 * Partial rank correlation. The plain one is in core/ranks.ts.
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
