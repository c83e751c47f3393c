/** Principal components against the eigenvectors of the correlation matrix by Jacobi rotations. */
import { describe, expect, test } from 'vitest';
import { stream } from '../core/random.ts';
import { principalComponents } from './pca.ts';

/** `n` rows of `width` features that are mixtures of factors with these standard deviations, and a little noise. */
function mixtures(n: number, width: number, sizes: readonly number[], noise = 0, seed = 1) {
  const random = stream(seed, 'mixtures');
  const normals = (count: number) => Array.from({ length: count }, () => random.normal());
  const directions = sizes.map(() => normals(width));
  return Array.from({ length: n }, () => {
    const factors = sizes.map((size) => size * random.normal());
    return Float64Array.from({ length: width }, (_, j) => {
      const signal = factors.reduce((sum, factor, k) => sum + factor * directions[k][j], 0);
      return 5 * j + (1 + j) * (signal + noise * random.normal());
    });
  });
}

function standardised(rows: readonly ArrayLike<number>[]): number[][] {
  const width = rows[0].length;
  const columns = Array.from({ length: width }, (_, j) => {
    const values = rows.map((row) => row[j]);
    const mean = values.reduce((a, b) => a + b, 0) / rows.length;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / rows.length;
    return values.map((x) => (x - mean) / Math.sqrt(variance));
  });
  return rows.map((_, i) => columns.map((column) => column[i]));
}

/** Eigenvalues and vectors of a symmetric matrix, the largest first (cyclic Jacobi; Golub and Van Loan, 8.5). */
function eigen(matrix: readonly (readonly number[])[]): { value: number; vector: number[] }[] {
  const n = matrix.length;
  const a = matrix.map((row) => [...row]);
  const v = matrix.map((_, i) => matrix.map((__, j) => Number(i === j)));
  for (let sweep = 0; sweep < 60; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(a[p][q]) < 1e-300) continue;
        const theta = 0.5 * Math.atan2(2 * a[p][q], a[q][q] - a[p][p]);
        const [c, s] = [Math.cos(theta), Math.sin(theta)];
        for (const row of [...a, ...v])
          [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
        const [up, uq] = [[...a[p]], [...a[q]]];
        a[p] = up.map((x, k) => c * x - s * uq[k]);
        a[q] = up.map((x, k) => s * x + c * uq[k]);
      }
    }
  }
  return a
    .map((row, i) => ({ value: row[i], vector: v.map((one) => one[i]) }))
    .sort((one, other) => other.value - one.value);
}

/** Scores of variance 1 along the first eigenvectors of the correlation matrix. */
function oracle(rows: readonly ArrayLike<number>[], count: number): number[][] {
  const x = standardised(rows);
  const width = x[0].length;
  const correlation = Array.from({ length: width }, (_, j) =>
    Array.from(
      { length: width },
      (__, k) => x.reduce((sum, row) => sum + row[j] * row[k], 0) / x.length,
    ),
  );
  return eigen(correlation)
    .slice(0, count)
    .map(({ value, vector }) =>
      x.map((row) => row.reduce((sum, one, j) => sum + one * vector[j], 0) / Math.sqrt(value)),
    );
}

const columnsOf = (scores: readonly Float64Array[]) =>
  Array.from({ length: scores[0].length }, (_, k) => scores.map((row) => row[k]));
const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, x, i) => sum + x * b[i], 0);

/** Equal up to the sign. */
function expectSame(found: readonly number[], wanted: readonly number[], digits: number): void {
  const sign = Math.sign(dot(found, wanted));
  for (const [i, x] of found.entries()) expect(sign * x).toBeCloseTo(wanted[i], digits);
}

describe('principalComponents', () => {
  const rows = mixtures(80, 12, [8, 3, 1], 0.2);

  test('are scores along the eigenvectors of the correlation matrix, the largest first', () => {
    const found = columnsOf(principalComponents(rows, 3));
    const wanted = oracle(rows, 3);
    expect(found).toHaveLength(3);
    for (const [k, column] of found.entries()) expectSame(column, wanted[k], 6);
  });

  test('have mean 0, variance 1 and nothing in common', () => {
    const found = columnsOf(principalComponents(rows, 3));
    for (const [k, column] of found.entries()) {
      expect(column.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 9);
      expect(dot(column, column) / column.length).toBeCloseTo(1, 9);
      for (const other of found.slice(0, k))
        expect(dot(column, other) / column.length).toBeCloseTo(0, 6);
    }
  });

  test('are the same every time, and for a part of them', () => {
    const found = principalComponents(rows, 3);
    expect(principalComponents(rows, 3)).toEqual(found);
    expect(
      principalComponents(
        rows.map((row) => Float64Array.from(row)),
        3,
      ),
    ).toEqual(found);
    for (const [k, column] of columnsOf(principalComponents(rows, 2)).entries())
      expectSame(column, columnsOf(found)[k], 6);
  });

  test('do not depend on the unit of a feature', () => {
    const scaled = rows.map((row) => row.map((x, j) => (j % 2 === 0 ? 1000 * x - 7 : x / 50)));
    const found = columnsOf(principalComponents(scaled, 3));
    for (const [k, column] of columnsOf(principalComponents(rows, 3)).entries())
      expectSame(found[k], column, 6);
  });

  test('ignore constant features', () => {
    const padded = rows.map((row) => Float64Array.of(3, ...row, 0));
    const found = columnsOf(principalComponents(padded, 3));
    for (const [k, column] of columnsOf(principalComponents(rows, 3)).entries())
      expectSame(found[k], column, 6);
  });

  test('are as many as the rank', () => {
    for (const [n, width, asked, rank] of [
      [40, 10, 8, 2],
      [40, 1, 5, 1],
      [3, 50, 24, 2],
      [2, 4, 2, 1],
    ]) {
      const wide = mixtures(n, width, [4, 2]);
      const scores = principalComponents(wide, asked);
      expect(scores).toHaveLength(n);
      for (const row of scores) expect(row).toHaveLength(Math.min(rank, width));
      expect(scores.flatMap((row) => [...row]).every(Number.isFinite)).toBe(true);
    }
  });

  test('may be none', () => {
    const none = (n: number) => Array.from({ length: n }, () => new Float64Array(0));
    expect(principalComponents(rows, 0)).toEqual(none(80));
    expect(principalComponents([], 5)).toEqual([]);
    expect(principalComponents(none(4), 5)).toEqual(none(4));
    expect(principalComponents([rows[0]], 5)).toEqual(none(1));
    expect(principalComponents([rows[0], rows[0], rows[0]], 5)).toEqual(none(3));
  });
});
