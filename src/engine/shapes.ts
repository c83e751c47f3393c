/**
 * Shape and type inference, one rule per ONNX operator that the builder may emit.
 *
 * The table is also the list of supported operators: a name that is missing here cannot get into a
 * graph. Only standard operators of opset 18 are used, so that every execution provider can run them.
 */
import { type DType, sizeOf, type Tensor } from './tensor.ts';

export type Attribute = number | string | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, Attribute>>;
export interface Inferred {
  shape: readonly number[];
  dtype: DType;
}
type Rule = (inputs: readonly Tensor[], attributes: Attributes) => Inferred;

/** NumPy broadcasting of two shapes. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new Error(`shapes [${a}] and [${b}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

function sameType(a: Tensor, b: Tensor): DType {
  if (a.dtype !== b.dtype) throw new Error(`${a.dtype} and ${b.dtype} do not mix`);
  return a.dtype;
}

function axesOf(x: Tensor, axes: Tensor): readonly number[] {
  const values = integers(axes, 'axes');
  const outside = values.find((axis) => axis < 0 || axis >= x.shape.length);
  if (outside !== undefined) throw new Error(`axis ${outside} of [${x.shape}]`);
  return values;
}

const same: Rule = ([x]) => ({ shape: x.shape, dtype: x.dtype });
const broadcasting: Rule = ([a, b]) => ({
  shape: broadcast(a.shape, b.shape),
  dtype: sameType(a, b),
});
const comparing: Rule = (inputs, attributes) => ({
  ...broadcasting(inputs, attributes),
  dtype: 'bool',
});

function integers(tensor: Tensor, role: string): readonly number[] {
  if (tensor.ints === undefined)
    throw new Error(`${role} must be an int64 constant, got ${tensor.name}`);
  return tensor.ints;
}

function matMul([a, b]: readonly Tensor[]): Inferred {
  const k = a.shape[a.shape.length - 1];
  if (a.shape.length < 2 || b.shape.length < 2 || k !== b.shape[b.shape.length - 2]) {
    throw new Error(`[${a.shape}] by [${b.shape}]`);
  }
  const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return {
    shape: [...batch, a.shape[a.shape.length - 2], b.shape[b.shape.length - 1]],
    dtype: a.dtype,
  };
}

function gemm([a, b]: readonly Tensor[], { transA, transB }: Attributes): Inferred {
  const [m, k] = transA === 1 ? [a.shape[1], a.shape[0]] : a.shape;
  const [inner, n] = transB === 1 ? [b.shape[1], b.shape[0]] : b.shape;
  if (a.shape.length !== 2 || b.shape.length !== 2 || k !== inner) {
    throw new Error(`[${a.shape}] by [${b.shape}], transA ${transA}, transB ${transB}`);
  }
  return { shape: [m, n], dtype: a.dtype };
}

function reduce([x, axes]: readonly Tensor[], { keepdims }: Attributes): Inferred {
  const reduced = new Set(axesOf(x, axes));
  const shape = x.shape.flatMap((extent, i) =>
    reduced.has(i) ? (keepdims === 1 ? [1] : []) : [extent],
  );
  return { shape, dtype: x.dtype };
}

function slice([x, starts, ends, axes]: readonly Tensor[]): Inferred {
  const shape = [...x.shape];
  const from = integers(starts, 'starts');
  const to = integers(ends, 'ends');
  for (const [i, axis] of axesOf(x, axes).entries()) {
    if (from[i] < 0 || to[i] > shape[axis] || from[i] > to[i]) {
      throw new Error(`${from[i]}..${to[i]} of axis ${axis} in [${x.shape}]`);
    }
    shape[axis] = to[i] - from[i];
  }
  return { shape, dtype: x.dtype };
}

function concat(inputs: readonly Tensor[], { axis }: Attributes): Inferred {
  const [first] = inputs;
  const at = Number(axis);
  for (const other of inputs) {
    if (
      other.shape.length !== first.shape.length ||
      other.shape.some((n, i) => i !== at && n !== first.shape[i])
    ) {
      throw new Error(`on axis ${at} of ${inputs.map((x) => `[${x.shape}]`).join(' and ')}`);
    }
  }
  const total = inputs.reduce((sum, x) => sum + x.shape[at], 0);
  return { shape: first.shape.map((n, i) => (i === at ? total : n)), dtype: first.dtype };
}

function reshape([x, target]: readonly Tensor[]): Inferred {
  const shape = integers(target, 'shape');
  if (sizeOf(shape) !== sizeOf(x.shape)) throw new Error(`[${x.shape}] to [${shape}]`);
  return { shape, dtype: x.dtype };
}

function pad([x, pads]: readonly Tensor[]): Inferred {
  const by = integers(pads, 'pads');
  const rank = x.shape.length;
  return { shape: x.shape.map((n, i) => n + by[i] + by[rank + i]), dtype: x.dtype };
}

function permute([x]: readonly Tensor[], { perm }: Attributes): Inferred {
  if (
    !Array.isArray(perm) ||
    perm.length !== x.shape.length ||
    x.shape.some((_, i) => !perm.includes(i))
  ) {
    throw new Error(`[${x.shape}] by [${perm}]`);
  }
  return { shape: perm.map((axis: number) => x.shape[axis]), dtype: x.dtype };
}

function where([condition, a, b]: readonly Tensor[]): Inferred {
  if (condition.dtype !== 'bool') throw new Error(`a condition of type ${condition.dtype}`);
  const shape = broadcast(condition.shape, broadcast(a.shape, b.shape));
  return { shape, dtype: sameType(a, b) };
}

function gather([x, indices]: readonly Tensor[], { axis }: Attributes): Inferred {
  const at = Number(axis);
  if (indices.dtype !== 'int64') throw new Error(`indices of type ${indices.dtype}`);
  if (at < 0 || at >= x.shape.length) throw new Error(`axis ${at} of [${x.shape}]`);
  const shape = [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)];
  return { shape, dtype: x.dtype };
}

function gatherElements([x, indices]: readonly Tensor[], { axis }: Attributes): Inferred {
  if (indices.dtype !== 'int64') throw new Error(`indices of type ${indices.dtype}`);
  const fits =
    indices.shape.length === x.shape.length &&
    indices.shape.every((n, i) => i === Number(axis) || n <= x.shape[i]);
  if (!fits) throw new Error(`indices [${indices.shape}] into [${x.shape}] on axis ${axis}`);
  return { shape: indices.shape, dtype: x.dtype };
}

const CAST: Record<number, DType> = { 1: 'float32', 7: 'int64', 9: 'bool' };

const SHAPE_RULES = {
  Add: broadcasting,
  Sub: broadcasting,
  Mul: broadcasting,
  Div: broadcasting,
  Min: broadcasting,
  Max: broadcasting,
  Pow: broadcasting,
  Neg: same,
  Abs: same,
  Exp: same,
  Log: same,
  Sqrt: same,
  Cos: same,
  Reciprocal: same,
  Sigmoid: same,
  Softmax: same,
  LogSoftmax: same,
  Identity: same,
  Less: comparing,
  LessOrEqual: comparing,
  Greater: comparing,
  GreaterOrEqual: comparing,
  Equal: comparing,
  Where: where,
  Cast: ([x], { to }) => ({ shape: x.shape, dtype: CAST[Number(to)] }),
  MatMul: matMul,
  Gemm: gemm,
  Reshape: reshape,
  Transpose: permute,
  Expand: ([x, shape]) => ({ shape: broadcast(x.shape, integers(shape, 'shape')), dtype: x.dtype }),
  ReduceSum: reduce,
  ReduceMean: reduce,
  Gather: gather,
  GatherElements: gatherElements,
  ScatterElements: same,
  Slice: slice,
  Concat: concat,
  Pad: pad,
} satisfies Record<string, Rule>;

export type OnnxOp = keyof typeof SHAPE_RULES;

/** The shape and element type of the result of `op`; throws where the inputs do not fit. */
export function infer(op: OnnxOp, inputs: readonly Tensor[], attributes: Attributes): Inferred {
  const rule: Rule = SHAPE_RULES[op];
  try {
    return rule(inputs, attributes);
  } catch (error) {
    throw new Error(`${op}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}
