/**
 * The keys of `config.json`: which ones matter, which are known to change nothing, which values are
 * refused. Follows LlamaConfig, Qwen2Config, Qwen3Config and PreTrainedConfig of transformers 4 and 5.
 */
import { z } from 'zod';
import { UserError } from '../core/errors.ts';

export type Architecture = 'LlamaForCausalLM' | 'Qwen2ForCausalLM' | 'Qwen3ForCausalLM';

/**
 * Keys that change nothing of what the model computes from token ids: bookkeeping, dropout (off in
 * rollouts, and reinforcement learning trains without it), and defaults of transformers' own generate().
 */
const INERT: ReadonlySet<string> = new Set([
  ...['_name_or_path', '_commit_hash', 'transformers_version', 'name_or_path', 'model_type'],
  ...['architectures', 'use_cache', 'attention_dropout', 'return_dict', 'output_hidden_states'],
  ...['output_attentions', 'torchscript', 'use_bfloat16', 'tf_legacy_loss', 'tokenizer_class'],
  ...['attn_implementation', '_attn_implementation', '_attn_implementation_autoset'],
  ...['is_decoder', 'tie_encoder_decoder', 'chunk_size_feed_forward', 'return_dict_in_generate'],
  ...['id2label', 'label2id', 'num_labels', 'problem_type', 'finetuning_task', 'prefix'],
  ...[
    'task_specific_params',
    'sep_token_id',
    'decoder_start_token_id',
    'cross_attention_hidden_size',
  ],
  ...['max_length', 'min_length', 'do_sample', 'early_stopping', 'num_beams', 'num_beam_groups'],
  ...['diversity_penalty', 'temperature', 'top_k', 'top_p', 'typical_p', 'repetition_penalty'],
  ...['length_penalty', 'no_repeat_ngram_size', 'encoder_no_repeat_ngram_size', 'bad_words_ids'],
  ...['num_return_sequences', 'output_scores', 'forced_bos_token_id', 'forced_eos_token_id'],
  ...['remove_invalid_values', 'exponential_decay_length_penalty', 'suppress_tokens'],
  ...['begin_suppress_tokens', 'unsloth_fixed', 'unsloth_version'],
]);

/** Keys that are understood with these values only (compared as JSON; null and absent always pass). */
function fixedValues(architecture: Architecture): Record<string, readonly unknown[]> {
  return {
    hidden_act: ['silu'],
    pretraining_tp: [1],
    partial_rotary_factor: [1],
    is_encoder_decoder: [false],
    add_cross_attention: [false],
    use_mrope: [false],
    pruned_heads: [{}],
    auto_map: [],
    quantization_config: [],
    per_layer_config: [],
    // Qwen2 always has q/k/v biases, neither Qwen has biases in its MLP: the key may only agree.
    ...(architecture === 'Qwen2ForCausalLM' ? { attention_bias: [true] } : {}),
    ...(architecture === 'LlamaForCausalLM'
      ? { use_sliding_window: [false], sliding_window: [] }
      : { mlp_bias: [false] }),
  };
}

const count = z.int().positive();
const tokenId = z.int().nonnegative();
const dtype = z.preprocess(
  (value) => (typeof value === 'string' ? value.replace(/^torch\./, '') : value),
  z.enum(['float32', 'bfloat16', 'float16']),
);

/** `rope_parameters` or `rope_scaling`, before its type is looked at. */
const ropeObject = z.record(z.string(), z.unknown());

function schema(architecture: Architecture) {
  const llama = architecture === 'LlamaForCausalLM';
  return z.strictObject({
    vocab_size: count.default(llama ? 32000 : 151936),
    hidden_size: count.default(4096),
    intermediate_size: count.default(llama ? 11008 : 22016),
    num_hidden_layers: count.default(32),
    num_attention_heads: count.default(32),
    num_key_value_heads: count.nullish(),
    head_dim: architecture === 'Qwen3ForCausalLM' ? count.optional() : count.nullish(),
    rms_norm_eps: z.number().positive().default(1e-6),
    max_position_embeddings: count.default(llama ? 2048 : 32768),
    initializer_range: z.number().nonnegative().default(0.02),
    tie_word_embeddings: z.boolean().default(false),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    rope_theta: z.number().positive().nullish(),
    rope_scaling: ropeObject.nullish(),
    rope_parameters: ropeObject.nullish(),
    original_max_position_embeddings: count.nullish(),
    use_sliding_window: z.boolean().default(false),
    sliding_window: count.nullish(),
    max_window_layers: z.int().nonnegative().default(28),
    layer_types: z.array(z.string()).nullish(),
    bos_token_id: tokenId.nullish(),
    eos_token_id: z.union([tokenId, z.array(tokenId)]).nullish(),
    pad_token_id: z.int().min(-1).nullish(),
    dtype: dtype.nullish(),
    torch_dtype: dtype.nullish(),
  });
}

export type RawConfig = z.output<ReturnType<typeof schema>>;

/** The keys that matter, with transformers' defaults; UserError naming everything that is refused. */
export function readKeys(
  architecture: Architecture,
  json: Record<string, unknown>,
  where: string,
): RawConfig {
  const refused: string[] = [];
  const fixed = fixedValues(architecture);
  const rest: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(json)) {
    if (INERT.has(key)) continue;
    const allowed = fixed[key];
    if (allowed === undefined) {
      rest[key] = value;
    } else if (
      value !== null &&
      !allowed.some((a) => JSON.stringify(a) === JSON.stringify(value))
    ) {
      refused.push(`unsupported ${key} = ${brief(value)}`);
    }
  }
  const parsed = schema(architecture).safeParse(rest);
  if (parsed.success) {
    refused.push(...windowed(parsed.data));
    if (refused.length === 0) return parsed.data;
  } else {
    for (const issue of parsed.error.issues) refused.push(...complaint(issue, rest));
  }
  throw new UserError({
    wanted: `a ${architecture} configuration that this engine computes exactly`,
    found: refused.join('; '),
    where,
    fix: 'Use a model without these, or take a key out if you know that it changes nothing.',
  });
}

/** Layers that would attend to a window only (transformers: from max_window_layers on). */
function windowed(raw: RawConfig): string[] {
  const { num_hidden_layers: layers, layer_types: types } = raw;
  if (types !== null && types !== undefined) {
    if (types.length !== layers) return [`${types.length} layer_types for ${layers} layers`];
    const other = types.find((type) => type !== 'full_attention');
    return other === undefined ? [] : [`unsupported layer_types entry ${JSON.stringify(other)}`];
  }
  const window = raw.sliding_window === undefined ? 4096 : raw.sliding_window;
  if (!raw.use_sliding_window || window === null || raw.max_window_layers >= layers) return [];
  return [`unsupported use_sliding_window = true from layer ${raw.max_window_layers} on`];
}

function complaint(issue: z.core.$ZodIssue, json: Record<string, unknown>): string[] {
  if (issue.code === 'unrecognized_keys' && issue.path.length === 0) {
    return issue.keys.map((key) => `unknown key ${key} = ${brief(json[key])}`);
  }
  const key = issue.path.join('.');
  const top = json[String(issue.path[0])];
  return [`${key} = ${brief(top)} (${issue.message})`];
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
