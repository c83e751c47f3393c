import { expect, test } from 'vitest';
import { wilson } from './proportion.ts';

test('the interval of a share, as in tables', () => {
  // Newcombe (1998), table I, method 3.
  for (const [hits, count, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ]) {
    const found = wilson(hits, count);
    expect(found.low).toBeCloseTo(low, 4);
    expect(found.high).toBeCloseTo(high, 4);
  }
});

test('it is wider for more confidence, the same seen from the other side, and of nothing there is none', () => {
  expect(wilson(3, 10, 0.99).high).toBeGreaterThan(wilson(3, 10).high);
  expect(wilson(7, 10).low).toBeCloseTo(1 - wilson(3, 10).high, 12);
  expect(wilson(5, 5).high).toBe(1);
  expect(() => wilson(0, 0)).toThrow(RangeError);
  expect(() => wilson(3, 2)).toThrow(RangeError);
});
