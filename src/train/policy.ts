/** A policy in a worker thread, seen from the main thread. */
import { Remote } from '../engine/rpc.ts';
import type { TraceRequest } from '../model/attention-trace.ts';
import type { Rollout, Sampling } from '../rollout/types.ts';
import type { Sequence } from './learner.ts';
import type { SurrogateSettings } from './loss.ts';
import type { methods, PolicyDescription, PolicyRequest, PolicySettings } from './policy-worker.ts';

export type { PolicyDescription, PolicyRequest, PolicySettings } from './policy-worker.ts';

/** A response with the token ids of its prompt. */
export interface Response extends Rollout {
  promptTokens: readonly number[];
}

export interface StepSums {
  loss: number;
  clipped: number;
  kl: number;
  gradNorm: number;
  lr: number;
}

export class Policy {
  private readonly remote: Remote<typeof methods>;

  /** Starts the thread; a model that cannot be loaded is reported by the first call. */
  constructor(settings: PolicySettings) {
    this.remote = new Remote(new URL('./policy-worker.ts', import.meta.url), settings);
  }

  async describe(): Promise<PolicyDescription> {
    return await this.remote.call('describe', undefined);
  }

  /** UserError for the first prompt that is empty or leaves no room for a response. */
  async check(
    prompts: readonly Omit<PolicyRequest, 'sample'>[],
    sampling: Sampling,
  ): Promise<void> {
    await this.remote.call('check', { prompts, sampling });
  }

  /** One response per request, in order. `onProgress` hears responses done and tokens made. */
  async generate(
    requests: readonly PolicyRequest[],
    sampling: Sampling,
    trace?: TraceRequest,
    onProgress?: (done: number, tokens: number) => void,
  ): Promise<Response[]> {
    const argument = { requests, sampling, trace };
    const { rollouts, prompts } = await this.remote.call('generate', argument, onProgress);
    return rollouts.map((rollout, i) => ({ ...rollout, promptTokens: prompts[i] }));
  }

  async referenceLogprobs(
    sequences: readonly Sequence[],
    temperature: number,
  ): Promise<Float32Array[]> {
    return await this.remote.call('referenceLogprobs', { sequences, temperature });
  }

  async step(sequences: readonly Sequence[], surrogate: SurrogateSettings): Promise<StepSums> {
    return await this.remote.call('step', { sequences, surrogate });
  }

  async save(directory: string, exact: boolean): Promise<void> {
    await this.remote.call('save', { directory, exact });
  }

  async load(directory: string): Promise<void> {
    await this.remote.call('load', { directory });
  }

  async saveOptimizer(path: string): Promise<void> {
    await this.remote.call('saveOptimizer', { path });
  }

  async loadOptimizer(path: string): Promise<void> {
    await this.remote.call('loadOptimizer', { path });
  }

  async close(): Promise<void> {
    await this.remote.close();
  }
}
