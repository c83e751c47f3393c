/** Training an adapter: gradients against float64, what is trained and what is not, and the bits of it. */
import { describe, expect, it } from 'vitest';
import { ALL_TARGETS, mergedReference, randomAdapter } from '../../test/reference/adapters.ts';
import { evaluateLoss } from '../../test/reference/evaluate-loss.ts';
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
import type { OptimizerSettings } from '../engine/adamw.ts';
import { type DecoderConfig, parameterShapes } from '../model/config.ts';
import { freshAdapter, loraShapes } from '../model/lora.ts';
import type { LoraSettings } from '../model/lora-settings.ts';
import { Learner, type Sequence } from './learner.ts';
import { likelihoodGraph, type MicroBatch, surrogateGraph } from './loss.ts';

const CPU = { provider: 'cpu', threads: 1 } as const;
const EXTENT: MicroBatch = { batch: 3, length: 9 };
const OPTIMIZER: OptimizerSettings = {
  ...{ lr: 0.02, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.01, maxGradNorm: 1 },
  ...{ warmupSteps: 0, schedule: 'constant', totalSteps: 10, minLrRatio: 1 },
};

function sequencesFor(config: DecoderConfig): Sequence[] {
  return [
    { tokens: randomTokens(config, 10, 1), from: 1, weight: 0.1 },
    { tokens: randomTokens(config, 7, 2), from: 4, weight: 0.25 },
  ];
}

type Arrays = ReadonlyMap<string, Float32Array>;
type Loss = Parameters<typeof directionalDerivative>[3];

/** Every matrix of the adapter along a random direction and along its largest coordinate. */
function expectGradients(weights: Arrays, gradients: Arrays, loss: Loss): void {
  for (const [name, gradient] of gradients) {
    const norm = Math.hypot(...gradient);
    expect(norm, name).toBeGreaterThan(0);
    const random = stream(1, name);
    const top = gradient.reduce(
      (best, v, i) => (Math.abs(v) > Math.abs(gradient[best]) ? i : best),
      0,
    );
    for (const direction of [
      gradient.map(() => random.normal()),
      gradient.map((_, i) => (i === top ? 1 : 0)),
    ]) {
      const expected = directionalDerivative(weights, name, direction, loss);
      const found = gradient.reduce((sum, v, i) => sum + v * direction[i], 0);
      expect(Math.abs(found - expected) / norm, name).toBeLessThan(1e-3);
    }
  }
}

/** The adapter's part of what `evaluateLoss` gives, which feeds accumulators for what is trained alone. */
async function gradientsOf(
  graph: ReturnType<typeof likelihoodGraph>,
  adapter: Arrays,
  weights: Arrays,
  sequences: readonly Sequence[],
) {
  return await evaluateLoss(graph, EXTENT, weights, sequences, CPU, [...adapter.keys()]);
}

describe.each(TINY_MODELS)('%s', (_name, bare) => {
  it('has the likelihood of the merged weights in float64 and the gradients of both matrices', async () => {
    const lora = ALL_TARGETS;
    const adapter = randomAdapter(bare, lora, 5);
    const weights = new Map([...randomWeights(bare, 3), ...adapter]);
    const sequences = sequencesFor(bare);
    const graph = likelihoodGraph({ ...bare, lora }, EXTENT);
    const { scalars, gradients } = await gradientsOf(graph, adapter, weights, sequences);
    const loss: Loss = (w) => referenceLikelihood(bare, mergedReference(bare, w, lora), sequences);
    expect(scalars.loss).toBeCloseTo(loss(weights), 4);
    expect([...gradients.keys()]).toEqual([...loraShapes(bare, lora).keys()]);
    expectGradients(weights, gradients, loss);
  });
});

it('has the surrogate with KL and its gradients, with the root of the rank and some targets', async () => {
  const bare = tinyConfig('qwen3');
  const lora: LoraSettings = { rank: 2, alpha: 6, targets: ['q_proj', 'up_proj'], rslora: true };
  const adapter = randomAdapter(bare, lora, 8);
  const weights = new Map([...randomWeights(bare, 5), ...adapter]);
  const settings = { clipLow: 0.2, clipHigh: 0.28, kl: 0.05, temperature: 0.8 };
  const sequences = sequencesFor(bare).map((sequence, k) => {
    const merged = mergedReference(bare, weights, lora);
    const now = referenceLogprobs(bare, merged, sequence, settings.temperature);
    return {
      ...sequence,
      advantage: k === 0 ? 1.3 : -0.7,
      old: Float32Array.from(now, (logp, i) => logp - Math.log([0.5, 0.95, 1.15, 1.6][i % 4])),
      reference: Float32Array.from(now, (logp, i) => logp + [0.3, -0.6, 0.1][i % 3]),
    };
  });
  const graph = surrogateGraph({ ...bare, lora }, EXTENT, settings);
  const { scalars, gradients } = await gradientsOf(graph, adapter, weights, sequences);
  const sums = (w: Parameters<Loss>[0]) =>
    referenceSurrogate(bare, mergedReference(bare, w, lora), sequences, settings);
  expect(scalars.loss).toBeCloseTo(sums(weights).loss, 4);
  expect(scalars.kl).toBeCloseTo(sums(weights).kl, 4);
  expectGradients(weights, gradients, (w) => sums(w).loss);
});

