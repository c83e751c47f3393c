import { describe, expect, it } from 'vitest';
import { referenceDecoder } from '../../test/reference/decoder.ts';
import {
  randomTokens,
  randomWeights,
  TINY_MODELS,
  tinyConfig,
} from '../../test/reference/models.ts';
import type { EngineSettings } from '../engine/program.ts';
import { planByLength } from './batches.ts';
import type { DecoderConfig } from './config.ts';
import { type Layers, type Representation, Representer, type Text } from './represent.ts';

const ENGINE: EngineSettings = { provider: 'cpu', threads: 1 };

/** Texts of different lengths, averaged from different places. */
function texts(config: DecoderConfig): Text[] {
  return [
    { tokens: randomTokens(config, 21, 1), from: 9 },
    { tokens: randomTokens(config, 1, 2), from: 0 },
    { tokens: randomTokens(config, 33, 3), from: 32 },
    { tokens: randomTokens(config, 5, 4), from: 0 },
    { tokens: randomTokens(config, 16, 5), from: 3 },
  ];
}

async function represent(
  config: DecoderConfig,
  of: readonly Text[],
  layers: Layers,
  { engine = ENGINE, tokensPerBatch = 2048 } = {},
): Promise<Representation[]> {
  const subject = new Representer(config, randomWeights(config, 7), engine, tokensPerBatch);
  try {
    return await subject.represent(of, layers);
  } finally {
    await subject.release();
  }
}

/** The same by the float64 reference: every hidden state, then the mean in plain loops. */
function naive(config: DecoderConfig, { tokens, from }: Text): { last: number[]; mean: number[] } {
  const { hidden } = referenceDecoder(config, randomWeights(config, 7), tokens);
  const counted = tokens.length - from;
  return {
    last: hidden.flatMap((rows) => [...rows[tokens.length - 1]]),
    mean: hidden.flatMap((rows) =>
      Array.from({ length: config.hiddenSize }, (_, i) =>
        rows.slice(from).reduce((sum, row) => sum + row[i] / counted, 0),
      ),
    ),
  };
}

function expectClose(got: Float32Array, want: readonly number[]): void {
  expect(got.length).toBe(want.length);
  const worst = want.reduce((most, x, i) => Math.max(most, Math.abs(x - got[i])), 0);
  expect(worst).toBeLessThan(2e-4); // values of size up to 10, float32 against float64
}

describe('Representer', () => {
  it.each(TINY_MODELS)(
    'pools what the reference decoder gives, every layer: %s',
    async (_, config) => {
      const of = texts(config);
      const got = await represent(config, of, 'all');
      for (const [i, text] of of.entries()) {
        const want = naive(config, text);
        expectClose(got[i].last, want.last);
        expectClose(got[i].mean, want.mean);
      }
    },
  );

  it('gives the end of all layers when only the last is asked for', async () => {
    const config = tinyConfig('qwen2');
    const all = await represent(config, texts(config), 'all');
    const last = await represent(config, texts(config), 'last');
    for (const [i, one] of last.entries()) {
      expect(one.last).toEqual(all[i].last.slice(-config.hiddenSize));
      expect(one.mean).toEqual(all[i].mean.slice(-config.hiddenSize));
    }
  });

  it('does not depend on what a text is batched with, nor on the threads', async () => {
    const config = tinyConfig('llama');
    const of = [...texts(config), { tokens: randomTokens(config, 120, 6), from: 40 }];
    const together = await represent(config, of, 'all');
    const apart = await represent(config, of, 'all', { tokensPerBatch: 1 });
    const threads = await represent(config, of, 'all', { engine: { ...ENGINE, threads: 3 } });
    for (const [i, one] of together.entries()) {
      expectClose(apart[i].mean, [...one.mean]);
      expectClose(apart[i].last, [...one.last]);
      expect(threads[i]).toEqual(one);
    }
  });

  it('refuses a text without a position to average', async () => {
    const config = tinyConfig('llama');
    for (const text of [
      { tokens: new Int32Array(), from: 0 },
      { tokens: randomTokens(config, 4, 1), from: 4 },
      { tokens: randomTokens(config, 4, 1), from: -1 },
    ]) {
      await expect(represent(config, [text], 'last')).rejects.toThrow(RangeError);
    }
  });
});

describe('planByLength', () => {
  it('feeds every text once, within the size, in rows that hold it', () => {
    const lengths = [3, 40, 16, 17, 90, 1, 1, 1, 33, 64];
    const plan = planByLength(lengths, 128);
    expect(plan.flatMap(({ members }) => members).sort((a, b) => a - b)).toEqual([
      ...lengths.keys(),
    ]);
    for (const { batch, length, members } of plan) {
      expect(members.length).toBeLessThanOrEqual(batch);
      expect(batch * length).toBeLessThanOrEqual(128);
      expect(Math.max(...members.map((i) => lengths[i]))).toBeLessThanOrEqual(length);
    }
  });

  it('takes a text that is longer than the size alone', () => {
    expect(planByLength([300, 5], 128)).toEqual([
      { batch: 1, length: 304, members: [0] },
      { batch: 1, length: 16, members: [1] },
    ]);
  });
});
