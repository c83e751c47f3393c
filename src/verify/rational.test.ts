// Numbers against BigInt arithmetic: whatever is written must be read as exactly that value.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseRational, rationalKey } from './rational.ts';

const integer = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
const positive = fc.bigInt({ min: 1n, max: 10n ** 20n });

/** Whether `text` is read as num/den. */
function reads(text: string, num: bigint, den: bigint): boolean {
  const value = parseRational(text);
  return value !== undefined && value.num * den === num * value.den && value.den > 0n;
}

it('reads integers, with and without separators', () => {
  fc.assert(
    fc.property(integer, fc.constantFrom(',', '{,}', '\\,', '\u00a0', '_'), (value, mark) => {
      const grouped = `${value}`.replace(/\B(?=(\d{3})+$)/g, mark);
      expect(reads(`${value}`, value, 1n)).toBe(true);
      expect(reads(grouped, value, 1n)).toBe(true);
    }),
  );
});

it('reads decimals and powers of ten exactly', () => {
  fc.assert(
    fc.property(integer, fc.integer({ min: 1, max: 25 }), (value, places) => {
      const size = value < 0n ? -value : value;
      const digits = `${size}`.padStart(places + 1, '0');
      const sign = value < 0n ? '-' : '';
      const text = `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
      expect(reads(text, value, 10n ** BigInt(places))).toBe(true);
      expect(reads(`${text}%`, value, 10n ** BigInt(places + 2))).toBe(true);
      expect(reads(`${text}e${places}`, value, 1n)).toBe(true);
      expect(reads(`${text} \\times 10^{${places}}`, value, 1n)).toBe(true);
    }),
  );
});

it('reads fractions and mixed numbers exactly', () => {
  fc.assert(
    fc.property(integer, positive, positive, (num, den, whole) => {
      const size = num < 0n ? -num : num;
      const sign = num < 0n ? '-' : '';
      for (const text of [
        `${num}/${den}`,
        `${sign}\\frac{${size}}{${den}}`,
        `\\dfrac{${num}}{${den}}`,
      ]) {
        expect(reads(text, num, den)).toBe(true);
      }
      expect(reads(`${whole} ${size}/${den}`, whole * den + size, den)).toBe(true);
      expect(reads(`-${whole}\\frac{${size}}{${den}}`, -(whole * den + size), den)).toBe(true);
    }),
  );
});

it('gives equal keys exactly to equal values', () => {
  const small = fc.tuple(fc.bigInt({ min: -12n, max: 12n }), fc.bigInt({ min: 1n, max: 12n }));
  fc.assert(
    fc.property(small, small, ([a, b], [c, d]) => {
      const left = parseRational(`${a}/${b}`);
      const right = parseRational(`${c}/${d}`);
      if (left === undefined || right === undefined) throw new Error('unreadable');
      expect(rationalKey(left) === rationalKey(right)).toBe(a * d === c * b);
    }),
  );
});

it.each(['', ' ', '-', '.', '1/0', '\\frac{1}{0}', '1,23', '0,123', '1,2345', '1 2', '1e9999'])(
  'does not take %j for a number',
  (text) => expect(parseRational(text)).toBeUndefined(),
);

it.each([
  '1.2.3',
  '12a',
  '--1',
  '1/2/3',
  '\\frac{1}',
  '%',
  '(1',
  '1 000',
  '٣',
  'Infinity',
  'NaN',
  '0x10',
])('does not take %j for a number', (text) => expect(parseRational(text)).toBeUndefined());

it('takes "1 000" for one thousand only where it is told to', () => {
  expect(parseRational('1 000', { spaces: true })?.num).toBe(1000n);
});
