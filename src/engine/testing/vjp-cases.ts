/** Examples for every gradient rule: small expressions with inputs that stay away from kinks. */
import type { Graph } from '../graph.ts';
import type { OnnxOp } from '../shapes.ts';
import type { Tensor } from '../tensor.ts';

export interface Case {
  name: string;
  /** Shapes of the inputs that are differentiated. */
  shapes: readonly (readonly number[])[];
  /** Value of element i of input k, given a standard normal number; default: that number. */
  value?: (normal: number, k: number, i: number) => number;
  build: (g: Graph, inputs: readonly Tensor[]) => Tensor;
}

type Binary = (g: Graph, a: Tensor, b: Tensor) => Tensor;

const positive = (normal: number) => 0.5 + Math.abs(normal);
/** Multiples of 1/2 for the first input, the same plus 1/4 for the second: never closer than 1/4. */
const apart = (normal: number, k: number) => Math.round(normal * 2) / 2 + (k === 0 ? 0 : 0.25);

function broadcasts(build: Binary, value?: Case['value']): Case[] {
  const pairs: [string, number[], number[]][] = [
    ['equal shapes', [2, 3], [2, 3]],
    ['a row', [4, 3], [3]],
    ['a column', [3, 1], [3, 5]],
    ['both sides', [2, 1, 4], [3, 1]],
    ['one number', [], [2, 3]],
    ['rank 4', [2, 1, 3, 2], [1, 2, 1, 2]],
  ];
  return pairs.map(([name, a, b]) => ({
    name,
    shapes: [a, b],
    ...(value === undefined ? {} : { value }),
    build: (g, [x, y]) => build(g, x, y),
  }));
}

function unary(
  build: (g: Graph, x: Tensor) => Tensor,
  shapes: readonly (readonly number[])[] = [[5], [2, 3, 2]],
  value?: Case['value'],
): Case[] {
  return shapes.map((shape) => ({
    name: `[${shape}]`,
    shapes: [shape],
    ...(value === undefined ? {} : { value }),
    build: (g, [x]) => build(g, x),
  }));
}

/** A fixed pattern of 1 and 0. */
function condition(g: Graph, shape: readonly number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const pattern = Float32Array.from({ length: size }, (_, i) => ((i * 7) % 5) % 2);
  return g.greater(g.constant(pattern, shape), g.scalar(0.5));
}

const gemmCases: Case[] = [false, true].flatMap((transA) =>
  [false, true].map((transB) => ({
    name: `transA ${transA}, transB ${transB}`,
    shapes: [transA ? [4, 2] : [2, 4], transB ? [3, 4] : [4, 3]],
    build: (g: Graph, [a, b]: readonly Tensor[]) => g.gemm(a, b, transA, transB),
  })),
);

const matMulShapes: [number[], number[]][] = [
  [
    [2, 3],
    [3, 4],
  ],
  [
    [2, 2, 3],
    [2, 3, 2],
  ],
  [
    [2, 2, 3],
    [3, 2],
  ],
  [
    [2, 3],
    [2, 3, 2],
  ],
  [
    [2, 1, 2, 3],
    [1, 3, 3, 2],
  ],
  [
    [1, 2, 3],
    [4, 3, 1],
  ],
];

