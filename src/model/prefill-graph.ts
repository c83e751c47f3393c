/**
 * A block of queries of one text against everything before it: what traces and scores texts that are given.
 *
 * How many tokens lie before the block is left open, so that one graph serves every block of every text and no key is
 * computed that nobody may see. Attention goes by key head and by at most 128 queries: what exists at a time is
 * (heads per key head) x 128 x keys floats, whatever the number of heads and the size of the block.
 */
import { Graph } from '../engine/graph.ts';
import { OPEN, type Tensor } from '../engine/tensor.ts';
import type { TraceRequest } from './attention-signals.ts';
import { BlockTrace, type Part } from './block-trace.ts';
import type { DecoderConfig } from './config.ts';
import { type Attend, decoder, weightInputs } from './decoder.ts';
import { HIDDEN } from './forward.ts';

/** Queries that attend together. */
const ATTEND = 128;

export const pastKeys = (layer: number, head: number): string => `past_k.${layer}.${head}`;
export const pastValues = (layer: number, head: number): string => `past_v.${layer}.${head}`;
export const blockKeys = (layer: number, head: number): string => `block_k.${layer}.${head}`;
export const blockValues = (layer: number, head: number): string => `block_v.${layer}.${head}`;
/** Output [queries, hiddenSize] after the final norm, where it is asked for. */
export const FINAL_HIDDEN = 'final_hidden';

export interface PrefillSettings {
  /** Tokens of the block. */
  queries: number;
  /** Whether the hidden states leave the graph; without, nothing above the last traced layer is computed. */
  hidden: boolean;
  /** The most threads that the graph will run on. */
  threads: number;
}

/** The layers that a trace of these heads needs; all of them where hidden states are wanted. */
export function layersNeeded(
  config: DecoderConfig,
  request: TraceRequest,
  hidden: boolean,
): number {
  return hidden ? config.layers : Math.max(...request.heads.map(({ layer }) => layer + 1));
}

/**
 * Inputs: weights by Hugging Face name; `ids` int64 [queries]; `cos`, `sin` [1, queries, 1, headDim] of the block's
 * positions; `queries` [queries, 1] and `keys` [OPEN + queries], positions as floats; per needed layer and key head
 * `past_k.L.H`, `past_v.L.H` [OPEN, headDim] of the tokens before the block; those of block-trace.ts.
 *
 * Outputs: `block_k.L.H`, `block_v.L.H` [queries, headDim], the rows to append; `final_hidden` where asked for;
 * those of block-trace.ts. The last layer of a trace without hidden states has no values: nobody reads them.
 */
export function prefillGraph(
  config: DecoderConfig,
  request: TraceRequest,
  { queries, hidden, threads }: PrefillSettings,
): Graph {
  const g = new Graph(threads);
  const { kvHeads, headDim } = config;
  const rep = config.heads / kvHeads;
  const layers = layersNeeded(config, request, hidden);
  const needed = { ...config, layers };
  const weights = weightInputs(g, needed);
  const ids = g.input('ids', [queries], 'int64');
  const rotary = {
    cos: g.input('cos', [1, queries, 1, headDim]),
    sin: g.input('sin', [1, queries, 1, headDim]),
  };
  const parts = partsOf(g, queries);
  const trace = new BlockTrace(g, request, queries);

  const attend: Attend = (layer, q, k, v) => {
    const mixes = hidden || layer < layers - 1;
    const perHead = g.reshape(q, [config.heads, queries, headDim]);
    const groups = Array.from({ length: kvHeads }, (_, head) => {
      const own = (x: Tensor) => g.reshape(g.slice(x, 1, head, head + 1), [queries, headDim]);
      const keys = grown(g, own(k), pastKeys(layer, head), blockKeys(layer, head));
      const mine = g.slice(perHead, 0, head * rep, (head + 1) * rep);
      const values = mixes
        ? grown(g, own(v), pastValues(layer, head), blockValues(layer, head))
        : undefined;
      const traced = trace.begin(layer, head * rep, rep);
      const mixed = parts.map((part) => {
        const queriesOf = g.slice(mine, 1, part.from, part.to);
        const p = attention(g, queriesOf, keys(part), part.mask);
        const signals = traced === undefined ? [] : trace.add(traced, part, p);
        if (values === undefined) return queriesOf;
        const out = g.matMul(p, values(part));
        return signals.length === 0 ? out : g.after(out, signals);
      });
      return g.concat(mixed, 1);
    });
    return g.reshape(g.concat(groups, 0), q.shape);
  };

  const states = decoder(g, needed, weights, ids, { batch: 1, queries }, rotary, attend);
  if (hidden) g.output(FINAL_HIDDEN, states);
  trace.finish();
  return g;
}

/** Cuts the block into parts, and says what each of them may not see. */
function partsOf(g: Graph, queries: number): readonly (Part & { mask: Tensor })[] {
  const positions = g.input('queries', [queries, 1]);
  const places = g.input('keys', [OPEN + queries]);
  return Array.from({ length: Math.ceil(queries / ATTEND) }, (_, i) => {
    const from = i * ATTEND;
    const to = Math.min(from + ATTEND, queries);
    const own = g.slice(positions, 0, from, to);
    const keys = g.slice(places, 0, 0, OPEN + to);
    const mask = g.where(g.greater(keys, own), g.scalar(HIDDEN), g.scalar(0));
    return { from, to, queries: own, keys, mask };
  });
}

/** Declares the rows [OPEN, headDim] before the block and its own as an output; gives those that a part sees. */
function grown(g: Graph, own: Tensor, past: string, block: string): (part: Part) => Tensor {
  const before = g.input(past, [OPEN, own.shape[1]]);
  g.output(block, own);
  return ({ to }) => g.concat([before, g.slice(own, 0, 0, to)], 0);
}

/** Attention rows [heads, queries, keys] of `q` [heads, queries, headDim] on keys [keys, headDim]. */
function attention(g: Graph, q: Tensor, keys: Tensor, mask: Tensor): Tensor {
  const [heads, queries, headDim] = q.shape;
  const scores = g.gemm(g.reshape(q, [heads * queries, headDim]), keys, false, true);
  return g.softmax(g.add(g.reshape(scores, [heads, queries, keys.shape[0]]), mask));
}
