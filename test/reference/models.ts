/** Tiny models of every supported family for tests: configurations and random weights. */
import { stream } from '../../src/core/random.ts';
import { sizeOf } from '../../src/engine/tensor.ts';
import { type DecoderConfig, parameterShapes, parseDecoderConfig } from '../../src/model/config.ts';

const SMALL = {
  vocab_size: 19,
  hidden_size: 24,
  intermediate_size: 20,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  rope_theta: 1000,
  bos_token_id: null,
  eos_token_id: null,
};

/** The configuration of a tiny model; `changes` are keys of config.json. */
export function tinyConfig(
  family: 'llama' | 'qwen2' | 'qwen3',
  changes: Record<string, unknown> = {},
): DecoderConfig {
  const keys = family === 'qwen3' ? { ...SMALL, head_dim: 8 } : SMALL;
  const json = { model_type: family, ...keys, tie_word_embeddings: family === 'qwen3', ...changes };
  return parseDecoderConfig(json, family);
}

/** One configuration per family and kind of head: grouped-query attention in all of them. */
export const TINY_MODELS: readonly [string, DecoderConfig][] = [
  ['Llama, untied', tinyConfig('llama')],
  [
    'Llama, tied, attention and mlp bias',
    tinyConfig('llama', { tie_word_embeddings: true, attention_bias: true, mlp_bias: true }),
  ],
  ['Qwen2, untied', tinyConfig('qwen2')],
  [
    'Qwen2, tied, one key head',
    tinyConfig('qwen2', { tie_word_embeddings: true, num_key_value_heads: 1 }),
  ],
  ['Qwen3, tied', tinyConfig('qwen3')],
  [
    'Qwen3, untied, no sharing of key heads',
    tinyConfig('qwen3', { tie_word_embeddings: false, num_key_value_heads: 4 }),
  ],
];

/**
 * Random weights, scaled so that attention is neither flat nor one-hot and no two layers are alike; norm
 * scales lie around 1, biases around 0.
 */
export function randomWeights(config: DecoderConfig, seed: number): Map<string, Float32Array> {
  const weights = new Map<string, Float32Array>();
  for (const [name, shape] of parameterShapes(config)) {
    const random = stream(seed, name);
    const isMatrix = shape.length === 2;
    const scale = isMatrix ? 1.2 / Math.sqrt(shape[1]) : 0.2;
    const centre = name.endsWith('norm.weight') ? 1 : 0;
    weights.set(
      name,
      Float32Array.from({ length: sizeOf(shape) }, () => centre + scale * random.normal()),
    );
  }
  return weights;
}

/** `length` random token ids. */
export function randomTokens(config: DecoderConfig, length: number, seed: number): Int32Array {
  const random = stream(seed, 'tokens');
  return Int32Array.from({ length }, () => random.below(config.vocabSize));
}
