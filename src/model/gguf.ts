/**
 * A model in one GGUF file: its configuration, tokenizer and weights as a Hugging Face directory of the same
 * model would give them. Quantised weights are dequantised to float32.
 */
import { UserError } from '../core/errors.ts';
import {
  type DecoderConfig,
  parameterShapes,
  parseDecoderConfig,
  type WeightDtype,
} from './config.ts';
import { dtypeOfType, ggufConfig } from './gguf-config.ts';
import { type GgufFile, openGguf } from './gguf-file.ts';
import { FREQUENCY_DIVISORS } from './gguf-rope.ts';
import { ggufTokenizer } from './gguf-tokenizer.ts';

/** Is this path of a model the path of a GGUF file, by its name? */
export const isGguf = (path: string): boolean => path.toLowerCase().endsWith('.gguf');

/** The files beside the weights that a Hugging Face directory of the model would have, as JSON values by name. */
export function ggufCompanions(path: string): Map<string, unknown> {
  return withFile(path, (file) => {
    const { tokenizer, settings } = ggufTokenizer(file);
    return new Map<string, unknown>([
      ['config.json', ggufConfig(file)],
      ['tokenizer.json', tokenizer],
      ['tokenizer_config.json', settings],
    ]);
  });
}

/** The configuration alone. Throws UserError. */
export function ggufDecoderConfig(path: string): DecoderConfig {
  return withFile(path, (file) => parseDecoderConfig(ggufConfig(file), path));
}

export interface GgufWeights {
  config: DecoderConfig;
  /** float32, row-major, by Hugging Face name, in the order of `parameterShapes(config)`. */
  weights: Map<string, Float32Array>;
  /** How each is to be saved: as it was stored, or as float32 where it was quantised. */
  dtypes: Map<string, WeightDtype>;
  ignored: string[];
}

/**
 * Configuration and weights. Beside the weights no more than a few rows are in memory. Throws UserError
 * naming file and tensor.
 */
export function loadGguf(path: string): GgufWeights {
  return withFile(path, (file) => {
    const config = parseDecoderConfig(ggufConfig(file), path);
    refuseForeign(file, config);
    const weights = new Map<string, Float32Array>();
    const dtypes = new Map<string, WeightDtype>();
    for (const [name, shape] of parameterShapes(config)) {
      const stored = storedName(name);
      const tensor = file.tensors.get(stored);
      if (tensor === undefined) {
        const found = `none among ${file.tensors.size} tensors`;
        throw new UserError({ wanted: `tensor ${stored}`, found, where: path });
      }
      if (tensor.shape.join() !== shape.join()) {
        throw new UserError({
          wanted: `shape [${shape.join(', ')}] as the metadata implies`,
          found: `[${tensor.shape.join(', ')}]`,
          where: `${path}, tensor ${stored}`,
        });
      }
      dtypes.set(name, dtypeOfType(tensor.type));
      weights.set(name, readInOrder(file, stored, config, name));
    }
    return { config, weights, dtypes, ignored: [] };
  });
}

const WHOLE: Record<string, string> = {
  'model.embed_tokens': 'token_embd',
  'model.norm': 'output_norm',
  lm_head: 'output',
};

const IN_LAYER: Record<string, string> = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

/** Name in a GGUF file of a parameter with a Hugging Face name. */
export function storedName(name: string): string {
  const dot = name.lastIndexOf('.');
  const [module, kind] = [name.slice(0, dot), name.slice(dot + 1)];
  const layer = /^model\.layers\.(\d+)\.(.*)$/.exec(module);
  const stored =
    layer === null ? WHOLE[module] : IN_LAYER[layer[2]] && `blk.${layer[1]}.${IN_LAYER[layer[2]]}`;
  if (stored === undefined) throw new Error(`no GGUF name for ${name}`);
  return `${stored}.${kind}`;
}

/**
 * llama.cpp rotates neighbouring dimensions of a llama, Hugging Face those that are half a head apart: the rows
 * (and biases) of queries and keys were interleaved per head when the file was made.
 */
function readInOrder(
  file: GgufFile,
  stored: string,
  { architecture, headDim }: DecoderConfig,
  name: string,
): Float32Array {
  const kind = /[qk]_proj\.(weight|bias)$/.exec(name)?.[1];
  if (architecture !== 'LlamaForCausalLM' || kind === undefined) return file.read(stored);
  if (kind === 'weight') return file.read(stored, (row) => deinterleaved(row, headDim));
  const biases = file.read(stored);
  const ordered = new Float32Array(biases.length);
  for (const [i, bias] of biases.entries()) ordered[deinterleaved(i, headDim)] = bias;
  return ordered;
}

/** Where row `row` of the file belongs. */
function deinterleaved(row: number, headDim: number): number {
  const within = row % headDim;
  return row - within + (within & 1) * (headDim / 2) + (within >> 1);
}

/** Tensors that are neither a parameter nor understood otherwise: the model is of another kind. */
function refuseForeign(file: GgufFile, config: DecoderConfig): void {
  const known = new Set([...parameterShapes(config).keys()].map(storedName));
  const foreign = [...file.tensors.keys()].find(
    (name) => !known.has(name) && name !== FREQUENCY_DIVISORS,
  );
  if (foreign === undefined) return;
  throw new UserError({
    wanted: `only the parameters of ${config.architecture} as the metadata sets it up`,
    found: 'a tensor of another kind',
    where: `${file.path}, tensor ${foreign}`,
  });
}

function withFile<T>(path: string, use: (file: GgufFile) => T): T {
  const file = openGguf(path);
  try {
    return use(file);
  } finally {
    file.close();
  }
}
