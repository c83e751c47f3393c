import { describe, expect, it } from 'vitest';
import type { ReferenceWeights } from '../../test/reference/decoder.ts';
import { evaluateLoss } from '../../test/reference/evaluate-loss.ts';
import { jaxLikelihoodGradients } from '../../test/reference/jax-decoder.ts';
import {
  directionalDerivative,
  referenceLikelihood,
  referenceLogprobs,
  referenceSurrogate,
} from '../../test/reference/losses.ts';
import {
  randomTokens,
  randomWeights,
  TINY_MODELS,
  tinyConfig,
} from '../../test/reference/models.ts';
import { stream } from '../core/random.ts';
import type { DecoderConfig } from '../model/config.ts';
import { feed, type Sequence } from './learner.ts';
import {
  likelihoodGraph,
  type MicroBatch,
  type SurrogateSettings,
  surrogateGraph,
} from './loss.ts';

const CPU = { provider: 'cpu', threads: 1 } as const;
const EXTENT: MicroBatch = { batch: 3, length: 9 };

/** Two sequences, one shorter than the batch is long; the third row of the batch is padding. */
function sequencesFor(config: DecoderConfig): Sequence[] {
  return [
    { tokens: randomTokens(config, 10, 1), from: 1, weight: 0.1 },
    { tokens: randomTokens(config, 7, 2), from: 4, weight: 0.25 },
  ];
}

const evaluate = (
  graph: ReturnType<typeof likelihoodGraph>,
  weights: ReadonlyMap<string, Float32Array>,
  sequences: readonly Sequence[],
) => evaluateLoss(graph, EXTENT, weights, sequences, CPU);

/** Every parameter along two random directions and along its two largest coordinates. */
function expectGradients(
  weights: ReadonlyMap<string, Float32Array>,
  gradients: ReadonlyMap<string, Float32Array>,
  loss: (weights: ReferenceWeights) => number,
): void {
  for (const [name, gradient] of gradients) {
    const norm = Math.hypot(...gradient);
    expect(norm, name).toBeGreaterThan(0);
    const largest = [...gradient.keys()].sort(
      (a, b) => Math.abs(gradient[b]) - Math.abs(gradient[a]),
    );
    const directions = [
      ...[1, 2].map((k) => {
        const random = stream(k, name);
        return gradient.map(() => random.normal());
      }),
      ...largest.slice(0, 2).map((at) => gradient.map((_, i) => (i === at ? 1 : 0))),
    ];
    for (const direction of directions) {
      const expected = directionalDerivative(weights, name, direction, loss);
      const found = gradient.reduce((sum, v, i) => sum + v * direction[i], 0);
      expect(Math.abs(found - expected) / norm, name).toBeLessThan(1e-3);
    }
  }
}

describe.each(TINY_MODELS)('%s', (_name, config) => {
  const weights = randomWeights(config, 3);
  const sequences = sequencesFor(config);

  it('has the likelihood of the float64 reference and its gradients', async () => {
    const { scalars, gradients } = await evaluate(
      likelihoodGraph(config, EXTENT),
      weights,
      sequences,
    );
    const loss = (w: ReferenceWeights) => referenceLikelihood(config, w, sequences);
    expect(scalars.loss).toBeCloseTo(loss(weights), 4);
    expectGradients(weights, gradients, loss);
  });

  it('has the gradients of jax', async () => {
    const { gradients } = await evaluate(likelihoodGraph(config, EXTENT), weights, sequences);
    const inputs = feed(EXTENT, sequences, ['ids', 'target', 'weight']);
    const expected = await jaxLikelihoodGradients(config, weights, EXTENT, inputs);
    for (const [name, gradient] of gradients) {
      const other = expected.get(name) ?? new Float32Array();
      const difference = Math.hypot(...gradient.map((v, i) => v - other[i]));
      expect(difference / Math.hypot(...other), name).toBeLessThan(1e-4);
    }
  });
});

describe('surrogateGraph', () => {
  const config = tinyConfig('qwen3');
  const weights = randomWeights(config, 5);
  const temperature = 0.8;

  /** Ratios on both sides of the clip range, away from its ends, for both signs of the advantage. */
  function sequences(): Sequence[] {
    return sequencesFor(config).map((sequence, k) => {
      const now = referenceLogprobs(config, weights, sequence, temperature);
      const ratios = [0.5, 0.95, 1.15, 1.6];
      return {
        ...sequence,
        advantage: k === 0 ? 1.3 : -0.7,
        old: Float32Array.from(now, (logp, i) => logp - Math.log(ratios[i % 4])),
        reference: Float32Array.from(now, (logp, i) => logp + [0.3, -0.6, 0.1][i % 3]),
      };
    });
  }

  it.each<SurrogateSettings>([
    { clipLow: 0.2, clipHigh: 0.2, kl: 0, temperature },
    { clipLow: 0.2, clipHigh: 0.28, kl: 0.05, temperature },
    { clipLow: 0.9, clipHigh: 10, kl: 0.5, temperature },
  ])('has the sums of the float64 reference and its gradients: %o', async (settings) => {
    const batch = sequences();
    const { scalars, gradients } = await evaluate(
      surrogateGraph(config, EXTENT, settings),
      weights,
      batch,
    );
    const sums = (w: ReferenceWeights) => referenceSurrogate(config, w, batch, settings);
    const expected = sums(weights);
    expect(scalars.loss).toBeCloseTo(expected.loss, 4);
    expect(scalars.clipped).toBeCloseTo(expected.clipped, 5);
    if (settings.kl > 0) expect(scalars.kl).toBeCloseTo(expected.kl, 4);
    expect(settings.clipHigh > 1 ? expected.clipped === 0 : expected.clipped > 0).toBe(true);
    expectGradients(weights, gradients, (w) => sums(w).loss);
  });

  it('stays finite where padding is less likely than float32 can say', async () => {
    const sharp = new Map(weights);
    const norm = 'model.norm.weight';
    sharp.set(
      norm,
      (weights.get(norm) ?? new Float32Array()).map((v) => v * 200),
    );
    const settings = { clipLow: 0.2, clipHigh: 0.2, kl: 0.1, temperature };
    const batch = sequencesFor(config).map((sequence) => {
      const now = Float32Array.from(referenceLogprobs(config, sharp, sequence, temperature));
      return { ...sequence, advantage: 1, old: now, reference: now };
    });
    const { scalars, gradients } = await evaluate(
      surrogateGraph(config, EXTENT, settings),
      sharp,
      batch,
    );
    expect(Number.isFinite(scalars.loss) && Number.isFinite(scalars.kl)).toBe(true);
    for (const gradient of gradients.values()) expect(gradient.every(Number.isFinite)).toBe(true);
  });
});
