/** How far numbers are from their reference. */
import { expect } from 'vitest';

/** Largest absolute difference of two rows, which are of the same length or the test fails. */
export function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}
