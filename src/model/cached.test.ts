import { describe, expect, it } from 'vitest';
import { runCached } from '../../test/reference/cached-runner.ts';
import { referenceDecoder } from '../../test/reference/decoder.ts';
import { worst } from '../../test/reference/deviation.ts';
import { forwardLogits } from '../../test/reference/forward-logits.ts';
import {
  randomTokens,
  randomWeights,
  TINY_MODELS,
  tinyConfig,
} from '../../test/reference/models.ts';

const CAPACITY = 40;

describe.each(TINY_MODELS)('%s', (_name, config) => {
  const weights = randomWeights(config, 11);
  const sequences = [21, 17].map((length, i) => randomTokens(config, length, i));
  const expected = sequences.map((tokens) =>
    referenceDecoder(config, weights, tokens).logits.flatMap((row) => [...row]),
  );

  it('gives the logits of the float64 reference', async () => {
    for (const [row, tokens] of sequences.entries()) {
      expect(worst(await forwardLogits(config, weights, tokens), expected[row])).toBeLessThan(1e-4);
    }
  });

  it.each([
    ['token by token', [1]],
    ['a prompt in one block, then token by token', [8, 1]],
    ['a prompt in blocks of different sizes', [4, 8, 1]],
  ])('decodes like the full forward: %s', async (_how, blocks) => {
    const { logits: decoded } = await runCached(config, weights, sequences, blocks, CAPACITY);
    for (const [row, tokens] of sequences.entries()) {
      const full = await forwardLogits(config, weights, tokens);
      let compared = 0;
      for (const [t, found] of decoded[row].entries()) {
        if (found === undefined) continue;
        const at = t * config.vocabSize;
        expect(worst(found, full.subarray(at, at + config.vocabSize))).toBeLessThan(1e-4);
        compared += 1;
      }
      expect(compared).toBeGreaterThan(4);
    }
  });
});

it('never reads what padding left behind in the cache', async () => {
  const config = tinyConfig('llama');
  const weights = randomWeights(config, 2);
  const [prompt] = [randomTokens(config, 5, 1)];
  const long = randomTokens(config, 12, 1);
  long.set(prompt);
  // Both rows share a block of 8: the first is padded in it, then overwritten by decoding.
  const together = await runCached(config, weights, [long], [8, 1], CAPACITY);
  const apart = await runCached(config, weights, [long], [1], CAPACITY);
  for (let t = 8; t < 12; t++) {
    expect(worst(together.logits[0][t] ?? [], apart.logits[0][t] ?? [])).toBeLessThan(1e-4);
  }
});

describe('rope scalings', () => {
  const scalings: [string, Record<string, unknown>][] = [
    ['linear', { rope_type: 'linear', factor: 4 }],
    [
      'llama3',
      {
        rope_type: 'llama3',
        factor: 8,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 32,
      },
    ],
    ['yarn', { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 }],
  ];
  it.each(scalings)('%s: forward and decode follow the reference', async (_name, scaling) => {
    const plain = tinyConfig('llama');
    const config = tinyConfig('llama', { rope_scaling: scaling });
    const weights = randomWeights(config, 12);
    const tokens = randomTokens(config, 30, 3);
    const expected = referenceDecoder(config, weights, tokens).logits.flatMap((row) => [...row]);
    expect(worst(await forwardLogits(config, weights, tokens), expected)).toBeLessThan(1e-4);
    const { logits: decoded } = await runCached(config, weights, [tokens], [8, 1], CAPACITY);
    expect(worst(decoded[0][29] ?? [], expected.slice(-config.vocabSize))).toBeLessThan(1e-4);
    // The scaling matters at all: without it the logits are others.
    const unscaled = await forwardLogits(plain, weights, tokens);
    expect(worst(unscaled, expected)).toBeGreaterThan(1e-2);
  });
});
