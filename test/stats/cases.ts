/**
 * Seeded inputs on which src/stats is compared with SciPy: ties, few values, large and tiny ones. Uniform numbers
 * only, which are the same on every machine.
 */
import { type RandomStream, stream } from '../../src/core/random.ts';

const SEED = 20;

/** `count` inputs, each made from a random stream of its own. */
export function many<T>(
  name: string,
  count: number,
  make: (random: RandomStream, i: number) => T,
): T[] {
  return Array.from({ length: count }, (_, i) => make(stream(SEED, name, i), i));
}

export function list<T>(n: number, make: (i: number) => T): T[] {
  return Array.from({ length: n }, (_, i) => make(i));
}

/** In -2..2 times `scale`. */
export function reals(random: RandomStream, n: number, scale: number = 1): number[] {
  return list(n, () => (random.uniform() - 0.5) * 4 * scale);
}

/** Few levels, a sixty-fourth apart, so that differences that look equal are equal. */
export function tied(random: RandomStream, n: number, levels: number = 5): number[] {
  return list(n, () => random.below(levels) / 64);
}

/** Positive, over several orders of magnitude. */
export function costs(random: RandomStream, n: number): number[] {
  return list(n, () => 2 ** (6 + 6 * random.uniform()));
}

/** Both classes occur. */
export function outcomes(random: RandomStream, n: number): number[] {
  return list(n, (i) => (i < 2 ? i : random.below(2)));
}

export interface Pairs {
  a: number[];
  b: number[];
}

/** Pairs that differ by about what they vary, every third with ties, some huge and some tiny. */
export function pairsOf(name: string, sizes: readonly number[]): Pairs[] {
  return many(name, 3 * sizes.length, (random, i) => {
    const n = sizes[Math.floor(i / 3)];
    if (i % 3 === 0) return { a: tied(random, n, 9), b: tied(random, n, 7) };
    const scale = i % 3 === 1 ? 1 : 10 ** (12 * random.uniform() - 6);
    const b = reals(random, n, scale);
    const shift = reals(random, n, scale).map((value) => value + 0.4 * scale);
    return { a: b.map((value, j) => value + shift[j]), b };
  });
}
