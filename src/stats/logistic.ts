/**
 * Ridge logistic regression by damped Newton steps. Knows nothing of what the features mean.
 */

import { solvePositive } from './linear.ts';

export interface LogisticModel {
  /** One coefficient per feature. */
  coefficients: Float64Array;
  intercept: number;
}

export interface LogisticOptions {
  /** Penalty lambda / 2 * |coefficients|^2, the intercept free; must be > 0, so that a separable sample has a solution. */
  ridge: number;
  /** One positive weight per row; all 1 when left out. */
  weights?: ArrayLike<number>;
}

/**
 * Minimises sum_i w_i * (cross-entropy of target_i in [0, 1]) + ridge / 2 * |coefficients|^2.
 * `rows` are feature vectors of equal length.
 *
 * Newton's full step diverges on nearly separable data, so it is halved until the loss falls.
 */
export function fitLogistic(
  rows: readonly ArrayLike<number>[],
  targets: ArrayLike<number>,
  options: LogisticOptions,
): LogisticModel {
  if (rows.length !== targets.length) {
    throw new RangeError(`fitLogistic: ${rows.length} rows, ${targets.length} targets`);
  }
  const width = rows.length === 0 ? 0 : rows[0].length;
  let beta = new Float64Array(width + 1); // the intercept is last
  let current = loss(rows, targets, options, beta);
  for (let iteration = 0; iteration < 100; iteration++) {
    const { gradient, hessian } = derivatives(rows, targets, options, beta);
    const step = solvePositive(hessian, gradient);
    let scale = 1;
    let next = beta;
    let lower = current;
    for (; scale > 1e-10; scale /= 2) {
      next = beta.map((value, j) => value - scale * step[j]);
      lower = loss(rows, targets, options, next);
      if (lower <= current) break;
    }
    const moved = Math.max(0, ...step.map((value) => Math.abs(value * scale)));
    if (lower > current) break; // rounding has eaten the descent: this is the minimum
    beta = next;
    current = lower;
    if (moved < 1e-12) break;
  }
  return { coefficients: beta.slice(0, width), intercept: beta[width] };
}

/** Probability that the model gives to a feature vector. */
export function logisticAt(model: LogisticModel, row: ArrayLike<number>): number {
  let logit = model.intercept;
  for (let j = 0; j < row.length; j++) logit += model.coefficients[j] * row[j];
  return sigmoid(logit);
}

function sigmoid(logit: number): number {
  return logit >= 0 ? 1 / (1 + Math.exp(-logit)) : Math.exp(logit) / (1 + Math.exp(logit));
}

function logitOf(row: ArrayLike<number>, beta: Float64Array): number {
  let logit = beta[row.length];
  for (let j = 0; j < row.length; j++) logit += beta[j] * row[j];
  return logit;
}

function loss(
  rows: readonly ArrayLike<number>[],
  targets: ArrayLike<number>,
  { ridge, weights }: LogisticOptions,
  beta: Float64Array,
): number {
  let total = 0;
  for (let i = 0; i < rows.length; i++) {
    const logit = logitOf(rows[i], beta);
    const softplus = Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit)));
    total += (weights === undefined ? 1 : weights[i]) * (softplus - targets[i] * logit);
  }
  for (let j = 0; j < beta.length - 1; j++) total += (ridge / 2) * beta[j] ** 2;
  return total;
}

function derivatives(
  rows: readonly ArrayLike<number>[],
  targets: ArrayLike<number>,
  { ridge, weights }: LogisticOptions,
  beta: Float64Array,
): { gradient: Float64Array; hessian: Float64Array[] } {
  const size = beta.length;
  const gradient = new Float64Array(size);
  const hessian = Array.from({ length: size }, () => new Float64Array(size));
  for (let i = 0; i < rows.length; i++) {
    const weight = weights === undefined ? 1 : weights[i];
    const p = sigmoid(logitOf(rows[i], beta));
    const slope = weight * (p - targets[i]);
    const curvature = weight * p * (1 - p);
    for (let j = 0; j < size; j++) {
      const xj = j < size - 1 ? rows[i][j] : 1;
      gradient[j] += slope * xj;
      for (let k = 0; k <= j; k++)
        hessian[j][k] += curvature * xj * (k < size - 1 ? rows[i][k] : 1);
    }
  }
  for (let j = 0; j < size - 1; j++) {
    gradient[j] += ridge * beta[j];
    hessian[j][j] += ridge;
  }
  // Saturated probabilities leave the intercept without curvature: keep the matrix invertible.
  hessian[size - 1][size - 1] += 1e-12;
  return { gradient, hessian };
}