export const CASES: Readonly<Partial<Record<OnnxOp, readonly Case[]>>> = {
  Identity: unary((g, x) => g.node('Identity', [x])),
  Add: broadcasts((g, a, b) => g.add(a, b)),
  Sub: broadcasts((g, a, b) => g.sub(a, b)),
  Mul: broadcasts((g, a, b) => g.mul(a, b)),
  Div: broadcasts((g, a, b) => g.div(a, b), positive),
  Min: broadcasts((g, a, b) => g.min(a, b), apart),
  Max: broadcasts((g, a, b) => g.max(a, b), apart),
  Neg: unary((g, x) => g.neg(x)),
  Exp: unary((g, x) => g.exp(x)),
  Log: unary((g, x) => g.log(x), undefined, positive),
  Sqrt: unary((g, x) => g.sqrt(x), undefined, positive),
  Reciprocal: unary((g, x) => g.reciprocal(x), undefined, positive),
  Sigmoid: unary((g, x) => g.sigmoid(x)),
  Softmax: unary((g, x) => g.softmax(x), [[6], [2, 4], [2, 1, 2, 3]]),
  LogSoftmax: unary((g, x) => g.logSoftmax(x), [[6], [2, 4], [2, 1, 2, 3]]),
  Where: broadcasts((g, a, b) => g.where(condition(g, [2, 3]), a, b))
    .slice(0, 1)
    .concat([
      {
        name: 'everything broadcasts',
        shapes: [[3, 1], [4]],
        build: (g, [a, b]) => g.where(condition(g, [2, 1, 1]), a, b),
      },
    ]),
  MatMul: matMulShapes.map(([a, b]) => ({
    name: `[${a}] by [${b}]`,
    shapes: [a, b],
    build: (g, [x, y]) => g.matMul(x, y),
  })),
  Gemm: [
    ...gemmCases,
    { name: 'one matrix twice', shapes: [[3, 3]], build: (g, [a]) => g.gemm(a, a, true, false) },
  ],
  Reshape: unary((g, x) => g.square(g.reshape(x, [3, 2, 2])), [[2, 6], [12]]),
  Transpose: [
    { name: '[1, 0]', shapes: [[2, 3]], build: (g, [x]) => g.transpose(x, [1, 0]) },
    { name: '[2, 0, 1]', shapes: [[2, 3, 4]], build: (g, [x]) => g.transpose(x, [2, 0, 1]) },
    {
      name: '[0, 2, 1, 3]',
      shapes: [[2, 3, 2, 2]],
      build: (g, [x]) => g.transpose(x, [0, 2, 1, 3]),
    },
  ],
  Expand: [
    { name: 'a new axis', shapes: [[3]], build: (g, [x]) => g.expand(x, [4, 3]) },
    { name: 'an axis of 1', shapes: [[2, 1, 3]], build: (g, [x]) => g.expand(x, [2, 4, 3]) },
  ],
  Pow: unary((g, x) => g.square(x)),
  ReduceSum: [
    { name: 'last axis, kept', shapes: [[2, 3]], build: (g, [x]) => g.sum(x, [1]) },
    { name: 'first axis, dropped', shapes: [[2, 3]], build: (g, [x]) => g.sum(x, [0], false) },
    { name: 'two axes, dropped', shapes: [[2, 3, 4]], build: (g, [x]) => g.sum(x, [0, 2], false) },
    { name: 'all axes', shapes: [[2, 3]], build: (g, [x]) => g.sum(x, [0, 1]) },
  ],
  ReduceMean: [
    { name: 'last axis, kept', shapes: [[2, 3]], build: (g, [x]) => g.mean(x, [1]) },
    { name: 'middle axis, dropped', shapes: [[2, 3, 4]], build: (g, [x]) => g.mean(x, [1], false) },
    { name: 'all axes', shapes: [[2, 3]], build: (g, [x]) => g.mean(x, [0, 1]) },
  ],
  Gather: [
    {
      name: 'rows with duplicates',
      shapes: [[4, 3]],
      build: (g, [x]) => g.gather(x, g.ints([1, 3, 1, 1, 0, 3])),
    },
    {
      name: 'indices of rank 2',
      shapes: [[3, 2, 2]],
      build: (g, [x]) => g.gather(x, g.ints([2, 0, 2, 2], [2, 2])),
    },
  ],
  GatherElements: [
    {
      name: 'one per row',
      shapes: [[3, 5]],
      build: (g, [x]) => g.gatherElements(x, g.ints([4, 0, 2], [3, 1])),
    },
    {
      name: 'several per row, one of them twice',
      shapes: [[2, 4]],
      build: (g, [x]) => g.gatherElements(x, g.ints([3, 3, 1, 0, 2, 0], [2, 3])),
    },
  ],
  Slice: [
    { name: 'first axis', shapes: [[4, 2]], build: (g, [x]) => g.slice(x, 0, 1, 3) },
    { name: 'last axis to the end', shapes: [[2, 2, 5]], build: (g, [x]) => g.slice(x, 2, 2, 5) },
  ],
  Concat: [
    {
      name: 'three parts, last axis',
      shapes: [
        [2, 1],
        [2, 3],
        [2, 2],
      ],
      build: (g, parts) => g.concat(parts, 1),
    },
    { name: 'one part twice', shapes: [[2, 3]], build: (g, [x]) => g.square(g.concat([x, x], 0)) },
  ],
  Pad: [
    { name: 'both ends', shapes: [[3, 2]], build: (g, [x]) => g.pad(x, 0, 2, 1) },
    { name: 'last axis', shapes: [[2, 2, 3]], build: (g, [x]) => g.pad(x, 2, 0, 4) },
  ],
};
