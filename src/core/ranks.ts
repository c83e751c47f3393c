/**
 * Ranks and the two correlations that everything compares scores with.
 *
 * Knows nothing of prompts or scores: plain lists of numbers in, numbers out.
 */

/**
 * Ranks 1..n of `values`, ascending; equal values share the mean of their ranks. RangeError on NaN,
 * which has no rank.
 */
export function averageRanks(values: ArrayLike<number>): Float64Array {
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) throw new RangeError(`value ${i} of ${values.length} is NaN`);
  }
  const order = Array.from({ length: values.length }, (_, i) => i).sort(
    (a, b) => values[a] - values[b],
  );
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let i = start; i < end; i++) ranks[order[i]] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

/**
 * The ranks that `averageRanks` gives to resamples of one list. Values are sorted once; a resample is ranked by counting, in
 * time that grows with its size alone.
 */
export class ResampledRanks {
  /** Of each value, the number of its class of equals, ascending. */
  private readonly classOf: Int32Array;
  private readonly classes: number;

  /** RangeError on NaN. */
  constructor(values: ArrayLike<number>) {
    const ranks = averageRanks(values);
    const distinct = [...new Set(ranks)].sort((a, b) => a - b);
    const numbers = new Map(distinct.map((rank, number) => [rank, number]));
    this.classOf = Int32Array.from(ranks, (rank) => numbers.get(rank) ?? 0);
    this.classes = distinct.length;
  }

  /** Ranks 1..n of the values at `indices` (n of them, repeated or not) among each other. */
  at(indices: Int32Array): Float64Array {
    const counts = new Int32Array(this.classes);
    for (const i of indices) counts[this.classOf[i]]++;
    const rankOf = new Float64Array(this.classes);
    let start = 0;
    for (let one = 0; one < this.classes; one++) {
      const end = start + counts[one];
      rankOf[one] = (start + 1 + end) / 2;
      start = end;
    }
    return Float64Array.from(indices, (i) => rankOf[this.classOf[i]]);
  }
}

/**
 * Pearson correlation of two lists of equal length, -1..1.
 * NaN when it is undefined: fewer than two pairs, or a side without variance.
 */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) {
    throw new RangeError(`pearson: lists of ${a.length} and ${b.length} numbers`);
  }
  if (a.length < 2 || isConstant(a) || isConstant(b)) return Number.NaN;
  const meanA = mean(a);
  const meanB = mean(b);
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] - meanA;
    const y = b[i] - meanB;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  // Two roots, not the root of a product: tiny variances would underflow to 0 in the product.
  const r = ab / (Math.sqrt(aa) * Math.sqrt(bb));
  return Math.min(1, Math.max(-1, r));
}

/**
 * Spearman rank correlation of two lists of equal length, -1..1, ties by average ranks.
 * NaN when it is undefined: fewer than two pairs, or a side where all values are equal.
 */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return pearson(averageRanks(a), averageRanks(b));
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

// Compared exactly: the variance of equal values, computed from a rounded mean, need not be 0.
function isConstant(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}
