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
import type { CachedExtent } from './cached.ts';
import type { DecoderConfig } from './config.ts';
import type { Head, SignalName } from './signals.ts';

/** Signals that a graph computes; `agreement` is a function of far mass over time (src/trace). */
export type GraphSignal = Exclude<SignalName, 'agreement'>;

export interface TraceRequest {
  /** The heads to trace, in the order of the outputs' head axis. */
  heads: readonly Head[];
  signals: readonly GraphSignal[];
  /** Delta: keys more than this many tokens back are far. */
  delta: number;
  /** W: distances are cut at this many tokens. */
  window: number;
  /** The first `sinks` positions are attention sinks. */
  sinks: number;
}

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

/** Below this share of attention outside the sinks, the mean distance is 0: there is nothing to average. */
export const MIN_MASS = 1e-6;
const TINY = 1e-30;

export function traceOutputs(
  g: Graph,
  config: DecoderConfig,
  extent: CachedExtent,
  request: TraceRequest,
  rows: readonly AttentionRows[],
  positions: Tensor,
): void {
  const wanted = new Set<GraphSignal>(request.signals);
  const p = tracedRows(g, config, extent, request.heads, rows);
  const geometry = geometryOf(g, extent, request, positions);
  const weighted = (cached: Tensor, fresh: Tensor) =>
    g.add(g.sum(g.mul(p.cached, cached), [3], false), g.sum(g.mul(p.fresh, fresh), [3], false));

  if (wanted.has('far_mass')) {
    g.output(signalOutput('far_mass'), weighted(geometry.far.cached, geometry.far.fresh));
  }
  if (wanted.has('distance')) {
    const mass = weighted(geometry.counted.cached, geometry.counted.fresh);
    const total = weighted(geometry.distance.cached, geometry.distance.fresh);
    const mean = g.div(total, g.max(mass, g.scalar(MIN_MASS)));
    g.output(
      signalOutput('distance'),
      g.where(g.less(mass, g.scalar(MIN_MASS)), g.scalar(0), mean),
    );
  }
  if (wanted.has('entropy')) g.output(signalOutput('entropy'), entropy(g, p, positions));
  if (wanted.has('change')) change(g, extent, p, geometry);
  if (wanted.has('received')) received(g, extent, p, geometry, positions);
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

interface Geometry {
  /** 1 where the key is far and no sink. */
  far: AttentionRows;
  /** min(t - j, W) where the key is no sink, else 0. */
  distance: AttentionRows;
  /** 1 where the key is no sink. */
  counted: AttentionRows;
  /** [batch, 1, queries, capacity]: 1 where column j is the new token's own position. */
  own: Tensor;
}

/** Masks over (query, key), from the positions alone: [batch, 1, queries, capacity] and [.., queries]. */
function geometryOf(
  g: Graph,
  { batch, queries, capacity }: CachedExtent,
  { delta, window, sinks }: TraceRequest,
  positions: Tensor,
): Geometry {
  const t = g.reshape(g.float(positions), [batch, 1, queries, 1]);
  const columns = Float32Array.from({ length: capacity }, (_, j) => j);
  const cachedKeys = g.constant(columns, [1, 1, 1, capacity]);
  const freshKeys = g.reshape(t, [batch, 1, 1, queries]);
  const side = (keys: Tensor) => {
    const back = g.sub(t, keys);
    const counted = g.float(g.greater(keys, g.scalar(sinks - 0.5)));
    return {
      back,
      counted,
      far: g.mul(g.float(g.greater(back, g.scalar(delta))), counted),
      distance: g.mul(g.min(back, g.scalar(window)), counted),
    };
  };
  const cached = side(cachedKeys);
  const fresh = side(freshKeys);
  return {
    far: { cached: cached.far, fresh: fresh.far },
    distance: { cached: cached.distance, fresh: fresh.distance },
    counted: { cached: cached.counted, fresh: fresh.counted },
    own: g.float(g.equal(cached.back, g.scalar(0))),
  };
}

/** - sum A ln A / ln(t + 1); 0 for the first token. */
function entropy(g: Graph, p: AttentionRows, positions: Tensor): Tensor {
  const [batch, queries] = positions.shape;
  const sum = (x: Tensor) => g.sum(g.mul(x, g.log(g.max(x, g.scalar(TINY)))), [3], false);
  const nats = g.neg(g.add(sum(p.cached), sum(p.fresh)));
  const visible = g.reshape(g.float(g.add(positions, g.ints([1]))), [batch, 1, queries]);
  return g.div(nats, g.max(g.log(visible), g.scalar(MIN_MASS)));
}

/** Total variation between successive rows, on absolute positions. */
function change(
  g: Graph,
  { batch, queries, capacity }: CachedExtent,
  p: AttentionRows,
  { own }: Geometry,
): void {
  const heads = p.cached.shape[1];
  const last = g.input(LAST_ROW, [batch, heads, capacity]);
  const first = g.reshape(last, [batch, heads, 1, capacity]);
  const shifted = (x: Tensor, head: Tensor) =>
    queries === 1 ? head : g.concat([head, g.slice(x, 2, 0, queries - 1)], 2);
  const none = g.scalar(0, [batch, heads, 1, queries]);
  const distance = (x: Tensor, previous: Tensor) => g.sum(g.abs(g.sub(x, previous)), [3], false);
  const total = g.add(
    distance(p.cached, shifted(p.cached, first)),
    distance(p.fresh, shifted(p.fresh, none)),
  );
  g.output(signalOutput('change'), g.scale(total, 0.5));

  const lastOf = (x: Tensor) => g.slice(x, 2, queries - 1, queries);
  const absolute = g.add(lastOf(p.cached), g.matMul(lastOf(p.fresh), own));
  g.output(nextState(LAST_ROW), g.reshape(absolute, [batch, heads, capacity]));
}

/** Adds what every far key received from the response queries of this block. */
function received(
  g: Graph,
  { batch, queries, capacity }: CachedExtent,
  p: AttentionRows,
  { far, own }: Geometry,
  positions: Tensor,
): void {
  const heads = p.cached.shape[1];
  const started = g.float(
    g.greater(positions, g.sub(g.input(RESPONSE_START, [batch, 1], 'int64'), g.ints([1]))),
  );
  const open = g.float(g.less(positions, g.input(RESPONSE_END, [batch, 1], 'int64')));
  const counts = g.reshape(g.mul(started, open), [batch, 1, queries, 1]);
  const cached = g.sum(g.mul(g.mul(p.cached, far.cached), counts), [2], false);
  const fresh = g.sum(g.mul(g.mul(p.fresh, far.fresh), counts), [2], true);
  const placed = g.reshape(g.matMul(fresh, own), [batch, heads, capacity]);
  const state = g.input(RECEIVED, [batch, heads, capacity]);
  g.output(nextState(RECEIVED), g.add(state, g.add(cached, placed)));
}
