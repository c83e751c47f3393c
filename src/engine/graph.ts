/**
 * A graph of standard ONNX operators with static shapes (but for one extent that may be left open), built node by
 * node.
 *
 * Nodes are kept in the order in which they were made, which is a topological order: reverse-mode
 * differentiation and the encoder rely on it. The graph knows nothing of models.
 */
import { type Attributes, infer, type OnnxOp } from './shapes.ts';
import { type DType, isOpen, sizeOf, type Tensor, type TensorData } from './tensor.ts';

export interface Node {
  readonly op: OnnxOp;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly attributes: Attributes;
}

export interface Constant {
  readonly tensor: Tensor;
  readonly data: TensorData;
}

/** What ONNX takes for "to the end" of a slice and for "whatever is left" in a target shape. */
const TO_THE_END = 2n ** 62n;
const LEFT_OVER = -1n;
const INT64_CAST = 7;
const FLOAT_CAST = 1;
/** Up to this inner length the CPU provider adds up in one block, whatever the number of threads. */
const ONE_BLOCK = 128;
/** So many columns for every thread, and a product split by columns is blocked as one that is not. */
const THREAD_COLUMNS = 128;
/** With fewer rows the transposed product of a wide one is the faster, and up to 64 it is blocked in another way. */
const STRAIGHT_ROWS = 96;

export class Graph {
  readonly nodes: Node[] = [];
  readonly inputs: Tensor[] = [];
  readonly outputs: Tensor[] = [];
  readonly constants: Constant[] = [];
  private readonly shared = new Map<string, Tensor>();
  private readonly names = new Set<string>();
  private readonly threads: number;
  private counter = 0;

  /** `threads`: the most that the graph will run on, where that is known; it speeds up wide products. */
  constructor(threads = Number.POSITIVE_INFINITY) {
    this.threads = threads;
  }

  /** A named input. Throws when the name is taken. */
  input(name: string, shape: readonly number[], dtype: DType = 'float32'): Tensor {
    const tensor = { name: this.claim(name), shape, dtype };
    this.inputs.push(tensor);
    return tensor;
  }

  /** Makes `tensor` an output under `name`. */
  output(name: string, tensor: Tensor): void {
    const output = { name: this.claim(name), shape: tensor.shape, dtype: tensor.dtype };
    this.nodes.push({ op: 'Identity', inputs: [tensor], output, attributes: {} });
    this.outputs.push(output);
  }

  /** A float32 constant array. */
  constant(data: Float32Array, shape: readonly number[]): Tensor {
    if (sizeOf(shape) !== data.length)
      throw new Error(`constant of ${data.length} values as [${shape}]`);
    const tensor: Tensor = { name: this.fresh(), shape, dtype: 'float32' };
    this.constants.push({ tensor, data });
    return tensor;
  }

  /** A float32 constant of one value; equal ones are shared. */
  scalar(value: number, shape: readonly number[] = []): Tensor {
    return this.once(`f${value}[${shape}]`, () =>
      this.constant(new Float32Array(sizeOf(shape)).fill(value), shape),
    );
  }

  /** An int64 constant vector whose values shape inference can read; equal ones are shared. */
  ints(values: readonly number[], shape: readonly number[] = [values.length]): Tensor {
    return this.once(`i${values}[${shape}]`, () => {
      const tensor: Tensor = { name: this.fresh(), shape, dtype: 'int64', ints: values };
      this.constants.push({ tensor, data: BigInt64Array.from(values, BigInt) });
      return tensor;
    });
  }

  /** As `ints`, for extents: where one is open, the runtime is given `stand` in its place. */
  private extents(values: readonly number[], stand: bigint): Tensor {
    if (!values.some(isOpen)) return this.ints(values);
    return this.once(`o${values}|${stand}`, () => {
      const tensor: Tensor = {
        name: this.fresh(),
        shape: [values.length],
        dtype: 'int64',
        ints: values,
      };
      const data = BigInt64Array.from(values, (x) => (isOpen(x) ? stand : BigInt(x)));
      this.constants.push({ tensor, data });
      return tensor;
    });
  }

  /** Adds a node; its output's shape and type follow from the operator's rule. */
  node(op: OnnxOp, inputs: readonly Tensor[], attributes: Attributes = {}): Tensor {
    const output = { name: this.fresh(), ...infer(op, inputs, attributes) };
    this.nodes.push({ op, inputs, output, attributes });
    return output;
  }

