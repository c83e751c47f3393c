/** Linear systems. Knows nothing of what they stand for. */

/** Solves A x = b for a symmetric positive definite A of which the lower triangle is given, [n][n] (Cholesky). */
export function solvePositive(lower: readonly Float64Array[], b: Float64Array): Float64Array {
  return positiveSolver(lower)(b);
}

/** The same for several right sides b: A is factored once. */
export function positiveSolver(
  lower: readonly Float64Array[],
): (b: Float64Array) => Float64Array<ArrayBuffer> {
  const n = lower.length;
  const factor = lower.map((row) => Float64Array.from(row));
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = factor[i][j];
      for (let k = 0; k < j; k++) sum -= factor[i][k] * factor[j][k];
      factor[i][j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / factor[j][j];
    }
  }
  return (b) => {
    const x = Float64Array.from(b);
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < i; k++) x[i] -= factor[i][k] * x[k];
      x[i] /= factor[i][i];
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) x[i] -= factor[k][i] * x[k];
      x[i] /= factor[i][i];
    }
    return x;
  };
}
