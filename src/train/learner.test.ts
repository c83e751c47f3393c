import { describe, expect, it } from 'vitest';
import { referenceLogprobs } from '../../test/reference/losses.ts';
import { randomTokens, randomWeights, tinyConfig } from '../../test/reference/models.ts';
import type { OptimizerSettings } from '../engine/adamw.ts';
import { Learner, type Sequence } from './learner.ts';

const OPTIMIZER: OptimizerSettings = {
  lr: 0.01,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weightDecay: 0.1,
  maxGradNorm: 1,
  warmupSteps: 2,
  schedule: 'cosine',
  totalSteps: 10,
  minLrRatio: 0.1,
};
const config = tinyConfig('qwen3');

function learner(threads = 1, tokensPerMicroBatch = 4096, of = config): Learner {
  return new Learner(
    of,
    randomWeights(of, 1),
    { provider: 'cpu', threads },
    OPTIMIZER,
    tokensPerMicroBatch,
  );
}

/** Sequences of 5 to 30 tokens; weights add up to 1. */
function batch(step: number, size = 7, of = config): Sequence[] {
  return Array.from({ length: size }, (_, i) => ({
    tokens: randomTokens(of, 5 + ((i * 11 + step) % 26), 100 * step + i),
    from: 1 + (i % 3),
    weight: 1 / size,
  }));
}

async function train(subject: Learner, steps: number, from = 0): Promise<number[]> {
  const losses: number[] = [];
  for (let step = from; step < from + steps; step++) {
    losses.push((await subject.addLikelihood(batch(step))).loss);
    await subject.update();
  }
  return losses;
}

function expectSameBits(a: Learner, b: Learner): void {
  for (const [name, data] of a.weights) {
    const same = Buffer.from(data.slice().buffer).equals(
      Buffer.from((b.weights.get(name) ?? new Float32Array()).slice().buffer),
    );
    expect(same, name).toBe(true);
  }
}

describe('Learner', () => {
  it('learns', async () => {
    const subject = learner();
    const losses: number[] = [];
    for (let i = 0; i < 6; i++) {
      losses.push((await subject.addLikelihood(batch(0))).loss);
      await subject.update();
    }
    expect(losses[5]).toBeLessThan(losses[0] * 0.9);
    await subject.release();
  });

  it('gets the same gradient from many small micro-batches as from one', async () => {
    const [whole, parts] = [learner(1, 4096), learner(1, 32)];
    const [a, b] = [await whole.addLikelihood(batch(0)), await parts.addLikelihood(batch(0))];
    expect(b.loss).toBeCloseTo(a.loss, 4);
    expect((await parts.update()).gradNorm).toBeCloseTo((await whole.update()).gradNorm, 4);
    for (const [name, moment] of whole.optimizerState().moments) {
      const other = parts.optimizerState().moments.get(name) ?? new Float32Array();
      const top = Math.max(...moment.map(Math.abs));
      const worst = Math.max(...moment.map((v, i) => Math.abs(v - other[i])));
      expect(worst / top, name).toBeLessThan(1e-4);
    }
    await Promise.all([whole.release(), parts.release()]);
  });

  it('gives the same weights, bit for bit, in every run and on any number of threads', async () => {
    // Wide enough that operators are really split between threads.
    const wide = tinyConfig('llama', { hidden_size: 128, intermediate_size: 256, vocab_size: 300 });
    const subjects = [learner(1, 4096, wide), learner(1, 4096, wide), learner(2, 4096, wide)];
    for (const subject of subjects) {
      for (let step = 0; step < 4; step++) {
        await subject.addLikelihood(batch(step, 16, wide));
        await subject.update();
      }
    }
    expectSameBits(subjects[0], subjects[1]);
    expectSameBits(subjects[0], subjects[2]);
    for (const subject of subjects) await subject.release();
  });

  it('goes on from a stored optimizer state as if it had never stopped', async () => {
    const [whole, first, second] = [learner(), learner(), learner()];
    await train(whole, 4);
    await train(first, 2);
    for (const [name, data] of first.weights) second.weights.get(name)?.set(data);
    second.restoreOptimizer(structuredClone(first.optimizerState()));
    await train(second, 2, 2);
    expectSameBits(whole, second);
    await Promise.all([whole, first, second].map((subject) => subject.release()));
  });

  it('refuses an optimizer state that lacks a moment', () => {
    const subject = learner();
    expect(() => subject.restoreOptimizer({ step: 1, moments: new Map() })).toThrow('lacks');
  });

  it('gives log-probabilities of the target tokens', async () => {
    const subject = learner();
    const sequences = batch(3);
    const found = await subject.logprobs(sequences, 0.7);
    for (const [i, sequence] of sequences.entries()) {
      const expected = referenceLogprobs(config, subject.weights, sequence, 0.7);
      expect(found[i]).toHaveLength(expected.length);
      for (const [t, logp] of expected.entries()) expect(found[i][t]).toBeCloseTo(logp, 4);
    }
    await subject.release();
  });

  it('raises the probability of responses with a positive advantage and lowers the others', async () => {
    const subject = learner();
    const settings = { clipLow: 0.2, clipHigh: 0.2, kl: 0.01, temperature: 1 };
    const plain = batch(1, 4);
    const old = await subject.logprobs(plain, 1);
    const sequences = plain.map((sequence, i) => ({
      ...sequence,
      advantage: i % 2 === 0 ? 1 : -1,
      old: old[i],
      reference: old[i],
    }));
    for (let i = 0; i < 3; i++) {
      const sums = await subject.addSurrogate(sequences, settings);
      if (i === 0) expect(sums).toMatchObject({ clipped: 0, kl: expect.closeTo(0, 5) });
      await subject.update();
    }
    const now = await subject.logprobs(plain, 1);
    const total = (values: Float32Array) => values.reduce((a, b) => a + b, 0);
    for (const [i, { advantage }] of sequences.entries()) {
      expect(Math.sign(total(now[i]) - total(old[i]))).toBe(advantage);
    }
    await subject.release();
  });
});
