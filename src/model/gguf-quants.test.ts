/** Dequantisation against the Python package gguf, digit by digit (test/golden/make-gguf-quants.py). */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { quantisations, typeName } from './gguf-quants.ts';

const golden = z
  .array(z.object({ name: z.string(), type: z.int(), bytes: z.string(), values: z.string() }))
  .parse(
    JSON.parse(
      readFileSync(new URL('../../test/golden/gguf-quants.json', import.meta.url), 'utf8'),
    ),
  );

it('has a golden case for every type that is read', () => {
  expect(golden.map(({ type }) => type).sort()).toEqual([...quantisations.keys()].sort());
});

it.each(golden)('$name: every value is that of the reference, bit by bit', (one) => {
  const bytes = new Uint8Array(Buffer.from(one.bytes, 'base64'));
  const expected = new Float32Array(new Uint8Array(Buffer.from(one.values, 'base64')).buffer);
  const format = quantisations.get(one.type);
  const values = new Float32Array(expected.length);
  format?.widen(bytes, values);
  expect(typeName(one.type)).toBe(one.name);
  expect(values.length).toBe((bytes.length / (format?.bytes ?? 1)) * (format?.block ?? 0));
  expect(new Uint32Array(values.buffer)).toEqual(new Uint32Array(expected.buffer));
});
