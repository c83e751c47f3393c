import { describe, expect, it } from 'vitest';
import { UserError } from '../core/errors.ts';
import { parameterShapes, parseDecoderConfig } from './config.ts';

const llama = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 96,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  hidden_act: 'silu',
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
  transformers_version: '4.51.0',
};
const qwen2 = { ...llama, architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2' };
const qwen3 = {
  ...llama,
  architectures: ['Qwen3ForCausalLM'],
  model_type: 'qwen3',
  head_dim: 16,
  tie_word_embeddings: true,
};

const DYNAMIC = { type: 'dynamic', factor: 2 };
const LONG = {
  rope_type: 'longrope',
  original_max_position_embeddings: 1024,
  short_factor: [1, 1.1, 1.2, 1.3],
  long_factor: [1, 2, 3, 4],
};
const parse = (json: unknown) => parseDecoderConfig(json, 'some/config.json');

/** Every released config below is cut down to keys as published. */
const RELEASED = {
  'Qwen/Qwen2.5-0.5B': {
    architectures: ['Qwen2ForCausalLM'],
    attention_dropout: 0.0,
    bos_token_id: 151643,
    eos_token_id: 151643,
    hidden_act: 'silu',
    hidden_size: 896,
    initializer_range: 0.02,
    intermediate_size: 4864,
    max_position_embeddings: 32768,
    max_window_layers: 24,
    model_type: 'qwen2',
    num_attention_heads: 14,
    num_hidden_layers: 24,
    num_key_value_heads: 2,
    rms_norm_eps: 1e-6,
    rope_theta: 1000000.0,
    sliding_window: 32768,
    tie_word_embeddings: true,
    torch_dtype: 'bfloat16',
    transformers_version: '4.40.1',
    use_cache: true,
    use_mrope: false,
    use_sliding_window: false,
    vocab_size: 151936,
  },
  'Qwen/Qwen3-0.6B': {
    architectures: ['Qwen3ForCausalLM'],
    attention_bias: false,
    attention_dropout: 0.0,
    bos_token_id: 151643,
    eos_token_id: 151645,
    head_dim: 128,
    hidden_act: 'silu',
    hidden_size: 1024,
    initializer_range: 0.02,
    intermediate_size: 3072,
    max_position_embeddings: 40960,
    max_window_layers: 28,
    model_type: 'qwen3',
    num_attention_heads: 16,
    num_hidden_layers: 28,
    num_key_value_heads: 8,
    rms_norm_eps: 1e-6,
    rope_scaling: null,
    rope_theta: 1000000,
    sliding_window: null,
    tie_word_embeddings: true,
    torch_dtype: 'bfloat16',
    transformers_version: '4.51.0',
    use_cache: true,
    use_sliding_window: false,
    vocab_size: 151936,
  },
  'meta-llama/Llama-3.2-1B-Instruct': {
    architectures: ['LlamaForCausalLM'],
    attention_bias: false,
    attention_dropout: 0.0,
    bos_token_id: 128000,
    eos_token_id: [128001, 128008, 128009],
    head_dim: 64,
    hidden_act: 'silu',
    hidden_size: 2048,
    initializer_range: 0.02,
    intermediate_size: 8192,
    max_position_embeddings: 131072,
    mlp_bias: false,
    model_type: 'llama',
    num_attention_heads: 32,
    num_hidden_layers: 16,
    num_key_value_heads: 8,
    pretraining_tp: 1,
    rms_norm_eps: 1e-5,
    rope_scaling: {
      factor: 32.0,
      high_freq_factor: 4.0,
      low_freq_factor: 1.0,
      original_max_position_embeddings: 8192,
      rope_type: 'llama3',
    },
    rope_theta: 500000.0,
    tie_word_embeddings: true,
    torch_dtype: 'bfloat16',
    transformers_version: '4.45.0.dev0',
    use_cache: true,
    vocab_size: 128256,
  },
};

/** Parameter counts as published on the models' pages. */
const PARAMETERS: Record<keyof typeof RELEASED, number> = {
  'Qwen/Qwen2.5-0.5B': 494_032_768,
  'Qwen/Qwen3-0.6B': 596_049_920,
  'meta-llama/Llama-3.2-1B-Instruct': 1_235_814_400,
};

describe('families', () => {
  it.each(Object.entries(RELEASED))('%s has the published number of parameters', (name, json) => {
    const shapes = parameterShapes(parse(json));
    const total = [...shapes.values()].reduce((sum, s) => sum + s.reduce((a, b) => a * b, 1), 0);
    expect(total).toBe(PARAMETERS[name as keyof typeof RELEASED]);
  });

  it('llama: biases by key, bos 1 and eos 2 unless said, head_dim optional', () => {
    const config = parse(llama);
    expect(config).toMatchObject({ headDim: 8, kvHeads: 2, qkvBias: false, outputBias: false });
    expect(config).toMatchObject({ bosTokenId: 1, eosTokenIds: [2], padTokenId: null });
    expect(config).toMatchObject({ dtype: 'bfloat16', rope: { theta: 10_000, scaling: null } });
    const biased = parse({ ...llama, attention_bias: true, mlp_bias: true, head_dim: 6 });
    const shapes = parameterShapes(biased);
    expect(shapes.get('model.layers.1.self_attn.o_proj.bias')).toEqual([32]);
    expect(shapes.get('model.layers.1.self_attn.k_proj.weight')).toEqual([12, 32]);
    expect(shapes.get('model.layers.0.mlp.down_proj.bias')).toEqual([32]);
    expect(shapes.get('lm_head.weight')).toEqual([96, 32]);
  });

  it('qwen2: biases on q, k and v but not on o; no bos or eos unless said', () => {
    const config = parse({ ...qwen2, bos_token_id: null, eos_token_id: [5, 6], pad_token_id: 0 });
    expect(config).toMatchObject({ qkvBias: true, outputBias: false, qkNorm: false });
    expect(config).toMatchObject({ bosTokenId: null, eosTokenIds: [5, 6], padTokenId: 0 });
    const names = [...parameterShapes(config).keys()];
    expect(names.filter((name) => name.endsWith('.bias')).length).toBe(6);
    expect(parse(qwen2).eosTokenIds).toEqual([]);
  });

  it('qwen3: head norms, explicit head_dim, tied head', () => {
    const config = parse(qwen3);
    const shapes = parameterShapes(config);
    expect(shapes.get('model.layers.0.self_attn.q_norm.weight')).toEqual([16]);
    expect(shapes.get('model.layers.0.self_attn.o_proj.weight')).toEqual([32, 64]);
    expect(shapes.has('lm_head.weight')).toBe(false);
    const { head_dim: _, ...rest } = qwen3;
    expect(parse(rest).headDim).toBe(128);
  });

  it('reads the keys of transformers 5 like those of transformers 4', () => {
    const { torch_dtype: _, ...rest } = qwen3;
    const scaling = { factor: 4.0, original_max_position_embeddings: 64 };
    const newer = parse({
      ...rest,
      dtype: 'bfloat16',
      layer_types: ['full_attention', 'full_attention'],
      rope_parameters: { rope_type: 'yarn', rope_theta: 1e6, ...scaling },
    });
    const older = parse({ ...qwen3, rope_theta: 1e6, rope_scaling: { type: 'yarn', ...scaling } });
    expect({ ...newer, raw: {} }).toEqual({ ...older, raw: {} });
  });

  it('ends texts where transformers would begin to change the rotation of what is cached', () => {
    const long = parse({ ...llama, max_position_embeddings: 4096, rope_parameters: LONG });
    expect(long.maxPositions).toBe(1024);
    expect(long.rope.scaling).toMatchObject({ divisors: LONG.short_factor });
    const dynamic = parse({ ...llama, rope_scaling: DYNAMIC });
    expect({ ...dynamic, raw: {} }).toEqual({ ...parse(llama), raw: {} });
  });

  it('keeps config.json as read', () => {
    expect(parse(qwen3).raw).toEqual(qwen3);
  });
});

describe('refusals name the key', () => {
  it.each<[string, Record<string, unknown>]>([
    ['logit_softcapping', { ...llama, logit_softcapping: 30 }],
    ['hidden_act', { ...llama, hidden_act: 'gelu' }],
    ['pretraining_tp', { ...llama, pretraining_tp: 2 }],
    ['partial_rotary_factor', { ...llama, partial_rotary_factor: 0.5 }],
    ['quantization_config', { ...llama, quantization_config: { bits: 4 } }],
    ['auto_map', { ...llama, auto_map: { AutoModel: 'x.Y' } }],
    ['sliding_window', { ...llama, sliding_window: 128 }],
    ['use_sliding_window', { ...qwen2, use_sliding_window: true, max_window_layers: 1 }],
    ['sliding_attention', { ...qwen3, layer_types: ['full_attention', 'sliding_attention'] }],
    ['layer_types', { ...qwen3, layer_types: ['full_attention'] }],
    ['attention_bias', { ...qwen2, attention_bias: false }],
    ['mlp_bias', { ...qwen3, mlp_bias: true }],
    ['head_dim', { ...qwen3, head_dim: null }],
    ['head_dim', { ...llama, head_dim: 7 }],
    ['num_key_value_heads', { ...llama, num_key_value_heads: 3 }],
    ['hidden_size', { ...llama, hidden_size: 33 }],
    ['vocab_size', { ...llama, vocab_size: '96' }],
    ['torch_dtype', { ...llama, torch_dtype: 'int8' }],
    ['eos_token_id', { ...llama, eos_token_id: 96 }],
    ['MistralForCausalLM', { ...llama, architectures: ['MistralForCausalLM'] }],
    ['model_type', { ...llama, model_type: 'qwen2' }],
    ['"axial"', { ...llama, rope_scaling: { type: 'axial', factor: 2 } }],
    [
      'max_position',
      { ...llama, rope_scaling: { ...DYNAMIC, original_max_position_embeddings: 9 } },
    ],
    ['as short_factor', { ...llama, rope_scaling: { ...LONG, short_factor: [1, 2] } }],
    ['high_freq_factor', { ...llama, rope_scaling: { type: 'llama3', factor: 8 } }],
    ['short_factor', { ...llama, rope_scaling: { type: 'linear', factor: 2, short_factor: [1] } }],
    ['rope_type', { ...llama, rope_scaling: { type: 'linear', rope_type: 'yarn', factor: 2 } }],
    ['partial_rotary_factor', { ...llama, rope_parameters: { partial_rotary_factor: 0.5 } }],
  ])('%s', (named, json) => {
    expect(() => parse(json)).toThrow(UserError);
    expect(() => parse(json)).toThrow(named);
    expect(() => parse(json)).toThrow('some/config.json');
  });

  it('all of them at once', () => {
    expect(() => parse({ ...llama, one: 1, two: 2, hidden_act: 'relu' })).toThrow(
      /hidden_act.*one.*two/,
    );
  });

  it.each([null, [], 3, 'x', {}])('%j is no configuration', (json) => {
    expect(() => parse(json)).toThrow(UserError);
  });

  it('but a window that no layer uses is fine', () => {
    expect(parse({ ...qwen2, use_sliding_window: true, max_window_layers: 2 }).layers).toBe(2);
    expect(parse({ ...qwen2, use_sliding_window: true, sliding_window: null }).layers).toBe(2);
  });
});
