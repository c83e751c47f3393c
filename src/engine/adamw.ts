/**
 * AdamW with decoupled decay (Loshchilov and Hutter, arXiv 1711.05101), global-norm clipping and the
 * learning-rate schedule, as one graph.
 *
 * Every parameter, moment and gradient is an input; parameters and moments are outputs under `next.`,
 * meant to be bound to the arrays of the inputs. That is safe: the norm reads every gradient before any
 * output is written, and each output depends on its own inputs element by element.
 */
import { Graph } from './graph.ts';
import type { Tensor } from './tensor.ts';

export interface OptimizerSettings {
  /** Peak learning rate. */
  lr: number;
  beta1: number;
  beta2: number;
  eps: number;
  /** Decay per step is lr times this; applied to matrices only, not to norms and biases. */
  weightDecay: number;
  /** The gradient is scaled down to this global norm. */
  maxGradNorm: number;
  /** Steps of linear warm-up; 0 for none. */
  warmupSteps: number;
  schedule: 'constant' | 'cosine';
  /** Step at which the cosine ends; ignored by `constant`. */
  totalSteps: number;
  /** Share of the peak that the cosine ends at. */
  minLrRatio: number;
}

export const gradientOf = (parameter: string): string => `grad.${parameter}`;
export const firstMoment = (parameter: string): string => `m.${parameter}`;
export const secondMoment = (parameter: string): string => `v.${parameter}`;
export const next = (name: string): string => `next.${name}`;

/**
 * Inputs: `step` float32 [1] (1 for the first update); per parameter NAME: NAME, `grad.NAME`, `m.NAME`,
 * `v.NAME`. Outputs: `next.NAME`, `next.m.NAME`, `next.v.NAME`, `grad_norm` [1] (before clipping), `lr` [1].
 */
export function adamwGraph(
  shapes: ReadonlyMap<string, readonly number[]>,
  settings: OptimizerSettings,
): Graph {
  const g = new Graph();
  const { beta1, beta2, eps, weightDecay, maxGradNorm } = settings;
  const step = g.input('step', [1]);
  const lr = learningRate(g, step, settings);
  const gradients = new Map(
    [...shapes].map(([name, shape]) => [name, g.input(gradientOf(name), shape)]),
  );
  const norm = globalNorm(g, [...gradients.values()]);
  const clip = g.min(g.scalar(1), g.div(g.scalar(maxGradNorm), g.add(norm, g.scalar(1e-6))));
  const debias = (beta: number) => g.sub(g.scalar(1), g.exp(g.scale(step, Math.log(beta))));
  const rate = g.div(lr, debias(beta1));
  const secondDebias = g.reciprocal(debias(beta2));
  const keep = g.sub(g.scalar(1), g.scale(lr, weightDecay));

  for (const [name, shape] of shapes) {
    const parameter = g.input(name, shape);
    const gradient = g.mul(gradients.get(name) ?? parameter, clip);
    const m = g.add(
      g.scale(g.input(firstMoment(name), shape), beta1),
      g.scale(gradient, 1 - beta1),
    );
    const v = g.add(
      g.scale(g.input(secondMoment(name), shape), beta2),
      g.scale(g.mul(gradient, gradient), 1 - beta2),
    );
    const update = g.div(g.mul(m, rate), g.add(g.sqrt(g.mul(v, secondDebias)), g.scalar(eps)));
    const decayed = shape.length > 1 && weightDecay > 0 ? g.mul(parameter, keep) : parameter;
    g.output(next(name), g.sub(decayed, update));
    g.output(next(firstMoment(name)), m);
    g.output(next(secondMoment(name)), v);
  }
  g.output('grad_norm', norm);
  g.output('lr', lr);
  return g;
}

/** Linear warm-up, then constant or cosine down to minLrRatio. */
function learningRate(g: Graph, step: Tensor, settings: OptimizerSettings): Tensor {
  const { lr, warmupSteps, schedule, totalSteps, minLrRatio } = settings;
  const warm = g.min(g.scalar(1), g.scale(step, 1 / Math.max(1, warmupSteps)));
  if (schedule === 'constant') return g.scale(warm, lr);
  const span = Math.max(1, totalSteps - warmupSteps);
  const done = g.min(
    g.scalar(1),
    g.max(g.scalar(0), g.scale(g.sub(step, g.scalar(warmupSteps)), 1 / span)),
  );
  const wave = g.node('Cos', [g.scale(done, Math.PI)]);
  const cosine = g.add(g.scalar((1 + minLrRatio) / 2), g.scale(wave, (1 - minLrRatio) / 2));
  return g.scale(g.mul(warm, cosine), lr);
}

function globalNorm(g: Graph, gradients: readonly Tensor[]): Tensor {
  const squares = gradients.map((x) => {
    const flat = g.reshape(x, [x.shape.reduce((a, b) => a * b, 1)]);
    return g.sum(g.mul(flat, flat), [0]);
  });
  return g.sqrt(squares.reduce((a, b) => g.add(a, b)));
}
