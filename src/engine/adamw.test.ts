import { describe, expect, it } from 'vitest';
import { stream } from '../core/random.ts';
import {
  adamwGraph,
  firstMoment,
  gradientOf,
  next,
  type OptimizerSettings,
  secondMoment,
} from './adamw.ts';
import { Program } from './program.ts';
import { sizeOf, type TensorData } from './tensor.ts';

const SETTINGS: OptimizerSettings = {
  lr: 0.01,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weightDecay: 0.1,
  maxGradNorm: 1,
  warmupSteps: 0,
  schedule: 'constant',
  totalSteps: 0,
  minLrRatio: 0,
};
const SHAPES = new Map([
  ['matrix', [4, 3]],
  ['norm', [5]],
]);

function randomArrays(seed: number, step: number, scale: number): Map<string, Float32Array> {
  return new Map(
    [...SHAPES].map(([name, shape]) => {
      const random = stream(seed, name, step);
      return [name, Float32Array.from({ length: sizeOf(shape) }, () => scale * random.normal())];
    }),
  );
}

interface Trajectory {
  weights: Map<string, ArrayLike<number>>;
  norms: number[];
  rates: number[];
}

/** Gradients whose norm lies now below, now above the clipping norm. */
const gradientsAt = (step: number) => randomArrays(2, step, step % 3 === 0 ? 2 : 0.05);

async function engine(settings: OptimizerSettings, steps: number): Promise<Trajectory> {
  const program = await Program.compile(adamwGraph(SHAPES, settings), {
    provider: 'cpu',
    threads: 1,
  });
  const weights = randomArrays(1, 0, 1);
  const arrays: Record<string, TensorData> = { step: new Float32Array(1) };
  for (const [name, data] of weights) {
    arrays[gradientOf(name)] = new Float32Array(data.length);
    for (const [key, state] of [
      [name, data],
      [firstMoment(name), new Float32Array(data.length)],
      [secondMoment(name), new Float32Array(data.length)],
    ] as const) {
      arrays[key] = state;
      arrays[next(key)] = state;
    }
  }
  const call = program.bind(arrays);
  const norms: number[] = [];
  const rates: number[] = [];
  for (let step = 1; step <= steps; step++) {
    arrays.step[0] = step;
    for (const [name, data] of gradientsAt(step)) Object.assign(arrays[gradientOf(name)], data);
    await call.run();
    norms.push(call.floats('grad_norm')[0]);
    rates.push(call.floats('lr')[0]);
  }
  await program.release();
  return { weights, norms, rates };
}

/** Loshchilov and Hutter's algorithm 2 in float64, with the schedule and the clip written out. */
function plain(settings: OptimizerSettings, steps: number): Trajectory {
  const { beta1, beta2, eps, weightDecay, maxGradNorm } = settings;
  const weights = new Map(
    [...randomArrays(1, 0, 1)].map(([name, data]) => [name, Float64Array.from(data)]),
  );
  const m = new Map([...weights].map(([name, data]) => [name, new Float64Array(data.length)]));
  const v = new Map([...weights].map(([name, data]) => [name, new Float64Array(data.length)]));
  const norms: number[] = [];
  const rates: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const gradients = gradientsAt(step);
    const norm = Math.hypot(...[...gradients.values()].flatMap((g) => [...g]));
    const clip = norm > maxGradNorm ? maxGradNorm / norm : 1;
    const lr = rateAt(settings, step);
    for (const [name, w] of weights) {
      const decay = name === 'matrix' ? lr * weightDecay : 0;
      const [mean, square] = [m.get(name) ?? w, v.get(name) ?? w];
      for (const [i, raw] of (gradients.get(name) ?? w).entries()) {
        const g = raw * clip;
        mean[i] = beta1 * mean[i] + (1 - beta1) * g;
        square[i] = beta2 * square[i] + (1 - beta2) * g * g;
        const mHat = mean[i] / (1 - beta1 ** step);
        const vHat = square[i] / (1 - beta2 ** step);
        w[i] -= decay * w[i] + (lr * mHat) / (Math.sqrt(vHat) + eps);
      }
    }
    norms.push(norm);
    rates.push(lr);
  }
  return { weights, norms, rates };
}

function rateAt(settings: OptimizerSettings, step: number): number {
  const { lr, warmupSteps, schedule, totalSteps, minLrRatio } = settings;
  if (step < warmupSteps) return (lr * step) / warmupSteps;
  if (schedule === 'constant') return lr;
  if (step >= totalSteps) return lr * minLrRatio;
  const done = (step - warmupSteps) / (totalSteps - warmupSteps);
  return lr * (minLrRatio + ((1 - minLrRatio) * (1 + Math.cos(Math.PI * done))) / 2);
}

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, within: number) {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < found.length; i++) {
    expect(Math.abs(found[i] - expected[i])).toBeLessThan(within);
  }
}

describe('adamwGraph', () => {
  const cases: [string, Partial<OptimizerSettings>][] = [
    ['a constant rate', {}],
    ['no decay', { weightDecay: 0 }],
    ['no clipping in reach', { maxGradNorm: 1e6 }],
    ['warm-up', { warmupSteps: 7 }],
    ['cosine', { schedule: 'cosine', totalSteps: 20, minLrRatio: 0.1 }],
    [
      'warm-up, cosine, steps beyond its end',
      { warmupSteps: 4, schedule: 'cosine', totalSteps: 15 },
    ],
  ];
  it.each(cases)('follows a plain float64 AdamW over 20 steps: %s', async (_name, changes) => {
    const settings = { ...SETTINGS, ...changes };
    const [found, expected] = [await engine(settings, 20), plain(settings, 20)];
    expectClose(found.norms, expected.norms, 1e-5);
    expectClose(found.rates, expected.rates, 1e-8);
    for (const [name, data] of expected.weights) {
      expectClose(found.weights.get(name) ?? [], data, 1e-5);
    }
  });

  it('decays matrices and leaves norms and biases alone', async () => {
    const strong = plain({ ...SETTINGS, weightDecay: 5 }, 20);
    const found = await engine({ ...SETTINGS, weightDecay: 5 }, 20);
    const without = await engine({ ...SETTINGS, weightDecay: 0 }, 20);
    expect(found.weights.get('norm')).toEqual(without.weights.get('norm'));
    expectClose(found.weights.get('matrix') ?? [], strong.weights.get('matrix') ?? [], 1e-5);
  });
});
