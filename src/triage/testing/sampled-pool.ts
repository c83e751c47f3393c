/** Pools of prompts whose pass rate is a logistic function of what is known of them, for tests of the scheduler. */
import { stream } from '../../core/random.ts';
import type {
  PromptMemory,
  SchedulerPrompt,
  SchedulerSettings,
  Visit,
} from '../scheduler-types.ts';
import type { PromptState } from '../types.ts';

/** All of them, so that a change of what is usual leaves the tests as they are. */
export const settings: Readonly<SchedulerSettings> = {
  ...{ labels: 100, warmupGroups: 32, reach: 1, noise: 0.2, decay: 0.98, memory: 512 },
  ...{ power: 5, uniform: 0.05, explore: 0.02, agreeShare: 0.85 },
  ...{ leaveBelow: 0.03, returnAbove: 0.06 },
};

export interface SampledPrompt {
  promptId: string;
  features: Float64Array;
  /** What its traces say; says nothing that the features say. */
  traced: number[];
  /** True pass rate. */
  mu: number;
}

export interface PoolShape {
  /** Logits per feature and per number of a trace; both standard normal. */
  byFeature?: readonly number[];
  byTrace?: readonly number[];
  intercept?: number;
}

/** `n` prompts p0, p1, ... with mu = sigmoid(intercept + byFeature x + byTrace t). */
export function sampledPool(
  n: number,
  seed: number,
  { byFeature = [2, -1, 0.5], byTrace = [], intercept = 0 }: PoolShape = {},
): SampledPrompt[] {
  const random = stream(seed, 'sampled pool');
  const normals = (count: number) => Float64Array.from({ length: count }, () => random.normal());
  return Array.from({ length: n }, (_, i) => {
    const features = normals(byFeature.length);
    const traced = [...normals(byTrace.length)];
    let logit = intercept;
    for (const [j, weight] of byFeature.entries()) logit += weight * features[j];
    for (const [j, weight] of byTrace.entries()) logit += weight * traced[j];
    return { promptId: `p${i}`, features, traced, mu: 1 / (1 + Math.exp(-logit)) };
  });
}

/** Right answers among `samples` rollouts of a prompt at this step. */
export function rightOf({ promptId, mu }: SampledPrompt, step: number, samples: number): number {
  const random = stream(7, 'right', promptId, step);
  return Array.from({ length: samples }, () => Number(random.uniform() < mu)).reduce(
    (sum, one) => sum + one,
    0,
  );
}

/** What a labelled group of 8 shows of a prompt; wrong answers are all different. */
export function visitTo(prompt: SampledPrompt, step: number): Visit & { passRate: number } {
  const right = rightOf(prompt, step, 8);
  return {
    ...{ promptId: prompt.promptId, samples: 8, passRate: right / 8 },
    voteShare: Math.max(right, Math.min(1, 8 - right)) / 8,
  };
}

export function memoryOf(promptId: string, over: Partial<PromptMemory> = {}): PromptMemory {
  return {
    ...{ promptId, state: 'self', visits: 0, hits: 0, misses: 0, seen: -1, verified: false },
    ...{ owned: false, refused: false, traced: null },
    ...over,
  };
}

/** The pool as a scheduler begins with it: all in `state`, without traces. */
export function begun(
  pool: readonly SampledPrompt[],
  state: PromptState = 'new',
): SchedulerPrompt[] {
  return pool.map(({ promptId, features }) => ({ promptId, features, state }));
}
