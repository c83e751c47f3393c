/**
 * `config.json` of the supported decoder families, as exact settings, and the parameters they imply.
 *
 * Defaults and meanings follow transformers' configuration classes. A key or value that would change
 * what the model computes and that we do not implement is refused by name; keys known to change
 * nothing are listed in `config-keys.ts`. Knows nothing of weights on disk or of graphs.
 */
import { UserError } from '../core/errors.ts';
import { type Architecture, type RawConfig, readKeys } from './config-keys.ts';
import type { LoraSettings } from './lora-settings.ts';
import { longestText, type RopeSettings } from './rope.ts';
import { parseRope } from './rope-config.ts';

export type { Architecture } from './config-keys.ts';
export type { RopeSettings } from './rope.ts';

/** How weights are stored. */
export type WeightDtype = 'float32' | 'bfloat16' | 'float16';

export interface DecoderConfig {
  architecture: Architecture;
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  heads: number;
  /** Key/value heads; divides `heads`. */
  kvHeads: number;
  /** Even. `heads * headDim` need not be `hiddenSize`. */
  headDim: number;
  rmsNormEps: number;
  rope: RopeSettings;
  /** Bias on q_proj, k_proj and v_proj. */
  qkvBias: boolean;
  /** Bias on o_proj. */
  outputBias: boolean;
  /** Bias on gate_proj, up_proj and down_proj. */
  mlpBias: boolean;
  /** RMS norm over the head dimension of queries and keys, before the rotation (Qwen3). */
  qkNorm: boolean;
  /** The head multiplies by the embedding matrix; there is no lm_head.weight. */
  tieWordEmbeddings: boolean;
  /** Context length, in tokens; no text may be longer. */
  maxPositions: number;
  /** Standard deviation of fresh weights. */
  initializerRange: number;
  bosTokenId: number | null;
  eosTokenIds: number[];
  padTokenId: number | null;
  /** What config.json says; the files may say otherwise per tensor. */
  dtype: WeightDtype;
  /** The low-rank adapter that graphs have beside the weights; config.json knows nothing of it. */
  lora?: LoraSettings;
  /** config.json as read, for writing it back. */
  raw: Record<string, unknown>;
}

/**
 * The settings in a parsed config.json; `where` (the file) goes into errors.
 * Throws UserError naming every unknown key, unsupported value and inconsistency.
 */
export function parseDecoderConfig(json: unknown, where: string): DecoderConfig {
  const architecture = architectureOf(json, where);
  const raw = json as Record<string, unknown>; // architectureOf refuses everything but an object
  const config = settle(architecture, readKeys(architecture, raw, where), where);
  checkConsistent(config, where);
  return { ...config, raw: structuredClone(raw) };
}

/**
 * Hugging Face tensor names with shapes as Hugging Face stores them (a projection is [out, in]), in
 * the order of the forward pass; `lm_head.weight` only when the head is untied.
 */
export function parameterShapes(config: DecoderConfig): Map<string, readonly number[]> {
  const { hiddenSize, intermediateSize, headDim, qkvBias, outputBias, mlpBias } = config;
  const shapes = new Map<string, readonly number[]>();
  const linear = (name: string, out: number, input: number, bias: boolean): void => {
    shapes.set(`${name}.weight`, [out, input]);
    if (bias) shapes.set(`${name}.bias`, [out]);
  };
  shapes.set('model.embed_tokens.weight', [config.vocabSize, hiddenSize]);
  for (let layer = 0; layer < config.layers; layer += 1) {
    const at = `model.layers.${layer}`;
    shapes.set(`${at}.input_layernorm.weight`, [hiddenSize]);
    linear(`${at}.self_attn.q_proj`, config.heads * headDim, hiddenSize, qkvBias);
    linear(`${at}.self_attn.k_proj`, config.kvHeads * headDim, hiddenSize, qkvBias);
    linear(`${at}.self_attn.v_proj`, config.kvHeads * headDim, hiddenSize, qkvBias);
    if (config.qkNorm) {
      shapes.set(`${at}.self_attn.q_norm.weight`, [headDim]);
      shapes.set(`${at}.self_attn.k_norm.weight`, [headDim]);
    }
    linear(`${at}.self_attn.o_proj`, hiddenSize, config.heads * headDim, outputBias);
    shapes.set(`${at}.post_attention_layernorm.weight`, [hiddenSize]);
    linear(`${at}.mlp.gate_proj`, intermediateSize, hiddenSize, mlpBias);
    linear(`${at}.mlp.up_proj`, intermediateSize, hiddenSize, mlpBias);
    linear(`${at}.mlp.down_proj`, hiddenSize, intermediateSize, mlpBias);
  }
  shapes.set('model.norm.weight', [hiddenSize]);
  if (!config.tieWordEmbeddings) shapes.set('lm_head.weight', [config.vocabSize, hiddenSize]);
  return shapes;
}

