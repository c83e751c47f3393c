/**
 * Vector-Jacobian products, one rule per differentiable operator.
 *
 * A rule gets the node and the cotangent of its output and gives, for every input, a function that adds
 * the nodes of that input's cotangent to the graph, or null where none flows. Functions, because
 * a cotangent that nobody needs (of a mask, of frozen weights) must not be computed.
 */
import type { Graph, Node } from './graph.ts';
import type { OnnxOp } from './shapes.ts';
import { sizeOf, type Tensor } from './tensor.ts';

export type Cotangent = (() => Tensor) | null;
export type VjpRule = (g: Graph, node: Node, dy: Tensor) => Cotangent[];

/** Sums `x` down to `shape`: the adjoint of broadcasting. */
function unbroadcast(g: Graph, x: Tensor, shape: readonly number[]): Tensor {
  const offset = x.shape.length - shape.length;
  const axes = x.shape.flatMap((n, i) =>
    i < offset || (shape[i - offset] === 1 && n !== 1) ? [i] : [],
  );
  const summed = axes.length === 0 ? x : g.sum(x, axes);
  return offset === 0 ? summed : g.reshape(summed, shape);
}

const swapLast = (g: Graph, x: Tensor): Tensor => {
  const perm = x.shape.map((_, i) => i);
  const last = perm.length - 1;
  [perm[last - 1], perm[last]] = [perm[last], perm[last - 1]];
  return g.transpose(x, perm);
};

/** Passes the cotangent to the input that was chosen; a tie goes to the first, as in PyTorch's clamp. */
function chosen(g: Graph, a: Tensor, b: Tensor, dy: Tensor, firstLoses: Tensor): Cotangent[] {
  const zero = g.scalar(0);
  return [
    () => unbroadcast(g, g.where(firstLoses, zero, dy), a.shape),
    () => unbroadcast(g, g.where(firstLoses, dy, zero), b.shape),
  ];
}

function gemmVjp(g: Graph, { inputs: [a, b], attributes }: Node, dy: Tensor): Cotangent[] {
  const transA = attributes.transA === 1;
  const transB = attributes.transB === 1;
  return [
    () => (transA ? g.gemm(b, dy, transB, true) : g.gemm(dy, b, false, !transB)),
    () => (transB ? g.gemm(dy, a, true, transA) : g.gemm(a, dy, !transA, false)),
  ];
}

function gatherVjp(g: Graph, { inputs: [table, ids], attributes }: Node, dy: Tensor): Cotangent[] {
  if (attributes.axis !== 0) throw new Error('only Gather on axis 0 is differentiable');
  return [
    () => {
      // ScatterElements, not ScatterND: the CPU provider's ScatterND(add) loses updates on duplicate
      // indices when it runs on several threads, without an error.
      const count = sizeOf(ids.shape);
      const width = sizeOf(table.shape.slice(1));
      const rows = g.expand(g.reshape(ids, [count, 1]), [count, width]);
      const zeros = g.scalar(0, [table.shape[0], width]);
      const sums = g.node('ScatterElements', [zeros, rows, g.reshape(dy, [count, width])], {
        axis: 0,
        reduction: 'add',
      });
      return g.reshape(sums, table.shape);
    },
    null,
  ];
}

/** Spreads the cotangent of a reduction over the reduced axes. */
function spread(g: Graph, dy: Tensor, shape: readonly number[], axes: Tensor): Tensor {
  const kept = shape.map((n, i) => (axes.ints?.includes(i) ? 1 : n));
  return g.expand(g.reshape(dy, kept), shape);
}

function powVjp(g: Graph, { inputs: [a, exponent] }: Node, dy: Tensor): Cotangent[] {
  if (exponent !== g.scalar(2))
    throw new Error('only Pow with the constant exponent 2 is differentiable');
  return [() => g.mul(dy, g.scale(a, 2)), null];
}

