/**
 * The decoder, defined once: token ids in, hidden states out.
 *
 * How queries see keys (all at once, or through a cache) is a parameter, so that the forward, decode,
 * trace and train graphs all come from this definition. Knows nothing of losses, sampling or files.
 */
import type { Graph } from '../engine/graph.ts';
import type { Tensor } from '../engine/tensor.ts';
import { type DecoderConfig, parameterShapes } from './config.ts';
import { loraShapes } from './lora.ts';
import { loraA, loraB, loraScale } from './lora-settings.ts';

/** Hugging Face tensor name -> value in the graph. */
export type GraphWeights = ReadonlyMap<string, Tensor>;

/** `batch` sequences with `queries` tokens each; ids and hidden states are flattened to batch * queries rows. */
export interface Extent {
  batch: number;
  queries: number;
}

/**
 * Cosines and sines of the rotation, [batch or 1, queries, 1, headDim]: both halves of the last axis
 * hold the same headDim / 2 frequencies.
 */
export interface Rotary {
  cos: Tensor;
  sin: Tensor;
}

/**
 * Attention of one layer. q is [batch, kvHeads, rep * queries, headDim] (the rep = heads / kvHeads query
 * heads that share a key head lie one after the other), already scaled by 1 / sqrt(headDim); k and v are
 * [batch, kvHeads, queries, headDim]. The result has the shape of q.
 */
export type Attend = (layer: number, q: Tensor, k: Tensor, v: Tensor) => Tensor;

/** Every parameter of the model, and of its adapter where it has one, as a named graph input. */
export function weightInputs(g: Graph, config: DecoderConfig): GraphWeights {
  const adapter = config.lora === undefined ? [] : loraShapes(config, config.lora);
  const shapes = [...parameterShapes(config), ...adapter];
  return new Map(shapes.map(([name, shape]) => [name, g.input(name, shape)]));
}

function weight(weights: GraphWeights, name: string): Tensor {
  const found = weights.get(name);
  if (found === undefined) throw new Error(`the graph has no weight ${name}`);
  return found;
}

/** y = x W^T (+ b) (+ scale (x A^T) B^T) with the Hugging Face weight [out, in] and the adapter's A and B. */
function linear(
  g: Graph,
  config: DecoderConfig,
  weights: GraphWeights,
  x: Tensor,
  name: string,
): Tensor {
  const product = g.linear(x, weight(weights, `${name}.weight`));
  const bias = weights.get(`${name}.bias`);
  const plain = bias === undefined ? product : g.add(product, bias);
  const a = weights.get(loraA(name));
  if (config.lora === undefined || a === undefined) return plain;
  const narrow = g.scale(g.linear(x, a), loraScale(config.lora));
  return g.add(plain, g.linear(narrow, weight(weights, loraB(name))));
}

/** Root-mean-square norm over the last axis. */
function rmsNorm(g: Graph, x: Tensor, scale: Tensor, eps: number): Tensor {
  const variance = g.mean(g.square(x), [x.shape.length - 1]);
  return g.mul(g.div(x, g.sqrt(g.add(variance, g.scalar(eps)))), scale);
}

/**
 * Rotates pairs (i, i + headDim / 2). The half swap (-x2, x1) is a product with a constant signed
 * permutation: exact, and cheaper than slicing and concatenating in both directions of differentiation.
 */
function rotate(g: Graph, x: Tensor, { cos, sin }: Rotary): Tensor {
  const headDim = x.shape[x.shape.length - 1];
  const half = headDim / 2;
  const swap = new Float32Array(headDim * headDim);
  for (let i = 0; i < half; i++) {
    swap[(i + half) * headDim + i] = -1;
    swap[i * headDim + i + half] = 1;
  }
  const swapped = g.matMul(x, g.constant(swap, [headDim, headDim]));
  return g.add(g.mul(x, cos), g.mul(swapped, sin));
}

