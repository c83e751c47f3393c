import { describe, expect, it } from 'vitest';
import { ALL_TARGETS, mergedReference, randomAdapter } from '../../test/reference/adapters.ts';
import { runCached } from '../../test/reference/cached-runner.ts';
import { type ReferenceWeights, referenceDecoder } from '../../test/reference/decoder.ts';
import { worst } from '../../test/reference/deviation.ts';
import { forwardLogits } from '../../test/reference/forward-logits.ts';
import {
  randomTokens,
  randomWeights,
  TINY_MODELS,
  tinyConfig,
} from '../../test/reference/models.ts';
import { type DecoderConfig, parameterShapes } from './config.ts';
import { freshAdapter, loraShapes, mergeAdapter, orderedTargets, trainableShapes } from './lora.ts';
import { type LoraSettings, loraScale } from './lora-settings.ts';
import { Representer } from './represent.ts';

const CPU = { provider: 'cpu', threads: 1 } as const;

const flat = (config: DecoderConfig, weights: ReferenceWeights, tokens: Int32Array) =>
  referenceDecoder(config, weights, tokens).logits.flatMap((row) => [...row]);

const SOME: LoraSettings = { rank: 2, alpha: 5, targets: ['v_proj', 'down_proj'], rslora: true };

describe.each(TINY_MODELS)('%s', (_name, bare) => {
  it.each([
    ['all targets', ALL_TARGETS],
    ['two targets, scaled by the square root of the rank', SOME],
  ])('computes what the merged weights compute: %s', async (_how, lora) => {
    const config = { ...bare, lora };
    const base = randomWeights(bare, 4);
    const weights = new Map([...base, ...randomAdapter(bare, lora, 5)]);
    const tokens = randomTokens(bare, 14, 1);
    const expected = flat(bare, mergedReference(bare, weights, lora), tokens);
    expect(worst(await forwardLogits(config, weights, tokens), expected)).toBeLessThan(1e-4);
    const cached = await runCached(config, weights, [tokens], [4, 1], 16);
    const { vocabSize } = bare;
    for (let t = 12; t < 14; t++) {
      const row = expected.slice(t * vocabSize, (t + 1) * vocabSize);
      expect(worst(cached.logits[0][t] ?? [], row)).toBeLessThan(1e-4);
    }
    // The adapter matters at all.
    expect(worst(expected, flat(bare, base, tokens))).toBeGreaterThan(1e-2);
  });

  it('merges to the weights of the definition', () => {
    const weights = randomWeights(bare, 4);
    const adapter = randomAdapter(bare, ALL_TARGETS, 5);
    const expected = mergedReference(bare, new Map([...weights, ...adapter]), ALL_TARGETS);
    mergeAdapter(weights, adapter, ALL_TARGETS);
    expect([...weights.keys()]).toEqual([...expected.keys()]);
    for (const [name, values] of weights) {
      expect(worst(values, expected.get(name) ?? []), name).toBeLessThan(1e-6);
    }
  });
});

it('pools hidden states with the adapter', async () => {
  const bare = tinyConfig('qwen3');
  const adapter = randomAdapter(bare, ALL_TARGETS, 5);
  const weights = new Map([...randomWeights(bare, 4), ...adapter]);
  const merged = randomWeights(bare, 4);
  mergeAdapter(merged, adapter, ALL_TARGETS);
  const texts = [{ tokens: randomTokens(bare, 9, 1), from: 3 }];
  const found = await new Representer({ ...bare, lora: ALL_TARGETS }, weights, CPU).represent(
    texts,
    'all',
  );
  const expected = await new Representer(bare, merged, CPU).represent(texts, 'all');
  expect(worst(found[0].mean, expected[0].mean)).toBeLessThan(1e-4);
  expect(worst(found[0].last, expected[0].last)).toBeLessThan(1e-4);
});

describe('a fresh adapter', () => {
  const config = tinyConfig('llama');
  const settings: LoraSettings = { ...ALL_TARGETS, rank: 16 };

  it('changes nothing, whatever A is', async () => {
    const base = randomWeights(config, 4);
    const tokens = randomTokens(config, 9, 1);
    const weights = new Map([...base, ...freshAdapter(config, settings, 1)]);
    const adapted = await forwardLogits({ ...config, lora: settings }, weights, tokens);
    expect(adapted).toEqual(await forwardLogits(config, base, tokens));
  });

  it('has an A that is uniform within one over the root of the inputs, and a B of zeros', () => {
    for (const [name, values] of freshAdapter(config, settings, 1)) {
      if (name.includes('lora_B')) {
        expect(values.every((x) => x === 0)).toBe(true);
        continue;
      }
      const [, input] = loraShapes(config, settings).get(name) ?? [];
      const bound = 1 / Math.sqrt(input);
      const sizes = values.map(Math.abs);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(bound);
      expect(Math.max(...sizes)).toBeGreaterThan(0.95 * bound);
      // Of a uniform distribution the mean size is half the bound.
      expect(sizes.reduce((a, b) => a + b) / sizes.length / bound).toBeCloseTo(0.5, 1);
    }
  });

  it('follows from the seed and the name alone', () => {
    const first = freshAdapter(config, settings, 1);
    const few = freshAdapter(config, { ...settings, targets: ['k_proj'] }, 1);
    for (const [name, values] of few) expect(values).toEqual(first.get(name));
    const name = 'base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight';
    expect(freshAdapter(config, settings, 2).get(name)).not.toEqual(first.get(name));
    const other = name.replace('layers.0', 'layers.1');
    expect(first.get(other)).not.toEqual(first.get(name));
  });
});

describe('shapes', () => {
  const config = tinyConfig('qwen3');

  it('are those of PEFT, in every layer', () => {
    const shapes = loraShapes(config, { ...SOME, targets: ['q_proj', 'down_proj'] });
    expect(Object.fromEntries([...shapes].slice(0, 4))).toEqual({
      'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight': [2, 24],
      'base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight': [32, 2],
      'base_model.model.model.layers.0.mlp.down_proj.lora_A.weight': [2, 20],
      'base_model.model.model.layers.0.mlp.down_proj.lora_B.weight': [24, 2],
    });
    expect(shapes.size).toBe(8);
  });

  it('of what is trained are the adapter where there is one, else all', () => {
    expect(trainableShapes(config)).toEqual(parameterShapes(config));
    expect(trainableShapes({ ...config, lora: SOME })).toEqual(loraShapes(config, SOME));
  });
});

it('scales by alpha over the rank, or over its root', () => {
  const settings = { rank: 16, alpha: 32, targets: ALL_TARGETS.targets };
  expect(loraScale({ ...settings, rslora: false })).toBe(2);
  expect(loraScale({ ...settings, rslora: true })).toBe(8);
});

it('brings targets into one order, each once', () => {
  expect(orderedTargets(['up_proj', 'q_proj', 'up_proj'])).toEqual(['q_proj', 'up_proj']);
});
