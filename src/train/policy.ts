/** A policy in a worker thread, seen from the main thread. */
import { Remote } from '../engine/rpc.ts';
import type { TraceRequest } from '../model/attention-trace.ts';
import type { Layers, Representation, Text } from '../model/represent.ts';
import type { Response, Sampling } from '../rollout/types.ts';
import type { GivenResponse, GivenText, ReadResponse, Room } from './given.ts';
import type { Sequence } from './learner.ts';
import type { SurrogateSettings } from './loss.ts';
import type { methods, PolicyDescription, PolicyRequest, PolicySettings } from './policy-worker.ts';

export type { PolicyDescription, PolicyRequest, PolicySettings } from './policy-worker.ts';

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

  /**
   * One response per request, in order, of the policy or of its teacher. `onProgress` hears responses done
   * and tokens made.
   */
  async generate(
    requests: readonly PolicyRequest[],
    sampling: Sampling,
    trace?: TraceRequest,
    onProgress?: (done: number, tokens: number) => void,
    by: 'policy' | 'teacher' = 'policy',
  ): Promise<Response[]> {
    const argument = { requests, sampling, trace, by };
    const { rollouts, prompts } = await this.remote.call('generate', argument, onProgress);
    return rollouts.map((rollout, i) => ({ ...rollout, promptTokens: prompts[i] }));
  }

  /** Responses from elsewhere as token ids, in order; those that cannot be traced with the reason. */
  async readGiven(responses: readonly GivenResponse[], room: Room): Promise<ReadResponse[]> {
    return await this.remote.call('readGiven', { responses, room });
  }

  /**
   * Traces responses from elsewhere by prefill: what `generate` would have given, had it sampled them. `temperature` is
   * the one that they were sampled at. `onProgress` as there. RangeError where prompt and response are longer than the
   * context; `readGiven` says so before.
   */
  async traceGiven(
    texts: readonly GivenText[],
    temperature: number,
    trace: TraceRequest,
    room: Room = { maxTokens: 1, longPrompts: 'refuse' },
    onProgress?: (done: number, tokens: number) => void,
  ): Promise<Response[]> {
    return await this.remote.call('traceGiven', { texts, temperature, trace, room }, onProgress);
  }

  /** Hidden states of each text under the present weights: mean from `from` on, and last position. */
  async represent(texts: readonly Text[], layers: Layers): Promise<Representation[]> {
    return await this.remote.call('represent', { texts, layers });
  }

  /** Final hidden states of prompts, tokenised as for `generate`: at the last token, and their mean. */
  async promptFeatures(prompts: readonly PolicyRequest['prompt'][]): Promise<Representation[]> {
    return await this.remote.call('promptFeatures', { prompts });
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

  /** As a model directory, or as an adapter directory where an adapter is trained; `exact` for a checkpoint. */
  async save(
    directory: string,
    exact: boolean,
    by: 'policy' | 'teacher' = 'policy',
  ): Promise<void> {
    await this.remote.call('save', { directory, exact, by });
  }

  /** Writes the whole model, an adapter merged in, in the dtypes that the weights came in. */
  async saveMerged(directory: string, by: 'policy' | 'teacher' = 'policy'): Promise<void> {
    await this.remote.call('saveMerged', { directory, by });
  }

  async load(directory: string): Promise<void> {
    await this.remote.call('load', { directory });
  }

  /**
   * Moves the teacher towards the policy: decay * teacher + (1 - decay) * weights, decay 0..1. A teacher
   * begins as the weights that the run started from.
   */
  async teach(decay: number): Promise<void> {
    await this.remote.call('teach', { decay });
  }

  /** Whether `teach`, sampling or `loadTeacher` has made a teacher. */
  async hasTeacher(): Promise<boolean> {
    return await this.remote.call('hasTeacher', undefined);
  }

  /** Writes the teacher in float32; nothing where there is none. */
  async saveTeacher(path: string): Promise<void> {
    await this.remote.call('saveTeacher', { path });
  }

  /** Takes over what `saveTeacher` wrote; where there is no file, there is no teacher. */
  async loadTeacher(path: string): Promise<void> {
    await this.remote.call('loadTeacher', { path });
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
