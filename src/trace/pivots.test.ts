import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changes, holdsHeads, signalMean, signalSeries, traceChanges } from './changes.ts';
import { selectHeads } from './heads.ts';
import { findPivots, summarisePivots } from './pivots.ts';
import type { RawTrace } from './types.ts';

const level = fc.double({ min: -100, max: 100, noNaN: true });
const series = fc.array(level, { maxLength: 60 });
const delta = fc.integer({ min: 1, max: 20 });
const changeList = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 });

test('heads with the largest mean distance are kept, ties by position', () => {
  const distance = [1, 9, 3, 9, 12, 0];
  const first = { layer: 0, head: 1 };
  const second = { layer: 1, head: 1 };
  const farthest = { layer: 2, head: 0 };
  expect(selectHeads(distance, 3, 2, 0.5)).toEqual([first, second, farthest]);
  expect(selectHeads(distance, 3, 2, 0.05)).toEqual([first, farthest]);
  expect(selectHeads(distance, 3, 2, 0.05, 1)).toEqual([farthest]);
  expect(selectHeads(distance, 3, 2, 1)).toHaveLength(6);
  expect(selectHeads([1], 1, 1, 0.05)).toHaveLength(1);
  expect(selectHeads(new Float32Array(36 * 32), 36, 32, 0.05)).toHaveLength(58);
});

test('wrong or undefined distances are refused', () => {
  expect(() => selectHeads([1, 2], 2, 2, 0.5)).toThrow(RangeError);
  expect(() => selectHeads([1, 2, Number.NaN, 3], 2, 2, 0.5)).toThrow('layer 1, head 0');
});

const trace: RawTrace = {
  heads: [
    { layer: 3, head: 1 },
    { layer: 1, head: 0 },
    { layer: 1, head: 2 },
  ],
  tokens: 2,
  signals: {
    distance: Float32Array.of(1, 2, 6, 4, 8, 0),
    agreement: Float32Array.of(0.5, -0.5, 1, 0),
    received: Float32Array.of(1, Number.NaN, 3, Number.NaN, Number.NaN, Number.NaN),
  },
};

test('a signal is averaged over the kept heads, or their layers', () => {
  expect([...signalSeries(trace, 'distance')]).toEqual([3, 4]);
  const kept = [{ layer: 1, head: 2 }];
  expect([...signalSeries(trace, 'distance', kept)]).toEqual([6, 0]);
  // Layers in ascending order: the first column is layer 1.
  expect([...signalSeries(trace, 'agreement', kept)]).toEqual([0.5, 1]);
  expect([...signalSeries(trace, 'agreement')]).toEqual([0, 0.5]);
  expect([...signalSeries(trace, 'received')]).toEqual([2, Number.NaN]);
  expect([...traceChanges(trace, { signal: 'distance', delta: 10 }, kept)]).toEqual([0, 6]);
});

test('the mean of a signal leaves undefined values out; with none defined it is 0', () => {
  expect(signalMean(trace, 'distance')).toBe(3.5);
  expect(signalMean(trace, 'agreement')).toBe(0.25);
  expect(signalMean(trace, 'received')).toBe(2);
  const short = { ...trace, signals: { received: new Float32Array(6).fill(Number.NaN) } };
  expect(signalMean(short, 'received')).toBe(0);
});

test('what was not traced is refused', () => {
  expect(() => signalSeries(trace, 'entropy')).toThrow("no signal 'entropy'");
  const stranger = [{ layer: 3, head: 0 }];
  expect(holdsHeads(trace, stranger)).toBe(false);
  expect(holdsHeads(trace, trace.heads)).toBe(true);
  expect(() => signalSeries(trace, 'distance', stranger)).toThrow('layer 3, head 0');
  expect(() => signalSeries({ ...trace, tokens: 3 }, 'distance')).toThrow('6 values');
});

