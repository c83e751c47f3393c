/** Directory to logits: the whole way from files that transformers saved to the numbers it computes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Graph } from '../engine/graph.ts';
import { Program } from '../engine/program.ts';
import { logits, weightInputs } from './decoder.ts';
import { loadWeights } from './directory.ts';
import { forward } from './forward.ts';

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
  const queries = want.input_ids[0]?.length ?? 0;

  const g = new Graph();
  const inputs = weightInputs(g, config);
  const ids = g.input('ids', [batch * queries], 'int64');
  const hidden = forward(g, config, inputs, ids, { batch, queries });
  g.output('logits', logits(g, config, inputs, hidden));
  const program = await Program.compile(g, { provider: 'cpu', threads: 1 });
  const call = program.bind({
    ids: BigInt64Array.from(want.input_ids.flat(), BigInt),
    ...Object.fromEntries(weights),
  });
  await call.run();

  const got = call.floats('logits');
  const expected = want.logits.flat(2);
  expect(got.length).toBe(expected.length);
  const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - (got[i] ?? 1e9))), 0);
  expect(worst).toBeLessThan(1e-4); // logits of size 6, float32 on both sides
  await program.release();
});
