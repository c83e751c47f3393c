/** Principal components by subspace iteration. Knows nothing of what the features mean. */
import { stream } from '../core/random.ts';
import { standardised } from './standardised.ts';

const ITERATIONS = 30;
/** Features that vary by less, relative to their mean, are constant. */
const RESOLUTION = 1e-9;

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
  const kept = basis
    .map((axis) =>
      standardised(
        data.map((row) => dot(row, axis)),
        RESOLUTION,
      ),
    )
    .filter((score) => score.some((value) => value !== 0));
  return rows.map((_, i) => Float64Array.from(kept, (score) => score[i]));
}

const toArray = (values: readonly number[]) => Float64Array.from(values);

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function standardisedColumns(rows: readonly ArrayLike<number>[], width: number): Float64Array[] {
  const result = rows.map(() => new Float64Array(width));
  for (let j = 0; j < width; j++) {
    const column = standardised(
      rows.map((row) => row[j]),
      RESOLUTION,
    );
    for (const [i, value] of column.entries()) result[i][j] = value;
  }
  return result;
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