  add = (a: Tensor, b: Tensor) => this.node('Add', [a, b]);
  sub = (a: Tensor, b: Tensor) => this.node('Sub', [a, b]);
  mul = (a: Tensor, b: Tensor) => this.node('Mul', [a, b]);
  div = (a: Tensor, b: Tensor) => this.node('Div', [a, b]);
  min = (a: Tensor, b: Tensor) => this.node('Min', [a, b]);
  max = (a: Tensor, b: Tensor) => this.node('Max', [a, b]);
  neg = (a: Tensor) => this.node('Neg', [a]);
  abs = (a: Tensor) => this.node('Abs', [a]);
  exp = (a: Tensor) => this.node('Exp', [a]);
  log = (a: Tensor) => this.node('Log', [a]);
  sqrt = (a: Tensor) => this.node('Sqrt', [a]);
  reciprocal = (a: Tensor) => this.node('Reciprocal', [a]);
  sigmoid = (a: Tensor) => this.node('Sigmoid', [a]);
  less = (a: Tensor, b: Tensor) => this.node('Less', [a, b]);
  greater = (a: Tensor, b: Tensor) => this.node('Greater', [a, b]);
  equal = (a: Tensor, b: Tensor) => this.node('Equal', [a, b]);
  where = (condition: Tensor, a: Tensor, b: Tensor) => this.node('Where', [condition, a, b]);
  float = (a: Tensor) => this.node('Cast', [a], { to: FLOAT_CAST });
  int = (a: Tensor) => this.node('Cast', [a], { to: INT64_CAST });
  /** `a` times a constant. */
  scale = (a: Tensor, factor: number) => (factor === 1 ? a : this.mul(a, this.scalar(factor)));
  softmax = (a: Tensor) => this.node('Softmax', [a], { axis: -1 });
  logSoftmax = (a: Tensor) => this.node('LogSoftmax', [a], { axis: -1 });
  matMul = (a: Tensor, b: Tensor) => this.node('MatMul', [a, b]);
  /**
   * Product of two matrices, each optionally transposed.
   *
   * A wide product (fewer rows than columns) is computed as its transpose: the CPU provider splits it
   * over threads by columns, and for a long inner axis its blocking, and so the rounding, would follow
   * the number of threads. The detour over rank 3 keeps the runtime from fusing the transpose back. With columns
   * enough for every thread both ways give the same bits, and with many rows the straight one is faster.
   */
  gemm(a: Tensor, b: Tensor, transA = false, transB = false): Tensor {
    const [rows, inner] = transA ? a.shape.toReversed() : a.shape;
    const columns = b.shape[transB ? 0 : 1];
    const safe = rows >= STRAIGHT_ROWS && columns >= THREAD_COLUMNS * this.threads;
    if (rows >= columns || safe || inner <= ONE_BLOCK) return this.product(a, b, transA, transB);
    const flipped = this.reshape(this.product(b, a, !transB, !transA), [columns, rows, 1]);
    return this.reshape(this.transpose(flipped, [1, 2, 0]), [rows, columns]);
  }

  /** `x` [N, in] times the transpose of a Hugging Face weight [out, in]. */
  linear = (x: Tensor, weight: Tensor) => this.gemm(x, weight, false, true);
  reshape = (a: Tensor, shape: readonly number[]) =>
    this.node('Reshape', [a, this.extents(shape, LEFT_OVER)]);
  transpose = (a: Tensor, perm: readonly number[]) => this.node('Transpose', [a], { perm });
  expand = (a: Tensor, shape: readonly number[]) => this.node('Expand', [a, this.ints(shape)]);
  sum = (a: Tensor, axes: readonly number[], keep = true) =>
    this.node('ReduceSum', [a, this.ints(axes)], { keepdims: keep ? 1 : 0 });
  mean = (a: Tensor, axes: readonly number[], keep = true) =>
    this.node('ReduceMean', [a, this.ints(axes)], { keepdims: keep ? 1 : 0 });
  square = (a: Tensor) => this.node('Pow', [a, this.scalar(2)]);
  gather = (a: Tensor, indices: Tensor, axis = 0) => this.node('Gather', [a, indices], { axis });
  /** One element per row of the last axis: `indices` has the shape of `a` but for the last axis. */
  gatherElements = (a: Tensor, indices: Tensor) =>
    this.node('GatherElements', [a, indices], { axis: a.shape.length - 1 });
  slice = (a: Tensor, axis: number, start: number, end: number) => {
    const whole = a.shape[axis];
    const fromBehind = end === whole || !isOpen(end) ? TO_THE_END : BigInt(end - whole);
    const stop = this.extents([end], fromBehind);
    return this.node('Slice', [a, this.ints([start]), stop, this.ints([axis])]);
  };
  concat = (parts: readonly Tensor[], axis: number) =>
    parts.length === 1 ? parts[0] : this.node('Concat', parts, { axis });
  /**
   * `x` bit for bit, computed after `first`. The runtime orders nodes by what the last outputs need, so that what only
   * an output reads comes late, and with it everything that it reads is kept: a tie lets go of it.
   */
  after(x: Tensor, first: readonly Tensor[]): Tensor {
    const size = sizeOf(x.shape);
    const firstElement = (y: Tensor) => {
      const axes = y.shape.map((_, axis) => axis);
      const [zeros, ones] = [0, 1].map((at) => this.ints(axes.map(() => at)));
      return this.reshape(this.node('Slice', [y, zeros, ones, this.ints(axes)]), [1]);
    };
    const tied = this.concat([this.reshape(x, [size]), ...first.map(firstElement)], 0);
    return this.reshape(this.slice(tied, 0, 0, size), x.shape);
  }
  /** Zeros before and after along one axis. */
  pad = (a: Tensor, axis: number, before: number, after: number) => {
    const rank = a.shape.length;
    const pads = new Array<number>(2 * rank).fill(0);
    pads[axis] = before;
    pads[rank + axis] = after;
    return this.node('Pad', [a, this.ints(pads)]);
  };

  private product(a: Tensor, b: Tensor, transA: boolean, transB: boolean): Tensor {
    return this.node('Gemm', [a, b], { transA: transA ? 1 : 0, transB: transB ? 1 : 0 });
  }

  private fresh(): string {
    return `t${this.counter++}`;
  }

  private claim(name: string): string {
    if (this.names.has(name))
      throw new Error(`the graph has an input or output named ${name} already`);
    this.names.add(name);
    return name;
  }

  private once(key: string, make: () => Tensor): Tensor {
    const found = this.shared.get(key);
    if (found !== undefined) return found;
    const made = make();
    this.shared.set(key, made);
    return made;
  }
}
