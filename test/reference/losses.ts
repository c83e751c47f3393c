/** The training losses in float64 on the reference decoder, and their central finite differences. */
import type { DecoderConfig } from '../../src/model/config.ts';
import type { Sequence } from '../../src/train/learner.ts';
import type { SurrogateSettings } from '../../src/train/loss.ts';
import { logSoftmax, type ReferenceWeights, referenceDecoder } from './decoder.ts';

/** Log-probabilities of the targets `from`.. of a sequence. */
export function referenceLogprobs(
  config: DecoderConfig,
  weights: ReferenceWeights,
  { tokens, from }: Sequence,
  temperature: number,
): Float64Array {
  const { logits } = referenceDecoder(config, weights, tokens.subarray(0, tokens.length - 1));
  return Float64Array.from(
    tokens.subarray(from),
    (token, i) => logSoftmax(logits[from - 1 + i], temperature)[token],
  );
}

export function referenceLikelihood(
  config: DecoderConfig,
  weights: ReferenceWeights,
  sequences: readonly Sequence[],
): number {
  let loss = 0;
  for (const sequence of sequences) {
    const logprobs = referenceLogprobs(config, weights, sequence, 1);
    loss -= sequence.weight * logprobs.reduce((sum, logp) => sum + logp, 0);
  }
  return loss;
}

/** GRPO's clipped surrogate with the k3 estimate of KL, and the weight that the clip took away. */
export function referenceSurrogate(
  config: DecoderConfig,
  weights: ReferenceWeights,
  sequences: readonly Sequence[],
  { clipLow, clipHigh, kl: beta, temperature }: SurrogateSettings,
): { loss: number; clipped: number; kl: number } {
  const sums = { loss: 0, clipped: 0, kl: 0 };
  for (const sequence of sequences) {
    const { advantage = 0, old = [], reference = [], weight } = sequence;
    const logprobs = referenceLogprobs(config, weights, sequence, temperature);
    for (const [i, logp] of logprobs.entries()) {
      const ratio = Math.exp(logp - old[i]);
      const held = advantage > 0 ? ratio > 1 + clipHigh : ratio < 1 - clipLow;
      const bounded = Math.min(Math.max(ratio, 1 - clipLow), 1 + clipHigh);
      const gap = beta === 0 ? 0 : reference[i] - logp;
      const kl = Math.exp(gap) - gap - 1;
      sums.loss -= weight * ((held ? bounded : ratio) * advantage - beta * kl);
      sums.clipped += held ? weight : 0;
      sums.kl += weight * kl;
    }
  }
  return sums;
}

/** (loss(w + h d) - loss(w - h d)) / 2h for a direction d of one parameter. */
export function directionalDerivative(
  weights: ReadonlyMap<string, Float32Array>,
  parameter: string,
  direction: ArrayLike<number>,
  loss: (weights: ReferenceWeights) => number,
): number {
  const step = 1e-5;
  const moved = (sign: number) => {
    const base = Float64Array.from(weights.get(parameter) ?? []);
    return loss(
      new Map<string, Float32Array | Float64Array>([
        ...weights,
        [parameter, base.map((v, i) => v + sign * step * direction[i])],
      ]),
    );
  };
  return (moved(1) - moved(-1)) / (2 * step);
}
