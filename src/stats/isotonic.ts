/**
 * Monotone least squares by pooling adjacent violators (Barlow et al. 1972). Knows nothing of what
 * is fitted.
 */

/** A fitted monotone function: linear between its knots, constant beyond them. */
export interface IsotonicFit {
  /** Ascending, distinct. */
  x: Float64Array;
  y: Float64Array;
}

/**
 * The weighted least-squares fit to `values` in their order that never falls. Weights must be
 * positive; all 1 when left out.
 */
export function poolAdjacentViolators(
  values: ArrayLike<number>,
  weights?: ArrayLike<number>,
): Float64Array {
  const n = values.length;
  const mean = new Float64Array(n);
  const weight = new Float64Array(n);
  const size = new Int32Array(n);
  let blocks = 0;
  for (let i = 0; i < n; i++) {
    mean[blocks] = values[i];
    weight[blocks] = weights === undefined ? 1 : weights[i];
    size[blocks] = 1;
    blocks++;
    while (blocks > 1 && mean[blocks - 2] > mean[blocks - 1]) {
      const [into, from] = [blocks - 2, blocks - 1];
      const total = weight[into] + weight[from];
      mean[into] = (mean[into] * weight[into] + mean[from] * weight[from]) / total;
      weight[into] = total;
      size[into] += size[from];
      blocks--;
    }
  }
  const fitted = new Float64Array(n);
  for (let block = 0, at = 0; block < blocks; block++) {
    fitted.fill(mean[block], at, at + size[block]);
    at += size[block];
  }
  return fitted;
}

/**
 * Monotone fit of y on x. Points with equal x are averaged first, so that a tie has one value.
 * An empty input gives a fit without knots, which predicts NaN.
 */
export function isotonicFit(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  direction: 'rising' | 'falling',
  weights?: ArrayLike<number>,
): IsotonicFit {
  if (x.length !== y.length)
    throw new RangeError(`isotonicFit: ${x.length} places, ${y.length} values`);
  const sign = direction === 'rising' ? 1 : -1;
  const order = Array.from({ length: x.length }, (_, i) => i).sort((a, b) => x[a] - x[b]);
  const knots: number[] = [];
  const means: number[] = [];
  const totals: number[] = [];
  for (const i of order) {
    const w = weights === undefined ? 1 : weights[i];
    const last = knots.length - 1;
    if (last >= 0 && knots[last] === x[i]) {
      means[last] = (means[last] * totals[last] + sign * y[i] * w) / (totals[last] + w);
      totals[last] += w;
    } else {
      knots.push(x[i]);
      means.push(sign * y[i]);
      totals.push(w);
    }
  }
  const fitted = poolAdjacentViolators(means, totals);
  return { x: Float64Array.from(knots), y: fitted.map((value) => sign * value) };
}

/** The fit's value at `x`; NaN for a fit without knots. */
export function isotonicAt(fit: IsotonicFit, x: number): number {
  const last = fit.x.length - 1;
  if (last < 0) return Number.NaN;
  if (x <= fit.x[0]) return fit.y[0];
  if (x >= fit.x[last]) return fit.y[last];
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fit.x[middle] <= x) low = middle;
    else high = middle;
  }
  const share = (x - fit.x[low]) / (fit.x[high] - fit.x[low]);
  return fit.y[low] + share * (fit.y[high] - fit.y[low]);
}
