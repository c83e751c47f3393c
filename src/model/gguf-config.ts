/**
 * The settings of a model in a GGUF file, as the config.json that a Hugging Face directory of it would have.
 *
 * Keys and defaults are those of llama.cpp. A key of the architecture that would change the result and is not
 * understood is refused by name, as in config.json. Knows nothing of weights' bytes.
 */
import { UserError } from '../core/errors.ts';
import type { WeightDtype } from './config.ts';
import type { Architecture } from './config-keys.ts';
import type { GgufFile } from './gguf-file.ts';
import { GgufKeys, shortest } from './gguf-keys.ts';
import { ggufRope } from './gguf-rope.ts';

const ARCHITECTURES: Record<string, Architecture> = {
  llama: 'LlamaForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
};

/** Keys of an architecture that are read here or in gguf-rope.ts, and those that change nothing. */
const KNOWN = new Set([
  ...['vocab_size', 'context_length', 'embedding_length', 'block_count', 'feed_forward_length'],
  ...['attention.head_count', 'attention.head_count_kv', 'attention.layer_norm_rms_epsilon'],
  ...['attention.key_length', 'attention.value_length', 'attention.sliding_window'],
  ...['attention.causal', 'expert_count', 'expert_used_count', 'tensor_data_layout'],
  ...['rope.dimension_count', 'rope.freq_base', 'rope.scale_linear', 'rope.scaling.type'],
  ...['rope.scaling.factor', 'rope.scaling.original_context_length', 'rope.scaling.finetuned'],
  ...['rope.scaling.attn_factor', 'rope.scaling.yarn_beta_fast', 'rope.scaling.yarn_beta_slow'],
  ...['rope.scaling.yarn_ext_factor', 'rope.scaling.yarn_attn_factor'],
]);

/** config.json of the model in the file. UserError naming what is missing or not understood. */
export function ggufConfig(file: GgufFile): Record<string, unknown> {
  const { family, architecture } = familyOf(file);
  refuseSplit(file);
  const keys = new GgufKeys(file, family);
  refuseUnknown(file, keys);
  const hidden = keys.required('embedding_length');
  const heads = keys.required('attention.head_count');
  const headDim = headDimOf(keys, hidden / heads);
  const has = (name: string): boolean => file.tensors.has(name);
  return {
    architectures: [architecture],
    model_type: family,
    vocab_size: vocabulary(file),
    hidden_size: hidden,
    intermediate_size: keys.required('feed_forward_length'),
    num_hidden_layers: layersOf(file, keys),
    num_attention_heads: heads,
    num_key_value_heads: keys.count('attention.head_count_kv') ?? heads,
    ...(headDim === hidden / heads && family !== 'qwen3' ? {} : { head_dim: headDim }),
    ...(family === 'qwen2' ? {} : { attention_bias: has('blk.0.attn_q.bias') }),
    ...(family === 'llama' ? { mlp_bias: has('blk.0.ffn_up.bias') } : {}),
    hidden_act: 'silu',
    max_position_embeddings: keys.required('context_length'),
    rms_norm_eps: shortest(
      keys.number('attention.layer_norm_rms_epsilon') ??
        keys.refuse('attention.layer_norm_rms_epsilon', 'a number', undefined),
    ),
    ...ggufRope(file, keys, headDim),
    tie_word_embeddings: !has('output.weight'),
    use_cache: true,
    ...specialIds(file),
    torch_dtype: dtypeOf(file),
  };
}

/** How a weight is saved that was stored as `type`: as it was, or as float32 where it was quantised. */
export function dtypeOfType(type: number): WeightDtype {
  if (type === 1) return 'float16';
  return type === 30 ? 'bfloat16' : 'float32';
}

function familyOf(file: GgufFile): { family: string; architecture: Architecture } {
  const family = file.metadata.get('general.architecture');
  const architecture = typeof family === 'string' ? ARCHITECTURES[family] : undefined;
  if (typeof family === 'string' && architecture !== undefined) return { family, architecture };
  throw new UserError({
    wanted: `general.architecture ${Object.keys(ARCHITECTURES).join(', ')}`,
    found: JSON.stringify(family) ?? 'none',
    where: file.path,
  });
}

function refuseSplit(file: GgufFile): void {
  const parts = file.metadata.get('split.count') ?? 1;
  if (parts === 0 || parts === 1) return;
  throw new UserError({
    wanted: 'a model in one file',
    found: `split.count ${parts}`,
    where: file.path,
    fix: 'Join the files with `llama-gguf-split --merge`.',
  });
}

function refuseUnknown(file: GgufFile, keys: GgufKeys): void {
  const prefix = `${keys.architecture}.`;
  for (const [key, value] of file.metadata) {
    if (!key.startsWith(prefix) || KNOWN.has(key.slice(prefix.length))) continue;
    throw new UserError({
      wanted: 'settings that this engine computes exactly',
      found: `${key} = ${JSON.stringify(value)?.slice(0, 80)}`,
      where: file.path,
    });
  }
  if ((keys.number('expert_count') ?? 0) > 0) {
    keys.refuse('expert_count', 'a model without experts', keys.get('expert_count'));
  }
  const window = keys.count('attention.sliding_window');
  if (window !== undefined && window < keys.required('context_length')) {
    keys.refuse('attention.sliding_window', 'attention to the whole context', window);
  }
}

/** The tensors say whether there are as many: a damaged count could be billions. */
function layersOf(file: GgufFile, keys: GgufKeys): number {
  const layers = keys.required('block_count');
  const last = `blk.${layers - 1}.attn_norm.weight`;
  if (!file.tensors.has(last))
    keys.refuse('block_count', `as many layers, up to tensor ${last}`, layers);
  return layers;
}

function headDimOf(keys: GgufKeys, usual: number): number {
  const dim = keys.count('attention.key_length') ?? usual;
  for (const key of ['attention.value_length', 'rope.dimension_count']) {
    const other = keys.count(key) ?? dim;
    if (other !== dim) keys.refuse(key, `${dim}, as for the keys`, other);
  }
  return dim;
}

function vocabulary(file: GgufFile): number {
  const size = file.tensors.get('token_embd.weight')?.shape[0];
  if (size !== undefined && size > 0) return size;
  throw new UserError({ wanted: 'tensor token_embd.weight', found: 'none', where: file.path });
}

/** Ids that end a text: the end of the text, and of a turn. */
function specialIds({ metadata }: GgufFile): Record<string, unknown> {
  const id = (name: string): number | null => {
    const value = metadata.get(`tokenizer.ggml.${name}_token_id`);
    return typeof value === 'number' && value < 0xffffffff ? value : null;
  };
  const ends = [...new Set([id('eos'), id('eot')])].filter((one) => one !== null);
  return {
    bos_token_id: id('bos'),
    eos_token_id: ends.length > 1 ? ends : (ends[0] ?? null),
    pad_token_id: id('padding'),
  };
}

/** The type that all matrices have, else float32. */
function dtypeOf({ tensors }: GgufFile): WeightDtype {
  const matrices = [...tensors.values()].filter(({ shape }) => shape.length > 1);
  const types = new Set(matrices.map(({ type }) => dtypeOfType(type)));
  const [only] = types;
  return types.size === 1 && only !== undefined ? only : 'float32';
}