export const VJP_RULES: Partial<Record<OnnxOp, VjpRule>> = {
  Identity: (_g, _node, dy) => [() => dy],
  Add: (g, { inputs: [a, b] }, dy) => [
    () => unbroadcast(g, dy, a.shape),
    () => unbroadcast(g, dy, b.shape),
  ],
  Sub: (g, { inputs: [a, b] }, dy) => [
    () => unbroadcast(g, dy, a.shape),
    () => unbroadcast(g, g.neg(dy), b.shape),
  ],
  Mul: (g, { inputs: [a, b] }, dy) => [
    () => unbroadcast(g, g.mul(dy, b), a.shape),
    () => unbroadcast(g, g.mul(dy, a), b.shape),
  ],
  Div: (g, { inputs: [a, b], output }, dy) => [
    () => unbroadcast(g, g.div(dy, b), a.shape),
    () => unbroadcast(g, g.neg(g.div(g.mul(dy, output), b)), b.shape),
  ],
  Min: (g, { inputs: [a, b] }, dy) => chosen(g, a, b, dy, g.greater(a, b)),
  Max: (g, { inputs: [a, b] }, dy) => chosen(g, a, b, dy, g.less(a, b)),
  Neg: (g, _node, dy) => [() => g.neg(dy)],
  Exp: (g, { output }, dy) => [() => g.mul(dy, output)],
  Log: (g, { inputs: [a] }, dy) => [() => g.div(dy, a)],
  Sqrt: (g, { output }, dy) => [() => g.div(g.scale(dy, 0.5), output)],
  Reciprocal: (g, { output }, dy) => [() => g.neg(g.mul(dy, g.mul(output, output)))],
  Sigmoid: (g, { output }, dy) => [() => g.mul(dy, g.mul(output, g.sub(g.scalar(1), output)))],
  Softmax: (g, { output }, dy) => [
    () => {
      const weighted = g.mul(dy, output);
      return g.sub(weighted, g.mul(output, g.sum(weighted, [output.shape.length - 1])));
    },
  ],
  LogSoftmax: (g, { output }, dy) => [
    () => g.sub(dy, g.mul(g.exp(output), g.sum(dy, [output.shape.length - 1]))),
  ],
  Where: (g, { inputs: [condition, a, b] }, dy) => [
    null,
    () => unbroadcast(g, g.where(condition, dy, g.scalar(0)), a.shape),
    () => unbroadcast(g, g.where(condition, g.scalar(0), dy), b.shape),
  ],
  MatMul: (g, { inputs: [a, b] }, dy) => [
    () => unbroadcast(g, g.matMul(dy, swapLast(g, b)), a.shape),
    () => unbroadcast(g, g.matMul(swapLast(g, a), dy), b.shape),
  ],
  Gemm: gemmVjp,
  Reshape: (g, { inputs: [a] }, dy) => [() => g.reshape(dy, a.shape), null],
  Transpose: (g, { inputs: [a], attributes }, dy) => [
    () => {
      const perm = attributes.perm as readonly number[];
      return g.transpose(
        dy,
        a.shape.map((_, i) => perm.indexOf(i)),
      );
    },
  ],
  Expand: (g, { inputs: [a] }, dy) => [() => unbroadcast(g, dy, a.shape), null],
  Pow: powVjp,
  ReduceSum: (g, { inputs: [a, axes] }, dy) => [() => spread(g, dy, a.shape, axes), null],
  ReduceMean: (g, { inputs: [a, axes] }, dy) => [
    () => spread(g, g.scale(dy, sizeOf(dy.shape) / sizeOf(a.shape)), a.shape, axes),
    null,
  ],
  Gather: gatherVjp,
  GatherElements: (g, { inputs: [a, indices], attributes }, dy) => [
    () => {
      const zeros = g.scalar(0, a.shape);
      return g.node('ScatterElements', [zeros, indices, dy], { ...attributes, reduction: 'add' });
    },
    null,
  ],
  Slice: (g, { inputs: [a, starts, ends, axes] }, dy) => [
    () => {
      const [axis] = axes.ints ?? [];
      const [start] = starts.ints ?? [];
      const [end] = ends.ints ?? [];
      return g.pad(dy, axis, start, a.shape[axis] - end);
    },
    null,
    null,
    null,
  ],
  Concat: (g, { inputs, attributes }, dy) => {
    const axis = Number(attributes.axis);
    let start = 0;
    return inputs.map((part) => {
      const from = start;
      start += part.shape[axis];
      return () => g.slice(dy, axis, from, from + part.shape[axis]);
    });
  },
  Pad: (g, { inputs: [a, pads] }, dy) => [
    () =>
      a.shape.reduce((sliced, n, axis) => {
        const before = pads.ints?.[axis] ?? 0;
        return n === sliced.shape[axis] ? sliced : g.slice(sliced, axis, before, before + n);
      }, dy),
    null,
  ],
};
