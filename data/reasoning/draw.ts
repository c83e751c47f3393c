/** Small helpers to draw problems: numbers in a range, and draws that are repeated until they fit. */
import type { RandomStream } from '../../src/core/random.ts';

/** Uniform integer from `low` to `high`, both included. */
export function between(random: RandomStream, low: number, high: number): number {
  return low + random.below(high - low + 1);
}

/** Draws until `fits`; throws after 100,000 draws, since then the condition cannot be met. */
export function drawUntil<T>(draw: () => T, fits: (value: T) => boolean): T {
  for (let attempt = 0; attempt < 100_000; attempt++) {
    const value = draw();
    if (fits(value)) return value;
  }
  throw new Error('a problem of this kind could not be drawn');
}

/** The decimal digits of a number, ones first. */
export function digitsOf(number: number): number[] {
  return [...String(number)].reverse().map(Number);
}

/** Names of the decimal places, ones first. */
export const places = ['ones', 'tens', 'hundreds', 'thousands', 'ten thousands'] as const;

/** "columns: ones 7 8, tens 1 2." for numbers of equal length, digits ones first. */
export function columnLayout(top: readonly number[], bottom: readonly number[]): string {
  const columns = top.map((digit, at) => ` ${places[at]} ${digit} ${bottom[at]}`);
  return `columns:${columns.join(',')}.`;
}
