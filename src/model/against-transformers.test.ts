/** Directory to logits: the whole way from files that transformers saved to the numbers it computes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { forwardLogits } from '../../test/reference/forward-logits.ts';
import { loadWeights } from './directory.ts';

interface Expected {
  input_ids: number[][];
  logits: number[][][];
}

it.each([
  ['llama', 'llama3 rope, biases everywhere'],
  ['qwen2', 'sharded, q/k/v biases, untied head'],
  ['qwen3', 'yarn, head norms, wide heads, tied head'],
])('%s: %s', async (family) => {
  const directory = fileURLToPath(new URL(`../../test/golden/models/${family}`, import.meta.url));
  const { config, weights } = loadWeights(directory);
  const want = JSON.parse(readFileSync(join(directory, 'expected.json'), 'utf8')) as Expected;
  const batch = want.input_ids.length;
  const got = await forwardLogits(config, weights, want.input_ids.flat(), { batch });
  const expected = want.logits.flat(2);
  expect(got.length).toBe(expected.length);
  const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - (got[i] ?? 1e9))), 0);
  expect(worst).toBeLessThan(1e-4); // logits of size 6, float32 on both sides
});
