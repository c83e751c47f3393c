/** Principal components by subspace iteration. Knows nothing of what the features mean. */
import { stream } from '../core/random.ts';

const ITERATIONS = 30;

/**
 * The first `count` principal component scores of `rows` (feature vectors of equal length), each with mean 0 and
 * variance 1 over the rows: [rows][components]. Features are standardised first; constant ones count as 0. Gives fewer
 * components where the rank is lower. Deterministic; signs are arbitrary.
 *
 * Orthogonal iteration from a fixed random start (Golub and Van Loan, Matrix Computations, section 8.2.4): the feature
 * covariance is never formed, so that the cost is linear in the width.
 */
export function principalComponents(
  rows: readonly ArrayLike<number>[],
  count: number,
): Float64Array[] {
  const width = rows[0]?.length ?? 0;
  const size = Math.min(count, width, rows.length);
  const data = standardisedColumns(rows, width);
  const random = stream(0, 'pca');
  let scores: Float64Array[] = [];
  let basis = orthonormal(
    Array.from({ length: size }, () => Float64Array.from({ length: width }, () => random.normal())),
  );
  for (let i = 0; i < ITERATIONS; i++) {
    scores = basis.map((axis) => data.map((row) => dot(row, axis))).map(toArray);
    basis = orthonormal(
      scores.map((score) => {
        const axis = new Float64Array(width);
        for (const [at, row] of data.entries()) {
          for (let j = 0; j < width; j++) axis[j] += score[at] * row[j];
        }
        return axis;
      }),
    );
  }
  const kept = basis.map((axis) => unitVariance(data.map((row) => dot(row, axis)))).filter(isGiven);
  return rows.map((_, i) => Float64Array.from(kept, (score) => score[i]));
}

const toArray = (values: readonly number[]) => Float64Array.from(values);
const isGiven = (score: Float64Array | undefined): score is Float64Array => score !== undefined;

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function standardisedColumns(rows: readonly ArrayLike<number>[], width: number): Float64Array[] {
  const result = rows.map(() => new Float64Array(width));
  for (let j = 0; j < width; j++) {
    const column = unitVariance(rows.map((row) => row[j]));
    if (column === undefined) continue;
    for (const [i, value] of column.entries()) result[i][j] = value;
  }
  return result;
}

/** Mean 0, variance 1; undefined for a constant. */
function unitVariance(values: readonly number[]): Float64Array | undefined {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
  if (!(deviation > 1e-9 * Math.max(1, Math.abs(mean)))) return undefined;
  return Float64Array.from(values, (value) => (value - mean) / deviation);
}

/** Gram-Schmidt; a vector that depends on those before it becomes zeros. */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const done: Float64Array[] = [];
  for (const vector of vectors) {
    const rest = Float64Array.from(vector);
    const before = Math.sqrt(dot(rest, rest));
    for (let pass = 0; pass < 2; pass++) {
      for (const axis of done) {
        const along = dot(rest, axis);
        for (let j = 0; j < rest.length; j++) rest[j] -= along * axis[j];
      }
    }
    const norm = Math.sqrt(dot(rest, rest));
    done.push(norm > 1e-10 * before ? rest.map((value) => value / norm) : rest.fill(0));
  }
  return done;
}
