import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../core/errors.ts';
import { openSafetensors, type TensorToWrite, writeSafetensors } from './safetensors.ts';

const directory = mkdtempSync(join(tmpdir(), 'safetensors-'));
afterAll(() => rmSync(directory, { recursive: true }));
const golden = fileURLToPath(new URL('../../test/golden/tensors.safetensors', import.meta.url));

function readAll(path: string) {
  const file = openSafetensors(path);
  try {
    return [...file.tensors].map(([name, { shape }]) => ({
      name,
      shape,
      dtype: file.dtypeOf(name),
      values: file.read(name),
    }));
  } finally {
    file.close();
  }
}

/** A file with this header text (and header length, if given) and so many zero bytes of data. */
function craft(header: string | Uint8Array, dataBytes: number, length?: bigint): string {
  const path = join(directory, 'crafted.safetensors');
  const text = Buffer.from(header);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(length ?? BigInt(text.length));
  writeFileSync(path, Buffer.concat([prefix, text, Buffer.alloc(dataBytes)]));
  return path;
}

describe('against the Python package', () => {
  const read = readAll(golden);

  it('reads what it wrote', () => {
    const values = Object.fromEntries(read.map((t) => [t.name, [...t.values]]));
    expect(values).toEqual({
      'b.weight': [0, 0.125, 0.25, 0.375, 0.5, 0.625],
      'a.weight': [-1.5, -0.5, 0.5, 1.5],
      half: [0.5, -2, 2 ** -14],
      'a.bias': [Math.fround(1e-3), -7.25],
      'ü 1': [],
    });
    expect(read.find((t) => t.name === 'half')).toMatchObject({ shape: [3, 1], dtype: 'float16' });
  });

  it('writes the same bytes', () => {
    const path = join(directory, 'again.safetensors');
    writeSafetensors(path, [...read].reverse());
    expect(readFileSync(path).equals(readFileSync(golden))).toBe(true);
  });
});

it('round trip: names, shapes and bits', () => {
  const value = fc.integer({ min: 0, max: 0xffffffff });
  const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
  const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((n) => n !== '__metadata__');
  const tensor = fc.tuple(name, shape, fc.array(value, { minLength: 64, maxLength: 64 }));
  const path = join(directory, 'property.safetensors');
  fc.assert(
    fc.property(fc.uniqueArray(tensor, { selector: ([n]) => n, maxLength: 6 }), (drawn) => {
      const tensors: TensorToWrite[] = drawn.map(([name, shape, bits]) => ({
        name,
        shape,
        dtype: 'float32',
        values: new Float32Array(
          Uint32Array.from(bits).buffer,
          0,
          shape.reduce((a, b) => a * b, 1),
        ),
      }));
      writeSafetensors(path, tensors, { format: 'pt', note: 'ä' });
      expect(readFileSync(path).readUInt32LE() % 8).toBe(0);
      const back = new Map(readAll(path).map((t) => [t.name, t]));
      expect(back.size).toBe(tensors.length);
      for (const { name, shape, values } of tensors) {
        const got = back.get(name);
        expect(got?.shape).toEqual(shape);
        expect(new Uint32Array(got?.values.buffer ?? new ArrayBuffer(0))).toEqual(
          new Uint32Array(values.slice().buffer),
        );
      }
    }),
    { numRuns: 50 },
  );
});

it('reads a tensor larger than one chunk', () => {
  const path = join(directory, 'large.safetensors');
  const values = Float32Array.from({ length: 2_500_001 }, (_, i) => i % 251);
  writeSafetensors(path, [{ name: 'x', dtype: 'bfloat16', shape: [values.length], values }]);
  const [tensor] = readAll(path);
  expect(
    Buffer.compare(new Uint8Array(tensor?.values.buffer ?? []), new Uint8Array(values.buffer)),
  ).toBe(0);
});

const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

