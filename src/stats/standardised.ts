/** Values on a common scale. Knows nothing of what they mean. */

/**
 * Mean 0 and variance 1 (over n). A constant, one whose deviation is at most `resolution` times its mean's size (1 at
 * least), becomes zeros.
 */
export function standardised(values: ArrayLike<number>, resolution: number): Float64Array {
  const own = Float64Array.from(values);
  const n = own.length;
  const mean = own.reduce((sum, value) => sum + value, 0) / n;
  const deviation = Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
  const varies = deviation > resolution * Math.max(1, Math.abs(mean));
  return own.map((value) => (varies ? (value - mean) / deviation : 0));
}