test('a change is taken against the delta tokens before, or those there are', () => {
  expect([...changes([5, 7, 3, 3, 10], 2)]).toEqual([0, 2, 3, 2, 7]);
  expect([...changes([5, 7, 3], 10)]).toEqual([0, 2, 3]);
  expect([...changes([1], 10)]).toEqual([0]);
  expect([...changes([1, Number.NaN, 4, 4], 1)]).toEqual([0, Number.NaN, Number.NaN, 0]);
  expect([...changes([1, Number.NaN, 4], 2)]).toEqual([0, Number.NaN, 3]);
});

test('a constant added to the signal changes nothing, a factor scales the changes', () => {
  fc.assert(
    fc.property(series, delta, level, (s, reach, by) => {
      const plain = changes(s, reach);
      const shifted = changes(
        s.map((x) => x + by),
        reach,
      );
      const scaled = changes(
        s.map((x) => x * by),
        reach,
      );
      for (let t = 0; t < s.length; t++) {
        expect(shifted[t]).toBeCloseTo(plain[t], 9);
        expect(scaled[t]).toBeCloseTo(plain[t] * Math.abs(by), 8);
      }
    }),
  );
});

test('a change looks at the delta tokens before it and at nothing else', () => {
  fc.assert(
    fc.property(series, delta, level, (s, reach, other) => {
      const t = s.length - 1;
      const altered = s.map((x, u) => (u < t - reach ? other : x));
      expect(changes(altered, reach)[t]).toBe(changes(s, reach)[t]);
      expect([...changes(s.slice(0, -1), reach)]).toEqual([...changes(s, reach).slice(0, -1)]);
    }),
  );
});

test('pivots are maxima of their neighbourhood above the threshold, the earliest of equals', () => {
  //          0  1  2  3  4  5  6  7  8
  const d = [0, 5, 4, 5, 0, 0, 3, 3, 9];
  expect(findPivots(d, 3, 4)).toEqual([1, 8]);
  expect(findPivots(d, 3, 2)).toEqual([1, 3, 6, 8]);
  expect(findPivots(d, 3, 1)).toEqual([1, 2, 3, 6, 7, 8]);
  expect(findPivots(d, 5, 2)).toEqual([1, 3, 8]);
  expect(findPivots([0, 0, 0], 0, 4)).toEqual([]);
  expect(findPivots([0, Number.NaN, 2, Number.NaN], 1, 4)).toEqual([2]);
});

test('a response is summed up in count, density and excess', () => {
  expect(summarisePivots([0, 5, 4, 5, 0, 0, 3, 3, 9], 3, 4)).toEqual({
    tokens: 9,
    positions: [1, 8],
    count: 2,
    density: 200 / 9,
    excess: 2 + 6,
  });
  expect(summarisePivots([], Number.NaN, 10)).toEqual({
    tokens: 0,
    positions: [],
    count: 0,
    density: 0,
    excess: 0,
  });
});

test('a higher threshold keeps a part of the pivots, with less excess', () => {
  fc.assert(
    fc.property(changeList, delta, fc.nat(9), fc.nat(9), (d, reach, a, b) => {
      const low = summarisePivots(d, Math.min(a, b), reach);
      const high = summarisePivots(d, Math.max(a, b), reach);
      expect(low.positions).toEqual(expect.arrayContaining(high.positions));
      expect(low.count).toBeGreaterThanOrEqual(high.count);
      expect(low.excess).toBeGreaterThanOrEqual(high.excess);
    }),
  );
});

test('two pivots are farther apart than half of delta, and every high change has a higher one near', () => {
  fc.assert(
    fc.property(changeList, delta, fc.integer({ min: 1, max: 9 }), (d, reach, tau) => {
      const half = Math.floor(reach / 2);
      const pivots = findPivots(d, tau, reach);
      for (let i = 1; i < pivots.length; i++) {
        expect(pivots[i] - pivots[i - 1]).toBeGreaterThan(half);
      }
      for (const t of pivots) {
        expect(Math.max(...d.slice(Math.max(0, t - half), t + half + 1))).toBe(d[t]);
      }
      const top = Math.max(0, ...d);
      if (top >= tau) expect(pivots).toContain(d.indexOf(top));
    }),
  );
});
