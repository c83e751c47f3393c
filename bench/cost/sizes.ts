/** The three sizes that the cost model is checked at: random weights, three shapes. */
import { type DecoderConfig, parseDecoderConfig } from '../../src/model/config.ts';
import type { ModelShape } from '../../src/report/cost-model.ts';

function config(name: string, keys: Record<string, number>): DecoderConfig {
  const json = {
    ...{ model_type: 'llama', max_position_embeddings: 8192, rms_norm_eps: 1e-5 },
    ...{ rope_theta: 10000, tie_word_embeddings: true, bos_token_id: null, eos_token_id: null },
    ...keys,
  };
  return parseDecoderConfig(json, name);
}

export const sizes: ReadonlyMap<string, DecoderConfig> = new Map([
  [
    // That of the bundled model.
    '0.8M',
    config('0.8M', {
      ...{ hidden_size: 128, intermediate_size: 384, num_hidden_layers: 4, head_dim: 16 },
      ...{ num_attention_heads: 8, num_key_value_heads: 4, vocab_size: 96 },
    }),
  ],
  [
    '20M',
    config('20M', {
      ...{ hidden_size: 384, intermediate_size: 1024, num_hidden_layers: 8, head_dim: 64 },
      ...{ num_attention_heads: 6, num_key_value_heads: 2, vocab_size: 19_200 },
    }),
  ],
  [
    // That of SmolLM2-135M.
    '135M',
    config('135M', {
      ...{ hidden_size: 576, intermediate_size: 1536, num_hidden_layers: 30, head_dim: 64 },
      ...{ num_attention_heads: 9, num_key_value_heads: 3, vocab_size: 49_152 },
    }),
  ],
]);

export function shapeOf(c: DecoderConfig): ModelShape {
  return {
    layers: c.layers,
    heads: c.heads,
    kvHeads: c.kvHeads,
    headDim: c.headDim,
    hidden: c.hiddenSize,
    intermediate: c.intermediateSize,
    vocab: c.vocabSize,
    tied: c.tieWordEmbeddings,
  };
}

/** Texts of each measurement: few tokens, for the largest model runs on two cores. */
export const decoding = { batch: 8, prompt: 64, response: 64, capacity: 128 };
export const tracing = { tokens: 512, prompt: 64 };
export const training = { sequences: 4, tokens: 128 };