const FAMILIES: Record<string, Architecture> = {
  llama: 'LlamaForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
};

function architectureOf(json: unknown, where: string): Architecture {
  const wanted = `one of ${Object.values(FAMILIES).join(', ')}`;
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new UserError({
      wanted: 'a JSON object',
      found: JSON.stringify(json) ?? 'nothing',
      where,
    });
  }
  const { architectures, model_type: type } = json as Record<string, unknown>;
  const family = typeof type === 'string' ? FAMILIES[type] : undefined;
  if (type !== undefined && family === undefined) {
    throw new UserError({ wanted, found: `model_type ${JSON.stringify(type)}`, where });
  }
  if (architectures === undefined || architectures === null) {
    if (family !== undefined) return family;
    throw new UserError({ wanted, found: 'neither architectures nor model_type', where });
  }
  const named = Array.isArray(architectures) && architectures.length === 1 ? architectures[0] : '';
  const architecture = Object.values(FAMILIES).find((name) => name === named);
  if (architecture === undefined) {
    throw new UserError({ wanted, found: `architectures ${JSON.stringify(architectures)}`, where });
  }
  if (family !== undefined && family !== architecture) {
    throw new UserError({
      wanted: 'architectures and model_type of one family',
      found: `${architecture} with model_type ${JSON.stringify(type)}`,
      where,
    });
  }
  return architecture;
}

/** Llama's bos and eos default to 1 and 2; Qwen has none. An explicit null means none anywhere. */
function settle(
  architecture: Architecture,
  raw: RawConfig,
  where: string,
): Omit<DecoderConfig, 'raw'> {
  const llama = architecture === 'LlamaForCausalLM';
  const qwen2 = architecture === 'Qwen2ForCausalLM';
  const heads = raw.num_attention_heads;
  const eos = raw.eos_token_id === undefined && llama ? 2 : raw.eos_token_id;
  const bos = raw.bos_token_id === undefined && llama ? 1 : raw.bos_token_id;
  const fallbackKvHeads = llama || raw.num_key_value_heads === null ? heads : 32;
  const fallbackHeadDim = architecture === 'Qwen3ForCausalLM' ? 128 : raw.hidden_size / heads;
  const dtype = raw.dtype ?? raw.torch_dtype ?? 'float32';
  const headDim = raw.head_dim ?? fallbackHeadDim;
  const rope = parseRope(raw, headDim, where);
  return {
    architecture,
    vocabSize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads,
    kvHeads: raw.num_key_value_heads ?? fallbackKvHeads,
    headDim,
    rmsNormEps: raw.rms_norm_eps,
    rope,
    qkvBias: qwen2 || raw.attention_bias,
    outputBias: !qwen2 && raw.attention_bias,
    mlpBias: raw.mlp_bias,
    qkNorm: architecture === 'Qwen3ForCausalLM',
    tieWordEmbeddings: raw.tie_word_embeddings,
    maxPositions: Math.min(raw.max_position_embeddings, longestText(rope)),
    initializerRange: raw.initializer_range,
    bosTokenId: bos ?? null,
    eosTokenIds: eos === null || eos === undefined ? [] : [eos].flat(),
    padTokenId: raw.pad_token_id === -1 ? null : (raw.pad_token_id ?? null),
    dtype,
  };
}

function checkConsistent(config: Omit<DecoderConfig, 'raw'>, where: string): void {
  const { heads, kvHeads, headDim, hiddenSize, vocabSize } = config;
  const refuse = (wanted: string, found: string): never => {
    throw new UserError({ wanted, found, where });
  };
  if (!Number.isInteger(headDim)) {
    refuse('a hidden_size that num_attention_heads divides', `${hiddenSize} and ${heads}`);
  }
  if (headDim % 2 !== 0) refuse('an even head_dim', String(headDim));
  if (heads % kvHeads !== 0) {
    refuse(
      'a num_attention_heads that num_key_value_heads divides',
      `${heads} heads and ${kvHeads} key/value heads`,
    );
  }
  for (const [key, ids] of [
    ['bos_token_id', [config.bosTokenId]],
    ['eos_token_id', config.eosTokenIds],
    ['pad_token_id', [config.padTokenId]],
  ] as const) {
    for (const id of ids) {
      if (id !== null && id >= vocabSize) {
        refuse(`a ${key} below vocab_size ${vocabSize}`, String(id));
      }
    }
  }
}
