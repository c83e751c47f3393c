/**
 * The threshold on changes: a percentile over ALL response tokens of the pool, never per trace, where
 * it would only make every count alike (METHOD, section 3, step 4).
 *
 * Two ways with one definition, the value of rank floor(q (n - 1)) counted from 0: exact, for changes
 * in memory; and a sketch (DDSketch, Masson et al., VLDB 2019), for streams, shards and later rounds.
 * Undefined changes (NaN) are left out.
 */
import { DDSketch } from '@datadog/sketches-js';
import type { SketchState } from './types.ts';

/**
 * Changes below this are rounding, not signal: the sketch counts them as 0. It also bounds the sketch:
 * the library's bins are one dense array over the range of the logarithms.
 */
const smallest = 1e-9;

/** The percentile `zeta` (0..100) of `changes`, exact; NaN when there is no defined change. */
export function exactTau(changes: Iterable<number>, zeta: number): number {
  const sorted = Float64Array.from(changes)
    .filter((d) => !Number.isNaN(d))
    .sort();
  return sorted.length === 0 ? Number.NaN : sorted[Math.floor((zeta / 100) * (sorted.length - 1))];
}

/** A mergeable, serialisable percentile of non-negative changes. */
export class ChangeSketch {
  private readonly sketch: DDSketch;
  readonly relativeAccuracy: number;

  constructor(relativeAccuracy = 1e-3) {
    this.relativeAccuracy = relativeAccuracy;
    this.sketch = new DDSketch({ relativeAccuracy });
  }

  /** Defined changes so far. */
  get count(): number {
    return this.sketch.count;
  }

  /** Takes in the changes of one trace; RangeError on one that is negative or infinite. */
  add(changes: Iterable<number>): void {
    for (const d of changes) {
      if (Number.isNaN(d)) continue;
      if (d < 0 || d === Number.POSITIVE_INFINITY) throw new RangeError(`a change of ${d}`);
      this.sketch.accept(d < smallest ? 0 : d);
    }
  }

  /** Takes in all of `other`; RangeError when its accuracy is another. */
  merge(other: ChangeSketch): void {
    this.take(other.state());
  }

  /** The percentile `zeta` (0..100) within the relative accuracy; NaN when nothing was added. */
  tau(zeta: number): number {
    return this.sketch.getValueAtQuantile(zeta / 100);
  }

  /** The sketch as plain data; `ChangeSketch.from` goes on from it. */
  state(): SketchState {
    const { bins, offset } = this.sketch.store;
    const filled: [number, number][] = [];
    for (let i = 0; i < bins.length; i++) if (bins[i] > 0) filled.push([i + offset, bins[i]]);
    return {
      relativeAccuracy: this.relativeAccuracy,
      zeroCount: this.sketch.zeroCount,
      bins: filled,
    };
  }

  static from(state: SketchState): ChangeSketch {
    const sketch = new ChangeSketch(state.relativeAccuracy);
    sketch.take(state);
    return sketch;
  }

  // Bin by bin: the library's own merge loses the range when the other's highest key is 0 (a change
  // near 1), and its protobuf form needs a package that it does not bring along.
  private take(state: SketchState): void {
    if (state.relativeAccuracy !== this.relativeAccuracy) {
      throw new RangeError(
        `sketches of accuracy ${this.relativeAccuracy} and ${state.relativeAccuracy} do not merge`,
      );
    }
    if (state.zeroCount > 0) this.sketch.accept(0, state.zeroCount);
    for (const [key, count] of state.bins) {
      this.sketch.accept(this.sketch.mapping.value(key), count);
    }
  }
}
