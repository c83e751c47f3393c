import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytes,
  clip,
  DASH,
  decimal,
  duration,
  percent,
  short,
  signed,
  visible,
  whole,
} from './format.ts';

describe('numbers', () => {
  it('prints what people expect', () => {
    expect(percent(0.7735)).toBe('77.3\u00a0%');
    expect(whole(1234567)).toBe('1,234,567');
    expect(whole(-1234)).toBe('−1,234');
    expect(signed(0.5, 1)).toBe('+0.5');
    expect(signed(-0.5, 1)).toBe('−0.5');
    expect(signed(-0.001, 1)).toBe('0.0');
    expect(decimal(-0.0001)).toBe('0.00');
    expect(duration(0.42)).toBe('0.42 s');
    expect(duration(59.99)).toBe('1 min 00 s');
    expect(duration(7380)).toBe('2 h 03 min');
    expect(bytes(1_932_735_283)).toBe('1.80 GiB');
    expect(short(3_214_080)).toBe('3.2 M');
    expect(short(999_999)).toBe('1.0 M');
  });

  it('prints a dash for what is no number', () => {
    for (const print of [decimal, whole, percent, signed, short, duration, bytes]) {
      for (const bad of [null, undefined, Number.NaN, Infinity, -Infinity]) {
        expect(print(bad)).toBe(DASH);
      }
    }
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(`${decimal(value)}${percent(value)}${signed(value)}`).not.toMatch(/NaN|undefined/);
      }),
    );
  });
});

describe('foreign text', () => {
  it('shows control characters and what reorders a line', () => {
    expect(visible('a\u0000b\u001b[31m\n\tc')).toBe('a␀b␛[31m\n\tc');
    expect(visible('x\u202ey')).toBe('x[U+202E]y');
    expect(visible('\ud800')).toBe('\ufffd');
    expect(visible('日本 😀 עברית')).toBe('日本 😀 עברית');
  });

  it('cuts by characters, not halves of them', () => {
    expect(clip('😀😀😀', 2)).toBe('😀…');
    expect(clip('abc', 3)).toBe('abc');
  });
});
