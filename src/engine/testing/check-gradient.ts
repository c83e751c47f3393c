/** Compares gradients of a small expression with central finite differences, in float32. */
import { stream } from '../../core/random.ts';
import { gradients } from '../autodiff.ts';
import { Graph } from '../graph.ts';
import { type EngineSettings, Program } from '../program.ts';
import { sizeOf } from '../tensor.ts';
import type { Case } from './vjp-cases.ts';

/** Exact in binary, so that x + h and x - h are h away from x for the inputs in use. */
const STEP = 2 ** -7;

export interface Checked {
  /** Operators of the expression, without those of the gradient. */
  ops: string[];
  /** Per input: largest difference of a coordinate, relative to the largest coordinate. */
  errors: number[];
}

/**
 * The loss is a random projection of the expression, added up in float64 outside the graph, so that
 * finite differences see the rounding of the operator alone.
 */
export async function checkCase(example: Case, engine: EngineSettings): Promise<Checked> {
  const g = new Graph();
  const inputs = example.shapes.map((shape, k) => g.input(`x${k}`, shape));
  const y = example.build(g, inputs);
  const ops = g.nodes.map((node) => node.op);
  const projection = g.input('projection', y.shape);
  g.output('y', y);
  const axes = y.shape.map((_, i) => i);
  const product = g.mul(y, projection);
  const loss = axes.length === 0 ? product : g.sum(product, axes);
  for (const [k, gradient] of gradients(g, loss, inputs).entries()) g.output(`g${k}`, gradient);

  const random = stream(7, example.name, JSON.stringify(example.shapes));
  const values = example.shapes.map((shape, k) =>
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
      const normal = Math.round(random.normal() * 256) / 256;
      return example.value?.(normal, k, i) ?? normal;
    }),
  );
  const weights = Float32Array.from({ length: sizeOf(y.shape) }, () => random.normal());
  const program = await Program.compile(g, engine);
  const call = program.bind({
    projection: weights,
    ...Object.fromEntries(values.map((v, k) => [`x${k}`, v])),
  });
  const project = async (): Promise<number> => {
    await call.run();
    return call.floats('y').reduce((sum, v, i) => sum + v * weights[i], 0);
  };
  await project();
  const analytic = values.map((_, k) => call.floats(`g${k}`).slice());
  const errors: number[] = [];
  for (const [k, value] of values.entries()) {
    const numeric = new Float64Array(value.length);
    for (let i = 0; i < value.length; i++) {
      const at = value[i];
      value[i] = at + STEP;
      const above = await project();
      value[i] = at - STEP;
      numeric[i] = (above - (await project())) / (2 * STEP);
      value[i] = at;
    }
    errors.push(worst(analytic[k], numeric));
  }
  await program.release();
  return { ops, errors };
}

/** Largest difference relative to the largest expected value; Infinity when there is a NaN. */
function worst(found: Float32Array, expected: Float64Array): number {
  const top = expected.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
  const differences = expected.map((v, i) => Math.abs(v - found[i]) / Math.max(top, 1e-3));
  const largest = Math.max(...differences);
  return Number.isNaN(largest) ? Number.POSITIVE_INFINITY : largest;
}
