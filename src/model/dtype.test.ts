import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { narrow, widen } from './dtype.ts';

const casts = JSON.parse(
  readFileSync(new URL('../../test/golden/casts.json', import.meta.url), 'utf8'),
) as { float32: number[]; bfloat16: number[]; float16: number[] };

const bits16 = (bytes: Uint8Array) => [...new Uint16Array(bytes.buffer)];

describe.each(['bfloat16', 'float16'] as const)('%s', (dtype) => {
  it('rounds as PyTorch does, edges and ties included', () => {
    const values = new Float32Array(Uint32Array.from(casts.float32).buffer);
    expect(bits16(narrow(values, dtype))).toEqual(casts[dtype]);
  });

  it('gives back every one of the 65536 bit patterns', () => {
    const patterns = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
    const wide = new Float32Array(0x10000);
    widen(new Uint8Array(patterns.buffer), dtype, wide, 0);
    expect(bits16(narrow(wide, dtype))).toEqual([...patterns]);
  });

  it('never misses the nearest representable value', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -60000, max: 60000 }), (value) => {
        const bytes = narrow(Float32Array.of(value), dtype);
        const [bits = 0] = bits16(bytes);
        const around = new Float32Array(3);
        const neighbours = Uint16Array.of(Math.max(bits - 1, bits & 0x8000), bits, bits + 1);
        widen(new Uint8Array(neighbours.buffer), dtype, around, 0);
        const distances = [...around].map((v) => Math.abs(v - value));
        expect(distances[1]).toBe(Math.min(...distances));
      }),
    );
  });

  it('keeps a NaN a NaN', () => {
    const wide = new Float32Array(Uint32Array.of(0x7f800001, 0xff800001, 0x7fc00000).buffer);
    const back = new Float32Array(3);
    widen(narrow(wide, dtype), dtype, back, 0);
    expect([...back].every(Number.isNaN)).toBe(true);
  });
});

it('half precision has the values the standard gives it', () => {
  const wide = new Float32Array(5);
  const halves = Uint16Array.of(0x0001, 0x0400, 0x3c00, 0x7bff, 0xfc00);
  widen(new Uint8Array(halves.buffer), 'float16', wide, 0);
  expect([...wide]).toEqual([2 ** -24, 2 ** -14, 1, 65504, Number.NEGATIVE_INFINITY]);
});

it('widens into the middle of a target', () => {
  const target = new Float32Array(4);
  widen(narrow(Float32Array.of(1.5, -2), 'bfloat16'), 'bfloat16', target, 1);
  expect([...target]).toEqual([0, 1.5, -2, 0]);
});
