/**
 * Seeded randomness, addressed by name.
 *
 * A stream is a function of (seed, path of keys) alone, so that the order in which work is done never
 * changes a result: stream(7, 'rollout', promptId, sample) is the same whoever asks, and when.
 */
import { createHash } from 'node:crypto';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

export interface RandomStream {
  /** Uniform in [0, 1), 53 random bits. */
  uniform(): number;
  /** Uniform integer in 0..n-1. n must be at least 1. */
  below(n: number): number;
  /** Standard normal. */
  normal(): number;
  /** A new array with the items of `items` in random order (Fisher-Yates). */
  shuffled<T>(items: readonly T[]): T[];
  /** The generator's state, to be stored in a checkpoint. */
  state(): number[];
}

class Xoroshiro implements RandomStream {
  private readonly generator: ReturnType<typeof xoroshiro128plusFromState>;

  constructor(state: readonly number[]) {
    this.generator = xoroshiro128plusFromState(state);
  }

  uniform(): number {
    const high = this.generator.next() >>> 5;
    const low = this.generator.next() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  }

  below(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  shuffled<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  }

  state(): number[] {
    return [...this.generator.getState()];
  }
}

/** The stream of `seed` and `path`; the same arguments always give the same numbers. */
export function stream(seed: number, ...path: (string | number)[]): RandomStream {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, ...path]))
    .digest();
  return new Xoroshiro([0, 4, 8, 12].map((at) => digest.readInt32LE(at) | (at === 0 ? 1 : 0)));
}

/** The stream that `state()` was taken from, at that point. */
export function resumed(state: readonly number[]): RandomStream {
  return new Xoroshiro(state);
}
