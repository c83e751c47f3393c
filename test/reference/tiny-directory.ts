/** A tiny random model as a Hugging Face directory with the tokenizer of the bundled pool, for tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTokenizer } from '../../data/reasoning/tokenizer.ts';
import { writeWhole } from '../../src/core/files.ts';
import { type DecoderConfig, parseDecoderConfig } from '../../src/model/config.ts';
import { saveWeights } from '../../src/model/directory.ts';
import { loadTokenizer, type Tokenizer } from '../../src/model/tokenizer.ts';
import { randomWeights } from './models.ts';

export interface TinyModel {
  directory: string;
  config: DecoderConfig;
  weights: Map<string, Float32Array>;
  tokenizer: Tokenizer;
  /** Deletes the directory. */
  remove(): void;
}

/** Two layers of width 32 with four query and two key heads; room for 256 tokens. */
export function tinyModel(seed = 1): TinyModel {
  const home = mkdtempSync(join(tmpdir(), 'pivottrace-tiny-'));
  const words = join(home, 'tokenizer');
  const { tokenizer_json, tokenizer_config } = buildTokenizer();
  writeWhole(join(words, 'tokenizer.json'), JSON.stringify(tokenizer_json));
  writeWhole(join(words, 'tokenizer_config.json'), JSON.stringify(tokenizer_config));
  const { vocabSize, eosIds, padId } = loadTokenizer(words);
  const json = {
    architectures: ['Qwen3ForCausalLM'],
    model_type: 'qwen3',
    hidden_size: 32,
    intermediate_size: 48,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 8,
    max_position_embeddings: 256,
    rms_norm_eps: 1e-6,
    rope_theta: 10000,
    tie_word_embeddings: true,
    dtype: 'float32',
    vocab_size: vocabSize,
    eos_token_id: eosIds[0],
    pad_token_id: padId,
  };
  const config = parseDecoderConfig(json, 'the tiny model');
  const weights = randomWeights(config, seed);
  const directory = join(home, 'model');
  saveWeights(directory, config, weights, { from: words });
  const remove = () => rmSync(home, { recursive: true, force: true });
  return { directory, config, weights, tokenizer: loadTokenizer(directory), remove };
}
