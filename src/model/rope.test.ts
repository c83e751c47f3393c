import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDecoderConfig } from './config.ts';
import { type RopeSettings, ropeFrequencies, ropeTables } from './rope.ts';

interface Golden {
  config: Record<string, unknown>;
  inv_freq: number[];
  attention_scaling: number;
  positions: number[];
  cos: number[][];
  sin: number[][];
}

const golden = JSON.parse(
  readFileSync(new URL('../../test/golden/rope.json', import.meta.url), 'utf8'),
) as Record<string, Golden>;

describe('against transformers', () => {
  it.each(Object.entries(golden))('%s', (name, want) => {
    const { rope, headDim } = parseDecoderConfig(want.config, name);
    const { frequencies, scale } = ropeFrequencies(rope, headDim);
    expect(frequencies.length).toBe(want.inv_freq.length);
    for (const [i, frequency] of frequencies.entries()) {
      const wanted = want.inv_freq[i] ?? Number.NaN;
      expect(Math.abs(frequency - wanted)).toBeLessThanOrEqual(1e-6 * wanted);
    }
    expect(scale).toBeCloseTo(want.attention_scaling, 7);
    const { cos, sin } = ropeTables(rope, headDim, 32);
    for (const [row, position] of want.positions.entries()) {
      const at = position * frequencies.length;
      for (let i = 0; i < frequencies.length; i += 1) {
        expect(cos[at + i]).toBeCloseTo(want.cos[row]?.[i] ?? Number.NaN, 5);
        expect(sin[at + i]).toBeCloseTo(want.sin[row]?.[i] ?? Number.NaN, 5);
      }
    }
  });
});

describe('properties', () => {
  const scalings: RopeSettings['scaling'][] = [
    null,
    { type: 'linear', factor: 3 },
    { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 64 },
  ];

  it('every pair lies on the unit circle and position 0 does not turn', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...scalings),
        fc.integer({ min: 1, max: 32 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 2, max: 1_000_000 }),
        (scaling, half, positions, theta) => {
          const { cos, sin } = ropeTables({ theta, scaling }, 2 * half, positions);
          expect(cos.length).toBe(positions * half);
          for (const [i, c] of cos.entries()) {
            const s = sin[i] ?? Number.NaN;
            expect(Math.abs(c * c + s * s - 1)).toBeLessThan(1e-6);
            if (i < half) expect([c, s]).toEqual([1, 0]);
          }
        },
      ),
    );
  });

  it('linear scaling by k shows position k·p what plain shows p', () => {
    const plain = ropeTables({ theta: 10_000, scaling: null }, 16, 10);
    const linear = ropeTables({ theta: 10_000, scaling: { type: 'linear', factor: 4 } }, 16, 40);
    for (let p = 0; p < 10; p += 1) {
      for (let i = 0; i < 8; i += 1) {
        expect(linear.cos[4 * p * 8 + i]).toBeCloseTo(plain.cos[p * 8 + i] ?? Number.NaN, 6);
      }
    }
  });
});
