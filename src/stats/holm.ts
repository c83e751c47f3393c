/**
 * Several comparisons at once. Knows nothing of what was compared.
 */

/**
 * Holm's step-down adjusted p-values (Holm 1979), in the order of `pValues`: rejecting where they are at most alpha
 * keeps the chance of any false rejection at alpha, however the tests depend on each other. NaN, a comparison that
 * could not be made, stays NaN and does not count as one. RangeError for a p outside 0..1.
 */
export function holm(pValues: ArrayLike<number>): Float64Array {
  const adjusted = new Float64Array(pValues.length).fill(Number.NaN);
  const order: number[] = [];
  for (let i = 0; i < pValues.length; i++) {
    if (pValues[i] < 0 || pValues[i] > 1) throw new RangeError(`holm: p = ${pValues[i]}`);
    if (!Number.isNaN(pValues[i])) order.push(i);
  }
  order.sort((a, b) => pValues[a] - pValues[b]);
  let floor = 0;
  for (const [rank, i] of order.entries()) {
    floor = Math.max(floor, Math.min(1, (order.length - rank) * pValues[i]));
    adjusted[i] = floor;
  }
  return adjusted;
}
