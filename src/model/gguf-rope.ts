/** The rotary settings of a GGUF file, as `rope_theta` and `rope_scaling` of a config.json. */
import type { GgufFile } from './gguf-file.ts';
import { type GgufKeys, shortest } from './gguf-keys.ts';
import { ropeFrequencies } from './rope.ts';

/** Divisors of the frequencies, [headDim / 2]: how llama.cpp stores the scaling of Llama 3.1 and later. */
export const FREQUENCY_DIVISORS = 'rope_freqs.weight';

/** Context lengths of pretraining that are tried for the divisors, in tokens. */
const PRETRAINED = [8192, 4096, 2048, 16384, 32768, 65536, 131072];
const CLOSE = 1e-5;

/** `rope_theta` and `rope_scaling`; UserError for a scaling that is not understood. */
export function ggufRope(
  file: GgufFile,
  keys: GgufKeys,
  headDim: number,
): { rope_theta: number; rope_scaling: Record<string, unknown> | null } {
  const theta = shortest(keys.number('rope.freq_base') ?? 10_000);
  const scaling = scalingOf(keys);
  if (!file.tensors.has(FREQUENCY_DIVISORS)) return { rope_theta: theta, rope_scaling: scaling };
  if (scaling !== null) {
    keys.refuse('rope.scaling.type', `none beside ${FREQUENCY_DIVISORS}`, scaling.rope_type);
  }
  return { rope_theta: theta, rope_scaling: llama3(file, keys, headDim, theta) };
}

function scalingOf(keys: GgufKeys): Record<string, unknown> | null {
  const type = keys.get('rope.scaling.type') ?? 'none';
  const legacy = keys.number('rope.scale_linear') ?? 1;
  if (type === 'none') {
    return legacy === 1 ? null : { rope_type: 'linear', factor: shortest(legacy) };
  }
  const factor = shortest(keys.number('rope.scaling.factor') ?? 1);
  if (type === 'linear') return { rope_type: 'linear', factor };
  if (type !== 'yarn') {
    return keys.refuse('rope.scaling.type', 'none, linear or yarn', type);
  }
  const own = (key: string, name: string): Record<string, number> => {
    const value = keys.number(`rope.scaling.${key}`);
    return value === undefined ? {} : { [name]: shortest(value) };
  };
  const extrapolation = keys.number('rope.scaling.yarn_ext_factor') ?? 1;
  if (extrapolation !== 1) keys.refuse('rope.scaling.yarn_ext_factor', '1', extrapolation);
  const magnitude =
    keys.number('rope.scaling.yarn_attn_factor') ?? keys.number('rope.scaling.attn_factor') ?? 1;
  const attention = magnitude * (factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1);
  return {
    rope_type: 'yarn',
    factor,
    ...own('original_context_length', 'original_max_position_embeddings'),
    ...own('yarn_beta_fast', 'beta_fast'),
    ...own('yarn_beta_slow', 'beta_slow'),
    ...(magnitude === 1 ? {} : { attention_factor: attention }),
  };
}

/**
 * The scaling of Llama 3.1 whose divisors these are. The file does not say its settings: those of the
 * published models are tried, and taken only where they give every divisor.
 */
function llama3(
  file: GgufFile,
  keys: GgufKeys,
  headDim: number,
  theta: number,
): Record<string, unknown> {
  const divisors = file.read(FREQUENCY_DIVISORS);
  const factor = shortest(divisors.reduce((a, b) => Math.max(a, b), 1));
  const plain = ropeFrequencies({ theta, scaling: null }, headDim).frequencies;
  for (const originalMaxPositions of PRETRAINED) {
    const type = 'llama3';
    const scaling = {
      type,
      factor,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions,
    } as const;
    const { frequencies } = ropeFrequencies({ theta, scaling }, headDim);
    const isSame =
      divisors.length === plain.length &&
      divisors.every((d, i) => Math.abs(plain[i] / frequencies[i] - d) <= CLOSE * d);
    if (!isSame) continue;
    return {
      rope_type: type,
      factor,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: originalMaxPositions,
    };
  }
  return keys.refuse('rope.scaling', `${FREQUENCY_DIVISORS} of the scaling of Llama 3.1`, [
    ...divisors.subarray(0, 4),
  ]);
}
