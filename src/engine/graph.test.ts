import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { encode } from './encode.ts';
import { Graph } from './graph.ts';
import { Program } from './program.ts';
import type { Tensor } from './tensor.ts';

const CPU = { provider: 'cpu', threads: 1 } as const;

describe('the builder refuses misfits', () => {
  const g = new Graph();
  const a = g.input('a', [2, 3]);
  const b = g.input('b', [4, 5]);
  const ids = g.input('ids', [4], 'int64');
  const misfits: [string, () => Tensor, string][] = [
    ['shapes that do not broadcast', () => g.add(a, b), 'Add: shapes [2,3] and [4,5]'],
    ['mixed types', () => g.add(a, g.ints([1, 2, 3])), 'Add: float32 and int64 do not mix'],
    ['inner extents', () => g.matMul(a, b), 'MatMul: [2,3] by [4,5]'],
    ['inner extents of Gemm', () => g.gemm(a, b, true, true), 'Gemm: [2,3] by [4,5], transA 1'],
    ['other sizes', () => g.reshape(a, [4, 2]), 'Reshape: [2,3] to [4,2]'],
    ['half a permutation', () => g.transpose(a, [0, 0]), 'Transpose: [2,3] by [0,0]'],
    ['a slice beyond the end', () => g.slice(a, 1, 1, 4), 'Slice: 1..4 of axis 1 in [2,3]'],
    ['an axis that is not there', () => g.slice(a, 2, 0, 1), 'Slice: axis 2 of [2,3]'],
    ['a negative axis', () => g.sum(a, [-1]), 'ReduceSum: axis -1 of [2,3]'],
    ['parts of other extents', () => g.concat([a, b], 0), 'Concat: on axis 0 of [2,3] and [4,5]'],
    ['indices of floats', () => g.gather(a, b), 'Gather: indices of type float32'],
    ['indices of another rank', () => g.gatherElements(a, ids), 'GatherElements: indices [4] into'],
    ['a condition of numbers', () => g.where(a, a, a), 'Where: a condition of type float32'],
    ['axes that are no constant', () => g.node('ReduceSum', [a, ids]), 'must be an int64 constant'],
    ['a constant of another size', () => g.constant(new Float32Array(5), [2, 3]), 'constant of 5'],
    ['a name that is taken', () => g.input('a', [1]), 'named a already'],
  ];
  it.each(misfits)('%s', (_name, build, message) => {
    expect(build).toThrow(message);
  });
});

describe('encode', () => {
  function example(): Graph {
    const g = new Graph();
    const x = g.input('x', [2, 3]);
    const ids = g.input('ids', [2, 1], 'int64');
    const product = g.linear(x, g.constant(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]));
    g.output('y', g.gatherElements(g.softmax(g.transpose(product, [1, 0])), ids));
    return g;
  }

  it('writes a model that other readers of ONNX understand', () => {
    const model = fromBinary(ModelProtoSchema, encode(example()));
    expect(model.opsetImport.map(({ domain, version }) => ({ domain, version }))).toEqual([
      { domain: '', version: 18n },
    ]);
    expect(model.graph?.node.map((node) => node.opType)).toEqual([
      'Gemm',
      'Transpose',
      'Softmax',
      'GatherElements',
      'Identity',
    ]);
    const attributes = model.graph?.node.flatMap((node) =>
      node.attribute.map(({ name, i, ints }) => [name, i, ints]),
    );
    expect(attributes).toEqual([
      ['transA', 0n, []],
      ['transB', 1n, []],
      ['perm', 0n, [1n, 0n]],
      ['axis', -1n, []],
      ['axis', 1n, []],
    ]);
    const dims = (value?: { type?: { value: unknown } }) => JSON.stringify(value?.type?.value, big);
    expect(model.graph?.input.map((input) => input.name)).toEqual(['x', 'ids']);
    expect(dims(model.graph?.input[1])).toContain('"elemType":7');
    expect(model.graph?.output.map((output) => output.name)).toEqual(['y']);
    const [weights] = model.graph?.initializer ?? [];
    expect(weights.dims).toEqual([2n, 3n]);
    expect(new Float32Array(weights.rawData.slice().buffer)).toEqual(
      Float32Array.of(1, 2, 3, 4, 5, 6),
    );
  });

  it('keeps only the values of a constant that is part of a larger buffer', () => {
    const g = new Graph();
    g.output('y', g.constant(new Float32Array([1, 2, 3, 4]).subarray(1, 3), [2]));
    const model = fromBinary(ModelProtoSchema, encode(g));
    expect(model.graph?.initializer[0].rawData).toHaveLength(8);
  });
});

const big = (_key: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value);

describe('Program', () => {
  const double = (): Graph => {
    const g = new Graph();
    const x = g.input('x', [3]);
    g.output('y', g.add(x, x));
    return g;
  };

  it('updates an array in place when input and output are bound to it', async () => {
    const program = await Program.compile(double(), CPU);
    const x = Float32Array.of(1, 2, 3);
    const call = program.bind({ x, y: x });
    await call.run();
    await call.run();
    expect(x).toEqual(Float32Array.of(4, 8, 12));
    await program.release();
  });

  it('reads and writes parts of larger arrays', async () => {
    const program = await Program.compile(double(), CPU);
    const all = Float32Array.of(9, 1, 2, 3, 9, 0, 0, 0, 9);
    await program.bind({ x: all.subarray(1, 4), y: all.subarray(5, 8) }).run();
    expect(all).toEqual(Float32Array.of(9, 1, 2, 3, 9, 2, 4, 6, 9));
    await program.release();
  });

  it('refuses unknown names, missing inputs and arrays that do not fit', async () => {
    const program = await Program.compile(double(), CPU);
    const x = new Float32Array(3);
    expect(() => program.bind({ x, z: x })).toThrow('no input or output named z');
    expect(() => program.bind({})).toThrow('input x is not bound');
    expect(() => program.bind({ x: new Float32Array(4) })).toThrow(
      'x is float32 [3], got Float32Array of 4',
    );
    expect(() => program.bind({ x: new BigInt64Array(3) })).toThrow('got BigInt64Array of 3');
    expect(() => program.bind({ x }).floats('z')).toThrow('no float32 output named z');
    await program.release();
  });
});
