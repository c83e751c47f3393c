/**
 * The standard normal distribution to double precision; the one of simple-statistics is a table of four digits.
 */
import { symmetricQuantile } from './quantile.ts';

/** Beyond this, in standard deviations, the continued fraction needs fewer terms than the series. */
const TAIL = 3;
/** More than enough for full precision at TAIL. */
const TERMS = 100;

/** P(Z <= z), to a relative precision of about 1e-13 in either tail that is near 0. */
export function normalCdf(z: number): number {
  if (z > 0) return 1 - normalCdf(-z);
  const x = -z;
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  return x < TAIL ? 0.5 - density * series(x) : density / continuedFraction(x);
}

/** The z with P(Z <= z) = p, for 0 <= p <= 1; infinite at the ends. RangeError for any other p. */
export function normalQuantile(p: number): number {
  return symmetricQuantile(p, normalCdf);
}

/** (Phi(x) - 1/2) / phi(x) = x + x^3 / 3 + x^5 / (3 * 5) + ..., all terms positive (Marsaglia 2004). */
function series(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 3; term > 1e-17 * sum; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return sum;
}

/** phi(x) / (1 - Phi(x)) = x + 1 / (x + 2 / (x + 3 / (x + ...))) (Laplace; Abramowitz and Stegun 26.2.14). */
function continuedFraction(x: number): number {
  let value = x;
  for (let k = TERMS; k >= 1; k--) value = x + k / value;
  return value;
}