it('computes no gradient of a frozen weight', () => {
  const bare = tinyConfig('llama');
  const lora: LoraSettings = { ...ALL_TARGETS, targets: ['q_proj'] };
  const products = (config: DecoderConfig) =>
    likelihoodGraph(config, EXTENT).nodes.filter(({ op }) => op === 'Gemm').length;
  const count = (name: string) => [...parameterShapes(bare).keys()].filter((n) => n.includes(name));
  const forwards = count('proj.weight').length + 1;
  const layers = bare.layers;
  // All weights: per matrix the product, its input's gradient and its own.
  expect(products(bare)).toBe(3 * forwards);
  // Adapters of the queries: no weight's own gradient, nothing below the first layer's queries, and per adapter two
  // products, two gradients of its own, one between its matrices, and one of its input but in the first layer.
  const below = 3;
  const inputs = forwards - below;
  expect(products({ ...bare, lora })).toBe(forwards + inputs + 5 * layers + (layers - 1));
  const outputs = likelihoodGraph({ ...bare, lora }, EXTENT).outputs.map(({ name }) => name);
  expect(outputs).toHaveLength(1 + 2 * layers);
});

describe('a learner', () => {
  const wide = tinyConfig('llama', { hidden_size: 128, intermediate_size: 256, vocab_size: 300 });
  const lora: LoraSettings = { ...ALL_TARGETS, rank: 4, alpha: 8 };
  const base = randomWeights(wide, 1);

  function learner(threads = 1): Learner {
    const weights = new Map([...base, ...freshAdapter(wide, lora, 7)]);
    return new Learner({ ...wide, lora }, weights, { provider: 'cpu', threads }, OPTIMIZER, 512);
  }

  const batch = (step: number): Sequence[] =>
    Array.from({ length: 8 }, (_, i) => ({
      tokens: randomTokens(wide, 5 + ((i * 11 + step) % 26), 100 * step + i),
      ...{ from: 1 + (i % 3), weight: 1 / 8 },
    }));

  async function train(subject: Learner, steps: number, from = 0): Promise<number[]> {
    const losses: number[] = [];
    for (let step = from; step < from + steps; step++) {
      losses.push((await subject.addLikelihood(batch(step % 2))).loss);
      await subject.update();
    }
    return losses;
  }

  const bits = (subject: Learner) =>
    [...loraShapes(wide, lora).keys()].map((name) => [...(subject.weights.get(name) ?? [])]);

  it('learns, leaves the base as it is and keeps moments of the adapter alone', async () => {
    const before = new Map([...base].map(([name, values]) => [name, values.slice()]));
    const subject = learner();
    const losses = await train(subject, 12);
    expect(losses[10]).toBeLessThan(losses[0] * 0.9);
    for (const [name, values] of base) expect(values, name).toEqual(before.get(name));
    const { moments } = subject.optimizerState();
    expect(moments.size).toBe(2 * loraShapes(wide, lora).size);
    expect([...moments.keys()].every((name) => name.includes('.lora_'))).toBe(true);
    await subject.release();
  });

  it('gives the same adapter, bit for bit, in every run and on any number of threads', async () => {
    const subjects = [learner(1), learner(1), learner(2)];
    for (const subject of subjects) await train(subject, 3);
    expect(bits(subjects[1])).toEqual(bits(subjects[0]));
    expect(bits(subjects[2])).toEqual(bits(subjects[0]));
    for (const subject of subjects) await subject.release();
  });

  it('goes on from a stored optimizer state as if it had never stopped', async () => {
    const [whole, first, second] = [learner(), learner(), learner()];
    await train(whole, 4);
    await train(first, 2);
    for (const name of loraShapes(wide, lora).keys()) {
      second.weights.get(name)?.set(first.weights.get(name) ?? []);
    }
    second.restoreOptimizer(structuredClone(first.optimizerState()));
    await train(second, 2, 2);
    expect(bits(second)).toEqual(bits(whole));
    await Promise.all([whole, first, second].map((subject) => subject.release()));
  });
});
