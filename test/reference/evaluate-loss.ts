/** Runs a loss graph once on accumulators of zeros: its sums and gradients. */
import { gradientOf, next } from '../../src/engine/adamw.ts';
import type { Graph } from '../../src/engine/graph.ts';
import { type EngineSettings, Program } from '../../src/engine/program.ts';
import type { TensorData } from '../../src/engine/tensor.ts';
import { feed, type Sequence } from '../../src/train/learner.ts';
import type { MicroBatch } from '../../src/train/loss.ts';

export interface LossOutcome {
  /** Those of `loss`, `clipped` and `kl` that the graph has. */
  scalars: Record<string, number>;
  gradients: Map<string, Float32Array>;
}

export async function evaluateLoss(
  graph: Graph,
  extent: MicroBatch,
  weights: ReadonlyMap<string, Float32Array>,
  sequences: readonly Sequence[],
  engine: EngineSettings,
  trained: readonly string[] = [...weights.keys()],
): Promise<LossOutcome> {
  const program = await Program.compile(graph, engine);
  const arrays: Record<string, TensorData> = {
    ...Object.fromEntries(weights),
    ...feed(extent, sequences, program.inputNames),
  };
  for (const name of trained) {
    arrays[gradientOf(name)] = new Float32Array(weights.get(name)?.length ?? 0);
  }
  const call = program.bind(arrays);
  await call.run();
  const scalars = Object.fromEntries(
    ['loss', 'clipped', 'kl']
      .filter((name) => program.outputNames.includes(name))
      .map((name) => [name, call.floats(name)[0]]),
  );
  const gradients = new Map(
    trained.map((name) => [name, call.floats(next(gradientOf(name))).slice()]),
  );
  await program.release();
  return { scalars, gradients };
}
