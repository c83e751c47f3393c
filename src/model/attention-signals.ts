/**
 * The formulas of the per-query attention signals (METHOD, section 2), for every graph that has attention rows.
 *
 * Rows may be split by keys, as a cache and the tokens after it are: a list of parts that together hold every
 * key once.
 */
import type { Graph } from '../engine/graph.ts';
import type { Tensor } from '../engine/tensor.ts';
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

/** One tensor per part of the keys: [batch, heads, queries, keys of the part] or what broadcasts to it. */
export type KeyParts = readonly Tensor[];

export interface Geometry {
  /** t - j. */
  back: KeyParts;
  /** 1 where the key is far and no sink. */
  far: KeyParts;
  /** min(t - j, W) where the key is no sink, else 0. */
  distance: KeyParts;
  /** 1 where the key is no sink. */
  counted: KeyParts;
}

/** Below this share of attention outside the sinks, the mean distance is 0: there is nothing to average. */
const MIN_MASS = 1e-6;
const TINY = 1e-30;

/** Masks over (query, key): `queries` [batch, 1, queries, 1] and `keys` [batch or 1, 1, 1, keys] are positions. */
export function geometryOf(
  g: Graph,
  { delta, window, sinks }: TraceRequest,
  queries: Tensor,
  keys: KeyParts,
): Geometry {
  const parts = keys.map((j) => {
    const back = g.sub(queries, j);
    const counted = g.float(g.greater(j, g.scalar(sinks - 0.5)));
    return {
      back,
      counted,
      far: g.mul(g.float(g.greater(back, g.scalar(delta))), counted),
      distance: g.mul(g.min(back, g.scalar(window)), counted),
    };
  });
  return {
    back: parts.map(({ back }) => back),
    far: parts.map(({ far }) => far),
    distance: parts.map(({ distance }) => distance),
    counted: parts.map(({ counted }) => counted),
  };
}

/** The sum over all keys of what `of` gives for each part, [batch, heads, queries]. */
function overKeys(g: Graph, rows: KeyParts, of: (row: Tensor, part: number) => Tensor): Tensor {
  return rows.map((row, part) => g.sum(of(row, part), [3], false)).reduce((a, b) => g.add(a, b));
}

const weighted = (g: Graph, rows: KeyParts, by: KeyParts): Tensor =>
  overKeys(g, rows, (row, part) => g.mul(row, by[part]));

/** M, [batch, heads, queries]. */
export const farMass = (g: Graph, rows: KeyParts, { far }: Geometry): Tensor =>
  weighted(g, rows, far);

/** D, [batch, heads, queries]. */
export function meanDistance(g: Graph, rows: KeyParts, { counted, distance }: Geometry): Tensor {
  const mass = weighted(g, rows, counted);
  const mean = g.div(weighted(g, rows, distance), g.max(mass, g.scalar(MIN_MASS)));
  return g.where(g.less(mass, g.scalar(MIN_MASS)), g.scalar(0), mean);
}

/** H, [batch, heads, queries]: - sum A ln A / ln(t + 1); 0 for the first token. `seen` is t + 1, [batch, 1, queries]. */
export function entropy(g: Graph, rows: KeyParts, seen: Tensor): Tensor {
  const nats = g.neg(overKeys(g, rows, (p) => g.mul(p, g.log(g.max(p, g.scalar(TINY))))));
  return g.div(nats, g.max(g.log(seen), g.scalar(MIN_MASS)));
}

/** C, [batch, heads, queries]: half the absolute difference of `rows` and the rows before them, key by key. */
export const totalVariation = (g: Graph, rows: KeyParts, before: KeyParts): Tensor =>
  g.scale(
    overKeys(g, rows, (row, part) => g.abs(g.sub(row, before[part]))),
    0.5,
  );