/** [batch, queries, heads, headDim] -> [batch, heads, queries, headDim]. */
function headsFirst(g: Graph, x: Tensor): Tensor {
  const [batch, queries, heads, headDim] = x.shape;
  if (queries === 1) return g.reshape(x, [batch, heads, 1, headDim]);
  return g.transpose(x, [0, 2, 1, 3]);
}

function attention(
  g: Graph,
  config: DecoderConfig,
  weights: GraphWeights,
  x: Tensor,
  layer: number,
  { batch, queries }: Extent,
  rotary: Rotary,
  attend: Attend,
): Tensor {
  const { heads, kvHeads, headDim, rmsNormEps } = config;
  const at = `model.layers.${layer}.self_attn`;
  const project = (name: string, count: number) =>
    g.reshape(linear(g, config, weights, x, `${at}.${name}`), [batch, queries, count, headDim]);
  const normed = (y: Tensor, name: string) =>
    config.qkNorm ? rmsNorm(g, y, weight(weights, `${at}.${name}.weight`), rmsNormEps) : y;

  const q = rotate(g, normed(project('q_proj', heads), 'q_norm'), rotary);
  const k = rotate(g, normed(project('k_proj', kvHeads), 'k_norm'), rotary);
  const v = project('v_proj', kvHeads);
  const grouped = g.reshape(headsFirst(g, g.scale(q, 1 / Math.sqrt(headDim))), [
    batch,
    kvHeads,
    (heads / kvHeads) * queries,
    headDim,
  ]);
  const mixed = attend(layer, grouped, headsFirst(g, k), headsFirst(g, v));
  const perHead = g.reshape(mixed, [batch, heads, queries, headDim]);
  const rows = queries === 1 ? perHead : g.transpose(perHead, [0, 2, 1, 3]);
  const flat = g.reshape(rows, [batch * queries, heads * headDim]);
  return linear(g, config, weights, flat, `${at}.o_proj`);
}

function mlp(
  g: Graph,
  config: DecoderConfig,
  weights: GraphWeights,
  x: Tensor,
  layer: number,
): Tensor {
  const project = (input: Tensor, name: string) =>
    linear(g, config, weights, input, `model.layers.${layer}.mlp.${name}`);
  const gate = project(x, 'gate_proj');
  const silu = g.mul(gate, g.sigmoid(gate));
  return project(g.mul(silu, project(x, 'up_proj')), 'down_proj');
}

/**
 * Hidden states after the final norm, [batch * queries, hiddenSize], for `ids` int64 [batch * queries].
 * `onHidden` is given the embeddings and then the residual stream after each layer, of the same shape.
 */
export function decoder(
  g: Graph,
  config: DecoderConfig,
  weights: GraphWeights,
  ids: Tensor,
  extent: Extent,
  rotary: Rotary,
  attend: Attend,
  onHidden?: (hidden: Tensor) => void,
): Tensor {
  const norm = (x: Tensor, name: string) =>
    rmsNorm(g, x, weight(weights, `${name}.weight`), config.rmsNormEps);
  let x = g.gather(weight(weights, 'model.embed_tokens.weight'), ids);
  onHidden?.(x);
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `model.layers.${layer}`;
    const seen = norm(x, `${at}.input_layernorm`);
    x = g.add(x, attention(g, config, weights, seen, layer, extent, rotary, attend));
    x = g.add(x, mlp(g, config, weights, norm(x, `${at}.post_attention_layernorm`), layer));
    onHidden?.(x);
  }
  return norm(x, 'model.norm');
}

/** The name of the output embedding among the weights. */
export function headWeight(config: DecoderConfig): string {
  return config.tieWordEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
}

/** Logits [rows, vocabSize] of hidden states [rows, hiddenSize]. */
export function logits(
  g: Graph,
  config: DecoderConfig,
  weights: GraphWeights,
  hidden: Tensor,
): Tensor {
  return g.linear(hidden, weight(weights, headWeight(config)));
}
