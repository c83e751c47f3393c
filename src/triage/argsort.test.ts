import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ascending } from './argsort.ts';

test('places come as a stable sort that compares would give them', () => {
  const number = fc.oneof(
    fc.double({ noNaN: true }),
    fc.constantFrom(0, -0, 1, -1, 5e-324, -5e-324, 1.5, -1.5, Infinity, -Infinity),
  );
  fc.assert(
    fc.property(fc.array(number, { maxLength: 80 }), (list) => {
      const places = [...list.keys()].sort((a, b) => (list[a] === list[b] ? 0 : list[a] - list[b]));
      expect([...ascending(Float64Array.from(list))]).toEqual(places);
    }),
  );
});
