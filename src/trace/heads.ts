/**
 * Which heads are kept: those that look back farthest on average (METHOD, section 3, step 1).
 *
 * Knows nothing of where the mean distances come from.
 */
import type { Head } from './types.ts';

/**
 * The share `psi` (0..1, rounded to whole heads, at least `minHeads`, at most all) of the heads with
 * the largest mean attention distance, listed by layer and head.
 *
 * `meanDistance` is [layers * heads] in tokens, layer-major. Of equal heads the one in the lower layer,
 * then with the lower number, is kept. RangeError when the length is wrong or a value is not finite.
 */
export function selectHeads(
  meanDistance: ArrayLike<number>,
  layers: number,
  heads: number,
  psi: number,
  minHeads = 2,
): Head[] {
  const total = layers * heads;
  if (meanDistance.length !== total) {
    throw new RangeError(`${meanDistance.length} mean distances for ${layers} x ${heads} heads`);
  }
  const order = Array.from({ length: total }, (_, i) => i);
  const bad = order.find((i) => !Number.isFinite(meanDistance[i]));
  if (bad !== undefined) {
    throw new RangeError(
      `mean distance of layer ${Math.floor(bad / heads)}, head ${bad % heads} is ${meanDistance[bad]}`,
    );
  }
  const kept = Math.min(total, Math.max(minHeads, Math.round(psi * total)));
  return order
    .sort((a, b) => meanDistance[b] - meanDistance[a] || a - b)
    .slice(0, kept)
    .sort((a, b) => a - b)
    .map((i) => ({ layer: Math.floor(i / heads), head: i % heads }));
}
