import { expect, test } from 'vitest';
import { openLimiter } from './limits.ts';

test('a few tries in a row are free, and more as time passes', () => {
  let now = 0;
  const limiter = openLimiter({ tries: 3, perMs: 3_000 }, () => now);
  expect([1, 2, 3].map(() => limiter.take('a'))).toEqual([0, 0, 0]);
  expect(limiter.take('a')).toBe(1);
  expect(limiter.take('b')).toBe(0);
  now = 1_000;
  expect([limiter.take('a'), limiter.take('a')]).toEqual([0, 1]);
  now = 60_000;
  expect([1, 2, 3, 4].map(() => limiter.take('a'))).toEqual([0, 0, 0, 1]);
  limiter.giveBack('a');
  expect(limiter.take('a')).toBe(0);
});

test('whoever makes up keys fills no memory, and only the oldest are forgotten', () => {
  const limiter = openLimiter({ tries: 1, perMs: 1e9 }, () => 0, 100);
  limiter.take('victim');
  for (let i = 0; i < 99; i++) limiter.take(`key ${i}`);
  expect(limiter.take('victim')).toBeGreaterThan(0);
  for (let i = 0; i < 100; i++) limiter.take(`other ${i}`);
  expect(limiter.take('victim')).toBe(0);
});
