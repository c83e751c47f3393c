/** Handles of values in a graph: a name, a static shape and an element type. They hold no data. */

export type DType = 'float32' | 'int64' | 'bool';

/** The typed arrays in which values of a graph cross into JavaScript. */
export type TensorData = Float32Array | BigInt64Array | Uint8Array;

export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** The values of a small int64 constant: shape inference reads axes, slices and target shapes from here. */
  readonly ints?: readonly number[];
}

/**
 * An extent that a graph leaves open until its arrays are bound. It is a number so large that sums and products
 * with it are recognised: `OPEN + 3` is three more than the open extent. A graph has one open extent at most.
 */
export const OPEN = 2 ** 30;

export const isOpen = (extent: number): boolean => extent >= OPEN;

/** `shape` where the open extent is `open`. */
export function closed(shape: readonly number[], open: number): number[] {
  return shape.map((extent) => (isOpen(extent) ? extent - OPEN + open : extent));
}

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** A zeroed array for a value of this element type and shape. */
export function allocate(dtype: DType, shape: readonly number[]): TensorData {
  const size = sizeOf(shape);
  if (dtype === 'float32') return new Float32Array(size);
  return dtype === 'int64' ? new BigInt64Array(size) : new Uint8Array(size);
}
