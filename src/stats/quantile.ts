/**
 * Quantiles of distributions that are symmetric around 0. Knows nothing of the distribution.
 */

/**
 * The x with cdf(x) = p, for 0 <= p <= 1 (infinite at the ends); by bisection, since speed does not matter
 * here. It is searched in the lower tail, where a cdf keeps its relative precision. RangeError for any other p.
 */
export function symmetricQuantile(p: number, cdf: (x: number) => number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a quantile of probability ${p}`);
  if (p === 0.5) return 0;
  // 1 - p is exact for p > 0.5.
  if (p > 0.5) return -symmetricQuantile(1 - p, cdf);
  if (p === 0) return -Infinity;
  let low = -1;
  while (cdf(low) > p) low *= 2;
  let high = 0;
  for (let i = 0; i < 200 && high - low > -1e-14 * low; i++) {
    const middle = (low + high) / 2;
    if (cdf(middle) > p) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}
