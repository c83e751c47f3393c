// Exact rational numbers on bigints. Every operation is bounded: a result beyond `maxBits` is undefined, so that a tower
// of powers costs no more than the check. Knows nothing of notation.

/** n/d in lowest terms, d > 0. */
export interface Q {
  n: bigint;
  d: bigint;
}

/** Numerators and denominators longer than this are not computed. 3,600 decimal digits hold every honest answer. */
const maxBits = 12_000;

export const zero: Q = { n: 0n, d: 1n };
export const one: Q = { n: 1n, d: 1n };
export const minusOne: Q = { n: -1n, d: 1n };
export const half: Q = { n: 1n, d: 2n };

export function integer(value: bigint | number): Q {
  return { n: BigInt(value), d: 1n };
}

/** n/d in lowest terms; undefined where d is 0 or the numbers are too long. */
export function ratio(n: bigint, d: bigint): Q | undefined {
  if (d === 0n) return undefined;
  const divisor = gcd(n, d) * (d < 0n ? -1n : 1n);
  const value = { n: n / divisor, d: d / divisor };
  return isLong(value.n) || isLong(value.d) ? undefined : value;
}

export function add(a: Q, b: Q): Q | undefined {
  return a.d === 1n && b.d === 1n ? ratio(a.n + b.n, 1n) : ratio(a.n * b.d + b.n * a.d, a.d * b.d);
}

export function multiply(a: Q, b: Q): Q | undefined {
  return ratio(a.n * b.n, a.d * b.d);
}

export function negate(a: Q): Q {
  return { n: -a.n, d: a.d };
}

/** 1/a; undefined for 0. */
export function inverse(a: Q): Q | undefined {
  return ratio(a.d, a.n);
}

/** a to an integer power; undefined for 0 to a negative power and where the result is too long. */
export function power(a: Q, exponent: bigint): Q | undefined {
  if (exponent < 0n) {
    const upside = inverse(a);
    return upside && power(upside, -exponent);
  }
  const bits = BigInt(Math.max(bitLength(a.n), bitLength(a.d)));
  if (bits > 1n && bits * exponent > BigInt(maxBits)) return undefined;
  if (bits <= 1n) return a.n < 0n && exponent % 2n === 0n ? one : exponent === 0n ? one : a;
  return { n: a.n ** exponent, d: a.d ** exponent };
}

/** -1, 0 or 1 as a is less than, equal to or greater than b. */
export function order(a: Q, b: Q): number {
  const left = a.n * b.d;
  const right = b.n * a.d;
  return left < right ? -1 : left > right ? 1 : 0;
}

export function equal(a: Q, b: Q): boolean {
  return a.n === b.n && a.d === b.d;
}

export function isInteger(a: Q): boolean {
  return a.d === 1n;
}

/** The largest integer that is not above a. */
export function floor(a: Q): bigint {
  const quotient = a.n / a.d;
  return a.n < 0n && quotient * a.d !== a.n ? quotient - 1n : quotient;
}

/** The nearest double; keeps its relative precision for long numerators and denominators. */
export function toNumber(a: Q): number {
  const direct = Number(a.n) / Number(a.d);
  if (Number.isFinite(direct) && direct !== 0) return direct;
  if (a.n === 0n) return 0;
  // Beyond the range of doubles on one side: shift both to 64 significant bits.
  const shiftN = Math.max(0, bitLength(a.n) - 64);
  const shiftD = Math.max(0, bitLength(a.d) - 64);
  const mantissa = Number(a.n >> BigInt(shiftN)) / Number(a.d >> BigInt(shiftD));
  return mantissa * 2 ** (shiftN - shiftD);
}

/** A spelling that is the same exactly for equal values. */
export function keyOf(a: Q): string {
  return a.d === 1n ? a.n.toString(36) : `${a.n.toString(36)}/${a.d.toString(36)}`;
}

export function gcd(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a;
  let y = b < 0n ? -b : b;
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** Length of |a| in bits; cheap for numbers of any length. */
function bitLength(a: bigint): number {
  const absolute = a < 0n ? -a : a;
  return absolute < 0x1_0000_0000n
    ? 32 - Math.clz32(Number(absolute))
    : absolute.toString(16).length * 4;
}

function isLong(a: bigint): boolean {
  return bitLength(a) > maxBits;
}
