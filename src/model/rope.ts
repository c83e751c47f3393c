/**
 * Rotary position embeddings: cosine and sine tables for the scalings that the supported families use.
 *
 * The formulas are those of transformers' `modeling_rope_utils.py` (linear, llama3, yarn, longrope, proportional),
 * computed in float64 where transformers computes in float32. Knows nothing of graphs or of config.json.
 */

/** YaRN (arXiv 2309.00071) as transformers parametrises it. */
export interface YarnScaling {
  type: 'yarn';
  factor: number;
  /** Context length of pretraining, in tokens. */
  originalMaxPositions: number;
  betaFast: number;
  betaSlow: number;
  /** Factor on cos and sin; null: inferred from `factor`, `mscale` and `mscaleAllDim`. */
  attentionFactor: number | null;
  mscale: number | null;
  mscaleAllDim: number | null;
  /** Round the correction range to whole dimensions. */
  truncate: boolean;
}

/** The frequency-dependent scaling of Llama 3.1. */
export interface Llama3Scaling {
  type: 'llama3';
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  /** Context length of pretraining, in tokens. */
  originalMaxPositions: number;
}

/** Position interpolation: every frequency divided by `factor`. */
export interface LinearScaling {
  type: 'linear';
  factor: number;
}

/**
 * LongRoPE (arXiv 2402.13753): a divisor for every dimension pair. transformers changes all of them where a text grows
 * beyond the context of pretraining, also for what is in its cache already; here texts end there.
 */
export interface LongScaling {
  type: 'longrope';
  /** [headDim / 2] */
  divisors: readonly number[];
  /** Factor on cos and sin. */
  attentionFactor: number;
  /** Context length of pretraining, in tokens: the longest text. */
  originalMaxPositions: number;
}

/** Every frequency divided by `factor`; dimension pairs beyond the first `share` of them do not turn. */
export interface ProportionalScaling {
  type: 'proportional';
  factor: number;
  /** 0 to 1. */
  share: number;
}

export interface RopeSettings {
  /** Base of the frequencies: dimension pair i turns by theta^(-2i/headDim) radians per token. */
  theta: number;
  scaling: null | LinearScaling | Llama3Scaling | YarnScaling | LongScaling | ProportionalScaling;
}

export interface RopeTables {
  /** [positions, headDim / 2], row-major. */
  cos: Float32Array;
  /** [positions, headDim / 2], row-major. */
  sin: Float32Array;
}

/**
 * Radians per token of each of the headDim / 2 dimension pairs, and the factor on cos and sin
 * (1 except for yarn and longrope).
 */
export function ropeFrequencies(
  rope: RopeSettings,
  headDim: number,
): { frequencies: Float64Array; scale: number } {
  const plain = Float64Array.from(
    { length: headDim / 2 },
    (_, i) => rope.theta ** ((-2 * i) / headDim),
  );
  const { scaling } = rope;
  if (scaling === null) return { frequencies: plain, scale: 1 };
  switch (scaling.type) {
    case 'linear':
      return { frequencies: plain.map((f) => f / scaling.factor), scale: 1 };
    case 'llama3':
      return { frequencies: plain.map((f) => llama3Frequency(f, scaling)), scale: 1 };
    case 'yarn':
      return {
        frequencies: yarnFrequencies(plain, rope.theta, headDim, scaling),
        scale: yarnAttentionFactor(scaling),
      };
    case 'longrope':
      return {
        frequencies: plain.map((f, i) => f / scaling.divisors[i]),
        scale: scaling.attentionFactor,
      };
    case 'proportional': {
      const turning = Math.floor((scaling.share * headDim) / 2);
      const frequencies = plain.map((f, i) => (i < turning ? f / scaling.factor : 0));
      return { frequencies, scale: 1 };
    }
  }
}

/** The longest text that the tables are right for, in tokens; Infinity where the scaling knows no bound. */
export function longestText({ scaling }: RopeSettings): number {
  return scaling?.type === 'longrope' ? scaling.originalMaxPositions : Infinity;
}

/** Tables for positions 0 .. positions - 1. */
export function ropeTables(rope: RopeSettings, headDim: number, positions: number): RopeTables {
  const { frequencies, scale } = ropeFrequencies(rope, headDim);
  const width = frequencies.length;
  const cos = new Float32Array(positions * width);
  const sin = new Float32Array(positions * width);
  for (let position = 0; position < positions; position += 1) {
    for (const [i, frequency] of frequencies.entries()) {
      const angle = position * frequency;
      cos[position * width + i] = Math.cos(angle) * scale;
      sin[position * width + i] = Math.sin(angle) * scale;
    }
  }
  return { cos, sin };
}

function llama3Frequency(frequency: number, scaling: Llama3Scaling): number {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength > originalMaxPositions / lowFreqFactor) return frequency / factor;
  if (wavelength < originalMaxPositions / highFreqFactor) return frequency;
  const smooth =
    (originalMaxPositions / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}

function yarnFrequencies(
  plain: Float64Array,
  theta: number,
  headDim: number,
  scaling: YarnScaling,
): Float64Array {
  const correction = (rotations: number): number =>
    (headDim * Math.log(scaling.originalMaxPositions / (rotations * 2 * Math.PI))) /
    (2 * Math.log(theta));
  let low = correction(scaling.betaFast);
  let high = correction(scaling.betaSlow);
  if (scaling.truncate) {
    low = Math.floor(low);
    high = Math.ceil(high);
  }
  low = Math.max(low, 0);
  high = Math.min(high, headDim - 1);
  if (low === high) high += 0.001; // as transformers does: a step, not a division by zero
  return plain.map((frequency, i) => {
    const interpolated = Math.min(Math.max((i - low) / (high - low), 0), 1);
    return (frequency / scaling.factor) * interpolated + frequency * (1 - interpolated);
  });
}

function yarnAttentionFactor(scaling: YarnScaling): number {
  const { factor, attentionFactor, mscale, mscaleAllDim } = scaling;
  if (attentionFactor !== null) return attentionFactor;
  const magnitude = (m: number): number => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1);
  // Null and 0 both mean "not given" to transformers.
  if (mscale && mscaleAllDim) return magnitude(mscale) / magnitude(mscaleAllDim);
  return magnitude(1);
}
