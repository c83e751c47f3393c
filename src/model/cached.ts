/**
 * Blocks of queries against a key/value cache: one graph for prefill (many queries), decode (one query)
 * and trace (either, with attention summaries as further outputs).
 *
 * The cache has a fixed capacity and belongs to the caller; the graph returns the new rows only and the
 * caller writes them at their positions. A row of the batch depends on nothing but its own content.
 */
import { Graph } from '../engine/graph.ts';
import type { Tensor } from '../engine/tensor.ts';
import { type AttentionRows, type TraceRequest, traceOutputs } from './attention-trace.ts';
import type { DecoderConfig } from './config.ts';
import { type Attend, decoder, logits, type Rotary, weightInputs } from './decoder.ts';
import { causalMask, fullRopeTables, HIDDEN, transposed } from './forward.ts';

export interface CachedExtent {
  /** Rows that are computed together. */
  batch: number;
  /** New tokens per row and run. */
  queries: number;
  /** Tokens that the cache holds per row; also the number of positions. */
  capacity: number;
}

export const keyCache = (layer: number): string => `cache_k.${layer}`;
export const valueCache = (layer: number): string => `cache_v.${layer}`;
export const newKeys = (layer: number): string => `new_k.${layer}`;
export const newValues = (layer: number): string => `new_v.${layer}`;

/**
 * Inputs: the weights by Hugging Face name; `ids` int64 [batch * queries]; `start` int64 [batch, 1], the
 * tokens in the cache of each row (the first new token's position; start + queries <= capacity);
 * `cache_k.L`, `cache_v.L` [batch, kvHeads, capacity, headDim].
 *
 * Outputs: `new_k.L`, `new_v.L` [batch, kvHeads, queries, headDim]; with one query also `logits` [batch,
 * vocabSize]; the trace outputs of attention-trace.ts where `trace` is given. Blocks of several queries
 * fill the cache: sampling starts by decoding the last prompt token, so they need no logits.
 */
export function cachedGraph(
  config: DecoderConfig,
  extent: CachedExtent,
  trace?: TraceRequest,
): Graph {
  const g = new Graph();
  const { batch, queries, capacity } = extent;
  const rep = config.heads / config.kvHeads;
  const weights = weightInputs(g, config);
  const ids = g.input('ids', [batch * queries], 'int64');
  const start = g.input('start', [batch, 1], 'int64');
  const positions = g.add(
    start,
    g.ints(
      Array.from({ length: queries }, (_, i) => i),
      [1, queries],
    ),
  );
  const rotary = gatherRotary(g, config, positions, capacity);

  const columns = g.constant(
    Float32Array.from({ length: capacity }, (_, j) => j),
    [1, 1, 1, capacity],
  );
  const filled = g.less(columns, g.float(g.reshape(start, [batch, 1, 1, 1])));
  const cacheMask = g.where(filled, g.scalar(0), g.scalar(HIDDEN));
  const blockMask = queries === 1 ? undefined : causalMask(g, rep, queries);
  const rows: AttentionRows[] = [];

  const attend: Attend = (layer, q, k, v) => {
    const shape = [batch, config.kvHeads, capacity, config.headDim];
    const keys = g.input(keyCache(layer), shape);
    const values = g.input(valueCache(layer), shape);
    g.output(newKeys(layer), k);
    g.output(newValues(layer), v);
    const before = g.add(g.matMul(q, transposed(g, keys)), cacheMask);
    const block = g.matMul(q, transposed(g, k));
    const within = blockMask === undefined ? block : g.add(block, blockMask);
    const p = g.softmax(g.concat([before, within], 3));
    const cached = g.slice(p, 3, 0, capacity);
    const fresh = g.slice(p, 3, capacity, capacity + queries);
    rows.push({ cached, fresh });
    return g.add(g.matMul(cached, values), g.matMul(fresh, v));
  };

  const hidden = decoder(g, config, weights, ids, extent, rotary, attend);
  if (queries === 1) g.output('logits', logits(g, config, weights, hidden));
  if (trace !== undefined) traceOutputs(g, config, extent, trace, rows, positions);
  return g;
}

function gatherRotary(
  g: Graph,
  config: DecoderConfig,
  positions: Tensor,
  capacity: number,
): Rotary {
  const { headDim } = config;
  const tables = fullRopeTables(config, capacity);
  const [batch, queries] = positions.shape;
  const at = (table: Float32Array) =>
    g.reshape(g.gather(g.constant(table, [capacity, headDim]), positions), [
      batch,
      queries,
      1,
      headDim,
    ]);
  return { cos: at(tables.cos), sin: at(tables.sin) };
}
