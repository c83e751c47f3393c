import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bandOf, extent, linear, pathOf, spread, thin, trailingMean } from './scale.ts';

describe('linear', () => {
  it('maps the ends of the domain to the ends of the range', () => {
    const scale = linear([0, 80], [48, 668], 8);
    expect(scale.at(0)).toBe(48);
    expect(scale.at(80)).toBe(668);
    expect(scale.ticks).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80]);
    expect(
      linear([0.62, 0.8], [0, 1], 6).ticks.map((t) => linear([0.62, 0.8], [0, 1], 6).label(t))[0],
    ).toBe('0.62');
    expect(linear([0, 23_000], [0, 1], 6).label(5000)).toBe('5k');
  });

  it('is finite with few round ticks inside any domain', () => {
    const ends = fc.double({ min: -1e300, max: 1e300, noNaN: true });
    fc.assert(
      fc.property(ends, ends, (a, b) => {
        const scale = linear([Math.min(a, b), Math.max(a, b)], [0, 100], 6);
        expect(Number.isFinite(scale.at(a))).toBe(true);
        expect(scale.ticks.length).toBeLessThanOrEqual(13);
        expect(scale.ticks.length).toBeGreaterThan(1);
      }),
    );
  });
});

describe('helpers', () => {
  it('takes the extent of known values only', () => {
    expect(extent([null, 2, Number.NaN, 4])).toEqual([2, 4]);
    expect(extent([])).toEqual([0, 1]);
    expect(extent([0, 1], 0.1, [0, 1])).toEqual([0, 1]);
  });

  it('draws lines, steps and bands', () => {
    const line = [
      { x: 0, y: 1 },
      { x: 2, y: 3 },
    ];
    expect(pathOf(line)).toBe('M0,1L2,3');
    expect(pathOf(line, true)).toBe('M0,1H2V3');
    expect(bandOf(line, line)).toBe('M0,1L2,3L2,3L0,1Z');
    expect(bandOf([], [])).toBe('');
  });

  it('spreads labels by the gap and keeps their order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { maxLength: 8 }),
        (wanted) => {
          const places = spread(wanted, 15, 0, 300);
          const sorted = [...places].sort((a, b) => a - b);
          for (const [i, y] of sorted.entries()) {
            if (i > 0) expect(y - (sorted[i - 1] ?? 0)).toBeGreaterThanOrEqual(15 - 1e-9);
            expect(y).toBeLessThanOrEqual(300);
          }
          for (const [i, a] of wanted.entries()) {
            for (const [j, b] of wanted.entries()) {
              if (a < b) expect(places[i] ?? 0).toBeLessThan(places[j] ?? 0);
            }
          }
        },
      ),
    );
  });

  it('thins to the limit with both ends', () => {
    const items = Array.from({ length: 1000 }, (_, i) => i);
    const few = thin(items, 240);
    expect(few.length).toBe(240);
    expect([few[0], few.at(-1)]).toEqual([0, 999]);
    expect(thin([1, 2], 240)).toEqual([1, 2]);
  });

  it('averages over what came before', () => {
    expect(trailingMean([1, 3, null, 5], 2)).toEqual([1, 2, null, 5]);
  });
});
