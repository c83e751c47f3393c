/**
 * Attention signals as further outputs of a cached graph (METHOD, section 2).
 *
 * Per traced head and query a few numbers leave the graph; attention rows never do. Two states go from
 * one run to the next, O(capacity) per head: the last attention row (for `change`) and the attention
 * that each key has received (for `received`). The caller copies each state's output to its input after the
 * run: bound to one array, the runtime could write the next state before its last read of this one.
 */
import type { Graph } from '../engine/graph.ts';
import type { Tensor } from '../engine/tensor.ts';
import {
  entropy,
  farMass,
  type Geometry,
  type GraphSignal,
  geometryOf,
  type KeyParts,
  meanDistance,
  type TraceRequest,
  totalVariation,
} from './attention-signals.ts';
import type { CachedExtent } from './cached.ts';
import type { DecoderConfig } from './config.ts';
import type { Head } from './signals.ts';

export type { GraphSignal, TraceRequest } from './attention-signals.ts';

/** Attention probabilities of one layer: [batch, kvHeads, rep * queries, capacity] and [.., queries]. */
export interface AttentionRows {
  cached: Tensor;
  fresh: Tensor;
}

/** Output name of a per-query signal, [batch, heads, queries]. */
export const signalOutput = (signal: GraphSignal): string => `signal.${signal}`;
/** State [batch, heads, capacity]: input name; the output is the same with `next.` before it. */
export const LAST_ROW = 'state.last_row';
export const RECEIVED = 'state.received';
/** Inputs [batch, 1] int64: only queries at positions start..end-1 add to `received`. */
export const RESPONSE_START = 'response_start';
export const RESPONSE_END = 'response_end';
export const nextState = (state: string): string => `next.${state}`;

export function traceOutputs(
  g: Graph,
  config: DecoderConfig,
  extent: CachedExtent,
  request: TraceRequest,
  rows: readonly AttentionRows[],
  positions: Tensor,
): void {
  const { batch, queries, capacity } = extent;
  const wanted = new Set<GraphSignal>(request.signals);
  const p = tracedRows(g, config, extent, request.heads, rows);
  const parts: KeyParts = [p.cached, p.fresh];
  const t = g.reshape(g.float(positions), [batch, 1, queries, 1]);
  const columns = Float32Array.from({ length: capacity }, (_, j) => j);
  const keys = [g.constant(columns, [1, 1, 1, capacity]), g.reshape(t, [batch, 1, 1, queries])];
  const geometry = geometryOf(g, request, t, keys);
  // [batch, 1, queries, capacity]: 1 where column j is the new token's own position.
  const own = g.float(g.equal(geometry.back[0], g.scalar(0)));

  if (wanted.has('far_mass')) g.output(signalOutput('far_mass'), farMass(g, parts, geometry));
  if (wanted.has('distance')) g.output(signalOutput('distance'), meanDistance(g, parts, geometry));
  if (wanted.has('entropy')) {
    const seen = g.reshape(g.float(g.add(positions, g.ints([1]))), [batch, 1, queries]);
    g.output(signalOutput('entropy'), entropy(g, parts, seen));
  }
  if (wanted.has('change')) change(g, extent, p, own);
  if (wanted.has('received')) received(g, extent, p, geometry, own, positions);
}

/** The attention rows of the traced heads: [batch, heads, queries, capacity] and [.., queries]. */
function tracedRows(
  g: Graph,
  config: DecoderConfig,
  { batch, queries, capacity }: CachedExtent,
  heads: readonly Head[],
  rows: readonly AttentionRows[],
): AttentionRows {
  const pick = (side: 'cached' | 'fresh', width: number): Tensor => {
    const byLayer = rows.flatMap((row, layer) => {
      const chosen = heads.filter((h) => h.layer === layer).map((h) => h.head);
      if (chosen.length === 0) return [];
      const perHead = g.reshape(row[side], [batch, config.heads, queries, width]);
      const all = chosen.length === config.heads && chosen.every((head, i) => head === i);
      return [all ? perHead : g.gather(perHead, g.ints(chosen), 1)];
    });
    return g.concat(byLayer, 1);
  };
  const sorted = heads.every((h, i) => i === 0 || heads[i - 1].layer <= h.layer);
  if (!sorted) throw new Error('traced heads must be ordered by layer');
  return { cached: pick('cached', capacity), fresh: pick('fresh', queries) };
}

/** Total variation between successive rows, on absolute positions. */
function change(
  g: Graph,
  { batch, queries, capacity }: CachedExtent,
  p: AttentionRows,
  own: Tensor,
): void {
  const heads = p.cached.shape[1];
  const last = g.input(LAST_ROW, [batch, heads, capacity]);
  const first = g.reshape(last, [batch, heads, 1, capacity]);
  const shifted = (x: Tensor, head: Tensor) =>
    queries === 1 ? head : g.concat([head, g.slice(x, 2, 0, queries - 1)], 2);
  const none = g.scalar(0, [batch, heads, 1, queries]);
  const before = [shifted(p.cached, first), shifted(p.fresh, none)];
  g.output(signalOutput('change'), totalVariation(g, [p.cached, p.fresh], before));

  const lastOf = (x: Tensor) => g.slice(x, 2, queries - 1, queries);
  const absolute = g.add(lastOf(p.cached), g.matMul(lastOf(p.fresh), own));
  g.output(nextState(LAST_ROW), g.reshape(absolute, [batch, heads, capacity]));
}

/** Adds what every far key received from the response queries of this block. */
function received(
  g: Graph,
  { batch, queries, capacity }: CachedExtent,
  p: AttentionRows,
  { far }: Geometry,
  own: Tensor,
  positions: Tensor,
): void {
  const heads = p.cached.shape[1];
  const started = g.float(
    g.greater(positions, g.sub(g.input(RESPONSE_START, [batch, 1], 'int64'), g.ints([1]))),
  );
  const open = g.float(g.less(positions, g.input(RESPONSE_END, [batch, 1], 'int64')));
  const counts = g.reshape(g.mul(started, open), [batch, 1, queries, 1]);
  const cached = g.sum(g.mul(g.mul(p.cached, far[0]), counts), [2], false);
  const fresh = g.sum(g.mul(g.mul(p.fresh, far[1]), counts), [2], true);
  const placed = g.reshape(g.matMul(fresh, own), [batch, heads, capacity]);
  const state = g.input(RECEIVED, [batch, heads, capacity]);
  g.output(nextState(RECEIVED), g.add(state, g.add(cached, placed)));
}
