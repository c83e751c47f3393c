/** How sure a share is that was counted. */
import { normalQuantile } from './normal.ts';

/**
 * The interval of Wilson (1927) for a share of which `hits` of `count` were seen, 0..1 each; it is sound for few counts
 * and for shares near 0 and 1. RangeError where `count` is 0 or `hits` is none of 0..count.
 */
export function wilson(
  hits: number,
  count: number,
  confidence = 0.95,
): { low: number; high: number } {
  if (!(count > 0 && hits >= 0 && hits <= count)) throw new RangeError(`${hits} of ${count}`);
  const z = normalQuantile((1 + confidence) / 2);
  const share = hits / count;
  const scale = 1 + (z * z) / count;
  const centre = (share + (z * z) / (2 * count)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / count + (z / (2 * count)) ** 2);
  // At the ends rounding would leave a trace of the difference.
  return { low: hits === 0 ? 0 : centre - half, high: hits === count ? 1 : centre + half };
}
