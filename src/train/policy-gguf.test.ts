/** A policy that starts from a GGUF file, and what it saves. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { randomWeights, tinyConfig } from '../../test/reference/models.ts';
import { loadWeights } from '../model/directory.ts';
import { modelMetadata, modelTensors, writeGguf } from '../model/testing/gguf-writer.ts';
import { goldenMetadata } from '../model/testing/golden-gguf.ts';
import type { Sampling } from '../rollout/types.ts';
import { Policy } from './policy.ts';

const root = mkdtempSync(join(tmpdir(), 'policy-gguf-'));
afterAll(() => rmSync(root, { recursive: true }));

const GREEDY: Sampling = {
  ...{ temperature: 0, topK: 0, topP: 1, minP: 0, maxTokens: 12, stop: [], seed: 1 },
  longPrompts: 'refuse',
};
const REQUESTS = ['17 + 28', 'How many apples?'].map((prompt, i) => ({
  ...{ promptId: `p${i}`, sample: 0, prompt },
}));

async function greedy(model: string, saveTo?: string): Promise<number[][]> {
  const policy = new Policy({
    model,
    engine: { provider: 'cpu', threads: 1 },
    batchSize: 2,
    chat: 'auto',
    optimizer: null,
    tokensPerMicroBatch: 256,
    adapter: null,
  });
  try {
    const responses = await policy.generate(REQUESTS, GREEDY);
    if (saveTo !== undefined) await policy.save(saveTo, false);
    return responses.map(({ promptTokens, tokens }) => [...promptTokens, ...tokens]);
  } finally {
    await policy.close();
  }
}

it('samples, and saves a directory from which the same is sampled', async () => {
  const config = tinyConfig('llama', { vocab_size: 320, max_position_embeddings: 96 });
  const gguf = join(root, 'tiny.gguf');
  const metadata = { ...modelMetadata('llama', config), ...goldenMetadata('bytes') };
  writeGguf(gguf, metadata, modelTensors(config, randomWeights(config, 4)));
  const saved = join(root, 'saved');
  const found = await greedy(gguf, saved);
  expect(found.map((ids) => ids.length > 12)).toEqual([true, true]);
  expect(await greedy(saved)).toEqual(found);
  expect(loadWeights(saved).weights).toEqual(loadWeights(gguf).weights);
});
