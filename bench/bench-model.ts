/** The model that the benches run: small enough for two cores, large enough to keep them busy. */
import type { OptimizerSettings } from '../src/engine/adamw.ts';
import { type DecoderConfig, parseDecoderConfig } from '../src/model/config.ts';

export const BENCH_MODEL: DecoderConfig = parseDecoderConfig(
  {
    model_type: 'llama',
    vocab_size: 64,
    hidden_size: 192,
    intermediate_size: 512,
    num_hidden_layers: 4,
    num_attention_heads: 6,
    num_key_value_heads: 6,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: false,
    bos_token_id: null,
    eos_token_id: null,
  },
  'the bench model',
);

export const BENCH_OPTIMIZER: OptimizerSettings = {
  lr: 3e-4,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weightDecay: 0.01,
  maxGradNorm: 1,
  warmupSteps: 0,
  schedule: 'constant',
  totalSteps: 0,
  minLrRatio: 0,
};

/** Multiply-adds count two; forward and backward of one step over batch sequences of `length` tokens. */
export function trainFlops(config: DecoderConfig, batch: number, length: number): number {
  const { hiddenSize: d, heads, kvHeads, headDim, intermediateSize, layers, vocabSize } = config;
  const attention = 2 * d * heads * headDim + 2 * d * kvHeads * headDim;
  const perToken = layers * (attention + 3 * d * intermediateSize) + d * vocabSize;
  const scores = layers * 4 * batch * length * length * heads * headDim;
  return 6 * batch * length * perToken + 3 * scores;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? sorted[Math.floor(middle)]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}
