import { describe, expect, test } from 'vitest';
import {
  type Accelerator,
  activationBytes,
  attentionMatrixBytes,
  cacheBytes,
  causalPairs,
  decodeFlops,
  decodeSeconds,
  forwardFlops,
  type ModelShape,
  optimizerBytes,
  parameters,
  poolWork,
  traceBytes,
  traceFlops,
  trainFlops,
  weightBytes,
} from './cost-model.ts';

const qwen3: ModelShape = {
  ...{ layers: 36, heads: 32, kvHeads: 8, headDim: 128, hidden: 2560, intermediate: 9728 },
  ...{ vocab: 151_936, tied: true },
};
const smollm2: ModelShape = {
  ...{ layers: 30, heads: 9, kvHeads: 3, headDim: 64, hidden: 576, intermediate: 1536 },
  ...{ vocab: 49_152, tied: true },
};
const tiny: ModelShape = {
  ...{ layers: 1, heads: 2, kvHeads: 1, headDim: 4, hidden: 6, intermediate: 10, vocab: 5 },
  tied: false,
};

describe('what a model is', () => {
  test('the parameters of known models come out', () => {
    expect(parameters(smollm2) / 134.5e6).toBeCloseTo(1, 2);
    expect(parameters(qwen3) / 4.02e9).toBeCloseTo(1, 2);
    // q and o: 2 * 6 * 8, k and v: 2 * 6 * 4, MLP: 3 * 6 * 10, embeddings and head: 2 * 5 * 6.
    expect(parameters(tiny)).toBe(96 + 48 + 180 + 60);
    expect(weightBytes(tiny, 2)).toBe(2 * 384);
    expect(optimizerBytes(tiny)).toBe(16 * 384);
  });

  test('keys and values of one Qwen3-4B text of 8k tokens take 1.2 GB in 16 bits', () => {
    expect(cacheBytes(qwen3, 8192, 2)).toBe(2 * 2 * 36 * 8 * 128 * 8192);
    expect(cacheBytes(qwen3, 8192, 2) / 1e9).toBeCloseTo(1.21, 2);
  });
});

describe('operations', () => {
  test('a pass is two operations per weight and token, and attention per pair', () => {
    const { vocab, hidden } = tiny;
    const layers = 96 + 48 + 180;
    const pairs = causalPairs(3);
    expect(pairs).toBe(6);
    expect(forwardFlops(tiny, 3, 1)).toBe(2 * (3 * layers + vocab * hidden) + 4 * 2 * 4 * pairs);
    expect(decodeFlops(tiny, 2, 1)).toBe(forwardFlops(tiny, 3, 1));
    expect(trainFlops(tiny, 2, 3)).toBe(6 * forwardFlops(tiny, 3));
  });

  test('for short texts of a large model a pass costs about twice its parameters per token', () => {
    expect(forwardFlops(qwen3, 256) / (256 * 2 * parameters(qwen3))).toBeCloseTo(1, 1);
  });

  test('a step over a fixed capacity costs more than over what is there', () => {
    expect(decodeFlops(tiny, 2, 2, 4 * 8)).toBeGreaterThan(decodeFlops(tiny, 2, 2));
  });

  test('tracing all heads adds a few per cent to attention', () => {
    const pairs = causalPairs(2048);
    const heads = qwen3.layers * qwen3.heads;
    const attention = 4 * qwen3.headDim * heads * pairs;
    expect(traceFlops({ heads, signals: 6 }, pairs) / attention).toBeLessThan(0.03);
  });
});

describe('memory', () => {
  test('all attention matrices of 8k tokens take 155 GB in 16 bits; a trace grows with the text', () => {
    expect(attentionMatrixBytes(qwen3, 8192, 2) / 1e9).toBeCloseTo(154.6, 1);
    expect(attentionMatrixBytes(qwen3, 8192, 4)).toBe(2 * attentionMatrixBytes(qwen3, 8192, 2));
    const trace = { heads: 36 * 32, signals: 6 };
    expect(traceBytes(trace, 8192)).toBe(2 * traceBytes(trace, 4096));
    expect(traceBytes(trace, 8192) / 1e9).toBeLessThan(0.3);
  });

  test('kept attention weights make activations grow with the square', () => {
    const grow = (keeps: boolean) =>
      activationBytes(tiny, 1, 4096, 4, keeps) / activationBytes(tiny, 1, 2048, 4, keeps);
    expect(grow(false)).toBeCloseTo(2, 9);
    expect(grow(true)).toBeGreaterThan(3.9);
  });
});

describe('a pool', () => {
  const plan = {
    ...{ prompts: 10_000, promptTokens: 100, responseTokens: 1000, traces: 1 },
    ...{ probeShare: 0.05, probeSamples: 8, selfShare: 0.286, annotateShare: 0.293 },
    ...{ epochs: 2, groupSize: 8 },
  };
  test('what is discarded is neither sampled nor trained on, and only what is annotated is bought', () => {
    const { trace, probes, train, trainWhole, labels } = poolWork(smollm2, plan);
    expect(labels).toBe(2930);
    expect(trace.tokens).toBe(10_000 * 1000);
    expect(probes).toMatchObject({ prompts: 500, responses: 4000, tokens: 4_000_000 });
    expect(train.prompts).toBe(5790);
    expect(train.responses).toBe(5790 * 16);
    expect(train.trainingFlops / trainWhole.trainingFlops).toBeCloseTo(0.579, 9);
    expect(trace.trainingFlops).toBe(0);
    expect(trace.samplingFlops).toBe(10_000 * decodeFlops(smollm2, 100, 1000));
  });

  test('decoding a small batch is bound by memory, a large one by operations', () => {
    const gpu: Accelerator = {
      ...{ peakFlops: 1e15, prefillShare: 0.4, trainShare: 0.35, bandwidth: 3e12 },
      ...{ bandwidthShare: 0.6, batch: 1 },
    };
    const alone = decodeSeconds(qwen3, 1, 100, 1000, gpu);
    expect(alone).toBeCloseTo(
      (1000 * (weightBytes(qwen3, 2) + cacheBytes(qwen3, 600, 2))) / 1.8e12,
      6,
    );
    const perResponse = (batch: number) =>
      decodeSeconds(qwen3, batch, 100, 1000, { ...gpu, batch }) / batch;
    expect(perResponse(64)).toBeLessThan(alone / 10);
    expect(perResponse(64)).toBeGreaterThan(alone / 64);
  });
});