describe('corrupted files name file and tensor', () => {
  it.each<[string, () => string, RegExp]>([
    ['no file', () => join(directory, 'none.safetensors'), /none\.safetensors.*ENOENT/],
    ['an empty file', () => craftRaw(Buffer.alloc(0)), /0 bytes/],
    ['a header longer than the file', () => craft('{}', 0, 50n), /header of 50 bytes/],
    ['a header of many exabytes', () => craft('{}', 0, 2n ** 63n), /header of 9223372036854775808/],
    ['a header that is no JSON', () => craft('{"a":', 0), /crafted\.safetensors.*JSON/],
    ['a header that is a list', () => craft('[]', 0), /JSON object/],
    ['a header in broken UTF-8', () => craft(Buffer.from([0x7b, 0xff, 0x7d]), 0), /UTF-8/],
    [
      'truncated data',
      () => craft(`{"a":${entry(0, 8)},"b":${entry(8, 16)}}`, 12),
      /tensor b.*byte 12/,
    ],
    ['bytes of no tensor', () => craft(`{"a":${entry(0, 8)}}`, 9), /1 more/],
    ['a hole', () => craft(`{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12), /tensor b.*hole/],
    ['data not from 0', () => craft(`{"a":${entry(4, 8)}}`, 8), /tensor a.*hole/],
    [
      'an overlap',
      () => craft(`{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12),
      /tensor b.*overlap/,
    ],
    [
      'a wrong length',
      () => craft(`{"a":${entry(0, 8, [3])}}`, 8),
      /tensor a.*12 bytes for F32 \[3\]/,
    ],
    ['an unknown type', () => craft(`{"a":${entry(0, 8, [2], 'Q4')}}`, 8), /tensor a.*dtype/s],
    ['a negative size', () => craft(`{"a":${entry(0, 8, [-2])}}`, 8), /tensor a.*shape/s],
    ['a reversed range', () => craft(`{"a":${entry(8, 0, [2])}}`, 8), /tensor a/],
    ['a further key', () => craft(`{"a":{"x":1,${entry(0, 8).slice(1)}}`, 8), /tensor a.*"x"/s],
    [
      'a name twice',
      () => craft(`{"a":${entry(0, 8)},"\\u0061":${entry(0, 8)}}`, 8),
      /tensor a.*twice/,
    ],
    ['metadata of numbers', () => craft('{"__metadata__":{"n":1}}', 0), /__metadata__/],
  ])('%s', (_, make, message) => {
    const path = make();
    expect(() => openSafetensors(path)).toThrow(UserError);
    expect(() => openSafetensors(path)).toThrow(message);
  });

  function craftRaw(bytes: Uint8Array): string {
    const path = join(directory, 'raw.safetensors');
    writeFileSync(path, bytes);
    return path;
  }

  it('a truncation at any byte', () => {
    const size = readFileSync(golden).length;
    const path = join(directory, 'cut.safetensors');
    for (let at = 0; at < size; at += 1) {
      copyFileSync(golden, path);
      truncateSync(path, at);
      expect(() => openSafetensors(path)).toThrow(UserError);
    }
  });

  it('a flipped byte anywhere in the header is an error of ours or none, never another', () => {
    const bytes = readFileSync(golden);
    const path = join(directory, 'flipped.safetensors');
    const headerEnd = 8 + Number(bytes.readBigUInt64LE());
    fc.assert(
      fc.property(fc.nat(headerEnd - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const broken = Buffer.from(bytes);
        broken[at] = (broken[at] ?? 0) ^ flip;
        writeFileSync(path, broken);
        try {
          readAll(path);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('a file that shrinks while it is open', () => {
    const path = join(directory, 'shrinks.safetensors');
    copyFileSync(golden, path);
    const file = openSafetensors(path);
    truncateSync(path, readFileSync(golden).length - 4);
    expect(() => file.read('half')).toThrow(/shrinks\.safetensors, tensor half/);
    file.close();
  });

  it('a tensor that is no weight', () => {
    const file = openSafetensors(craft(`{"ids":${entry(0, 8, [1], 'I64')}}`, 8));
    expect(() => file.read('ids')).toThrow(/tensor ids.*I64/);
    expect(() => file.read('other')).toThrow(UserError);
    file.close();
  });
});

it('leaves nothing behind when writing fails', () => {
  const before = readdirSync(directory);
  const values = Float32Array.of(1);
  const bad = { name: 'x', dtype: 'float32', shape: [2], values } as const;
  expect(() => writeSafetensors(join(directory, 'bad.safetensors'), [bad])).toThrow(/shape/);
  expect(readdirSync(directory)).toEqual(before);
});
