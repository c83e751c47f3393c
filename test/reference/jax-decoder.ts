/**
 * The same decoder and loss in jax-js: an independent oracle for gradients, and the rival of the bench.
 *
 * Every function takes ownership of its arrays, as jax-js wants it: what is used again is passed on as
 * `.ref`.
 */
import { defaultDevice, init, jit, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import type { TensorData } from '../../src/engine/tensor.ts';
import { type DecoderConfig, parameterShapes } from '../../src/model/config.ts';
import { ropeTables } from '../../src/model/rope.ts';
import type { MicroBatch } from '../../src/train/loss.ts';

export type JaxWeights = Record<string, np.Array>;

/** Selects jax-js' WebAssembly backend: the fastest that it has without a GPU. */
export async function startJax(): Promise<void> {
  await init('wasm');
  defaultDevice('wasm');
}

/** Weights as jax arrays, by Hugging Face name. */
export function jaxWeights(
  config: DecoderConfig,
  weights: ReadonlyMap<string, Float32Array>,
): JaxWeights {
  return Object.fromEntries(
    [...parameterShapes(config)].map(([name, shape]) => [
      name,
      np.array(new Float32Array(weights.get(name) ?? [])).reshape([...shape]),
    ]),
  );
}

/** Keys and values of one layer, [batch, positions, kvHeads, headDim]. */
export type JaxAttend = (layer: number, q: np.Array, k: np.Array, v: np.Array) => np.Array;

/** x W^T + b; consumes the parameters. */
function linear(weights: JaxWeights, x: np.Array, name: string): np.Array {
  const product = np.matmul(x, np.transpose(weights[`${name}.weight`]));
  const bias = weights[`${name}.bias`];
  return bias === undefined ? product : product.add(bias);
}

function rmsNorm(x: np.Array, scale: np.Array, eps: number): np.Array {
  const variance = np.mean(np.square(x.ref), -1, { keepdims: true });
  return x.div(np.sqrt(variance.add(eps))).mul(scale);
}

/** cos and sin [.., positions, 1, headDim / 2]. */
function rotate(x: np.Array, cos: np.Array, sin: np.Array): np.Array {
  const [a, b] = np.split(x, 2, -1);
  const first = a.ref.mul(cos.ref).sub(b.ref.mul(sin.ref));
  return np.concatenate([first, b.mul(cos).add(a.mul(sin))], -1);
}

/** Logits [batch * queries, vocabSize]. `cos` and `sin` are [queries, 1, headDim / 2]. */
export function jaxDecoder(
  config: DecoderConfig,
  weights: JaxWeights,
  ids: np.Array,
  { batch, length }: MicroBatch,
  cos: np.Array,
  sin: np.Array,
  attend: JaxAttend,
): np.Array {
  const { layers, heads, kvHeads, headDim, rmsNormEps: eps } = config;
  const table = weights['model.embed_tokens.weight'];
  let x = np.take(config.tieWordEmbeddings ? table.ref : table, ids, 0);
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`;
    const seen = rmsNorm(x.ref, weights[`${at}.input_layernorm.weight`], eps);
    const side = (name: string, count: number, normName?: string): np.Array => {
      const rows = linear(weights, seen.ref, `${at}.self_attn.${name}`);
      const split = rows.reshape([batch, length, count, headDim]);
      if (normName === undefined) return split;
      const scale = weights[`${at}.self_attn.${normName}.weight`];
      const normed = scale === undefined ? split : rmsNorm(split, scale, eps);
      return rotate(normed, cos.ref, sin.ref);
    };
    const q = side('q_proj', heads, 'q_norm');
    const k = side('k_proj', kvHeads, 'k_norm');
    const mixed = attend(layer, q, k, side('v_proj', kvHeads));
    seen.dispose();
    const rows = mixed.reshape([batch * length, heads * headDim]);
    x = x.add(linear(weights, rows, `${at}.self_attn.o_proj`));
    const inner = rmsNorm(x.ref, weights[`${at}.post_attention_layernorm.weight`], eps);
    const gate = nn.silu(linear(weights, inner.ref, `${at}.mlp.gate_proj`));
    const up = linear(weights, inner, `${at}.mlp.up_proj`);
    x = x.add(linear(weights, gate.mul(up), `${at}.mlp.down_proj`));
  }
  cos.dispose();
  sin.dispose();
  const head = config.tieWordEmbeddings ? table : weights['lm_head.weight'];
  return np.matmul(rmsNorm(x, weights['model.norm.weight'], eps), np.transpose(head));
}

/** Cosines and sines of positions 0..positions-1, [positions, 1, headDim / 2]. */
export function jaxRotary(
  config: DecoderConfig,
  positions: number,
): { cos: np.Array; sin: np.Array } {
  const { cos, sin } = ropeTables(config.rope, config.headDim, positions);
  const shape = [positions, 1, config.headDim / 2];
  const wrap = (table: Float32Array) => np.array(new Float32Array(table)).reshape(shape);
  return { cos: wrap(cos), sin: wrap(sin) };
}

/**
 * Attention within a block of tokens. By products of matrices, not `nn.dotProductAttention`: its einsum
 * needs iterator helpers, which Node 20 lacks.
 */
function causalAttention(
  { heads, kvHeads, headDim }: DecoderConfig,
  { batch, length }: MicroBatch,
): JaxAttend {
  const rep = heads / kvHeads;
  return (_layer, q, k, v) => {
    const mask = np.tril(np.ones([length, length])).astype(np.bool);
    const queries = np
      .transpose(q, [0, 2, 1, 3])
      .reshape([batch, kvHeads, rep, length, headDim])
      .mul(1 / Math.sqrt(headDim));
    const side = (x: np.Array, perm: number[]) => np.expandDims(np.transpose(x, perm), 2);
    const scores = np.matmul(queries, side(k, [0, 2, 3, 1]));
    const seen = np.where(mask, scores, -1e9);
    const mixed = np.matmul(nn.softmax(seen, -1), side(v, [0, 2, 1, 3]));
    return np.transpose(mixed.reshape([batch, heads, length, headDim]), [0, 2, 1, 3]);
  };
}

/** - sum weight * log p(target); ids and target int32 [rows] and [rows, 1], weight [rows, 1]. */
export function jaxLikelihood(
  config: DecoderConfig,
  extent: MicroBatch,
  weights: JaxWeights,
  { ids, target, weight, cos, sin }: Record<'ids' | 'target' | 'weight' | 'cos' | 'sin', np.Array>,
): np.Array {
  const causal = causalAttention(config, extent);
  const logits = jaxDecoder(config, weights, ids, extent, cos, sin, causal);
  const logprobs = np.takeAlongAxis(nn.logSoftmax(logits, -1), target, -1);
  return np.negative(np.sum(logprobs.mul(weight)));
}

/** The inputs of `jaxLikelihood` from those of `likelihoodGraph`. */
export function jaxInputs(
  config: DecoderConfig,
  { length }: MicroBatch,
  inputs: Readonly<Record<string, TensorData>>,
): Record<'ids' | 'target' | 'weight' | 'cos' | 'sin', np.Array> {
  const int = (name: string) =>
    np.array(Int32Array.from(inputs[name], Number), { dtype: np.int32 });
  return {
    ids: int('ids'),
    target: int('target').reshape([-1, 1]),
    weight: np.array(Float32Array.from(inputs.weight, Number)).reshape([-1, 1]),
    ...jaxRotary(config, length),
  };
}

/** Gradients of the likelihood by jax-js, by parameter. */
export async function jaxLikelihoodGradients(
  config: DecoderConfig,
  weights: ReadonlyMap<string, Float32Array>,
  extent: MicroBatch,
  inputs: Readonly<Record<string, TensorData>>,
): Promise<Map<string, Float32Array>> {
  await startJax();
  type Inputs = ReturnType<typeof jaxInputs>;
  const loss = (w: JaxWeights, x: Inputs) => jaxLikelihood(config, extent, w, x);
  const differentiated = jit(valueAndGrad(loss));
  const [value, gradients] = differentiated(
    jaxWeights(config, weights),
    jaxInputs(config, extent, inputs),
  );
  value.dispose();
  const results = new Map<string, Float32Array>();
  for (const [name, gradient] of Object.entries(gradients)) {
    results.set(name, Float32Array.from(await gradient.data()));
  }
  return results;
}
