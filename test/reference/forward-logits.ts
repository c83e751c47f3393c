/** Runs the full forward graph of a decoder once, without a cache, the way training does. */
import { Graph } from '../../src/engine/graph.ts';
import { type EngineSettings, Program } from '../../src/engine/program.ts';
import type { DecoderConfig } from '../../src/model/config.ts';
import { logits, weightInputs } from '../../src/model/decoder.ts';
import { forward } from '../../src/model/forward.ts';

/**
 * Logits of the token after each of `tokens`, [tokens * vocabSize]. `tokens` are `batch` rows of the same length, one
 * after the other. Where `config` has an adapter, its matrices are among the weights.
 */
export async function forwardLogits(
  config: DecoderConfig,
  weights: ReadonlyMap<string, Float32Array>,
  tokens: ArrayLike<number>,
  {
    batch = 1,
    engine = { provider: 'cpu', threads: 1 },
  }: { batch?: number; engine?: EngineSettings } = {},
): Promise<Float32Array> {
  const g = new Graph();
  const inputs = weightInputs(g, config);
  const ids = g.input('ids', [tokens.length], 'int64');
  const hidden = forward(g, config, inputs, ids, { batch, queries: tokens.length / batch });
  g.output('logits', logits(g, config, inputs, hidden));
  const program = await Program.compile(g, engine);
  const arrays = { ...Object.fromEntries(weights), ids: BigInt64Array.from(tokens, BigInt) };
  const call = program.bind(arrays);
  await call.run();
  await program.release();
  return call.floats('logits');
}
