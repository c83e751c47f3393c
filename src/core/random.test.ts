import { expect, test } from 'vitest';
import { resumed, stream } from './random.ts';

test('a stream depends on its seed and path alone', () => {
  expect(stream(1, 'a', 2).uniform()).toBe(stream(1, 'a', 2).uniform());
  expect(stream(1, 'a', 2).uniform()).not.toBe(stream(1, 'a2').uniform());
  expect(stream(1, 'a').uniform()).not.toBe(stream(2, 'a').uniform());
});

test('a stream goes on from its stored state', () => {
  const first = stream(3);
  first.uniform();
  const second = resumed(first.state());
  expect(second.uniform()).toBe(first.uniform());
});

test('uniform numbers have the right mean and variance', () => {
  const numbers = Array.from({ length: 20_000 }, () => 0);
  const random = stream(5, 'moments');
  for (let i = 0; i < numbers.length; i++) numbers[i] = random.uniform();
  const mean = numbers.reduce((a, b) => a + b) / numbers.length;
  const variance = numbers.reduce((a, b) => a + (b - mean) ** 2, 0) / numbers.length;
  expect(mean).toBeCloseTo(0.5, 2);
  expect(variance).toBeCloseTo(1 / 12, 2);
});
