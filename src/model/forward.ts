/** Whole sequences at once, without a cache: what training, evaluation and pooling of given texts use. */
import type { Graph } from '../engine/graph.ts';
import type { Tensor } from '../engine/tensor.ts';
import type { DecoderConfig } from './config.ts';
import { type Attend, decoder, type Extent, type GraphWeights, type Rotary } from './decoder.ts';
import { ropeTables } from './rope.ts';

/** Added to the score of a key that a query must not see; exp of it is exactly 0. */
export const HIDDEN = -1e9;

/** Widens the half tables [positions, headDim / 2] of `ropeTables` to [positions, headDim]. */
export function fullRopeTables(
  config: DecoderConfig,
  positions: number,
): { cos: Float32Array; sin: Float32Array } {
  const { cos, sin } = ropeTables(config.rope, config.headDim, positions);
  const half = config.headDim / 2;
  const widen = (table: Float32Array) => {
    const wide = new Float32Array(table.length * 2);
    for (let p = 0; p < positions; p++) {
      const row = table.subarray(p * half, (p + 1) * half);
      wide.set(row, p * config.headDim);
      wide.set(row, p * config.headDim + half);
    }
    return wide;
  };
  return { cos: widen(cos), sin: widen(sin) };
}

/** [rep * queries, queries]: 0 where a query sees a key of the same block, HIDDEN where the key is later. */
export function causalMask(g: Graph, rep: number, queries: number): Tensor {
  const mask = new Float32Array(rep * queries * queries);
  for (let row = 0; row < rep * queries; row++) {
    mask.fill(HIDDEN, row * queries + (row % queries) + 1, (row + 1) * queries);
  }
  return g.constant(mask, [rep * queries, queries]);
}

/** Swaps the last two of four axes. */
export const transposed = (g: Graph, x: Tensor): Tensor => g.transpose(x, [0, 1, 3, 2]);

/**
 * Hidden states [batch * queries, hiddenSize] of whole sequences that start at position 0. Sequences
 * shorter than `queries` are padded on the right: a padded position is never seen by one before it.
 * `onHidden` as in `decoder`.
 */
export function forward(
  g: Graph,
  config: DecoderConfig,
  weights: GraphWeights,
  ids: Tensor,
  extent: Extent,
  onHidden?: (hidden: Tensor) => void,
): Tensor {
  const { queries } = extent;
  const tables = fullRopeTables(config, queries);
  const shape = [1, queries, 1, config.headDim];
  const rotary: Rotary = { cos: g.constant(tables.cos, shape), sin: g.constant(tables.sin, shape) };
  const mask = causalMask(g, config.heads / config.kvHeads, queries);
  const attend: Attend = (_layer, q, k, v) =>
    g.matMul(g.softmax(g.add(g.matMul(q, transposed(g, k)), mask)), v);
  return decoder(g, config, weights, ids, extent, rotary, attend, onHidden);
}
