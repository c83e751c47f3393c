/**
 * Batched sampling with a key/value cache and continuous batching: a row whose response has ended is
 * given to the next request at once, so that batches stay full.
 *
 * A response depends on its request, the sampling settings and the weights alone: not on the order or the
 * number of requests. Knows nothing of rewards. It runs on the thread that it is called on.
 */
import { UserError } from '../core/errors.ts';
import { type RandomStream, stream } from '../core/random.ts';
import type { EngineSettings } from '../engine/program.ts';
import type { TraceRequest } from '../model/attention-trace.ts';
import type { DecoderConfig } from '../model/config.ts';
import type { Tokenizer } from '../model/tokenizer.ts';
import { DecoderBatch } from './decoder-batch.ts';
import { Prefill, type PromptCache } from './kv-cache.ts';
import { TokenSampler } from './sampling.ts';
import { TraceRecorder } from './trace-recorder.ts';
import type { Rollout, RolloutRequest, Sampling } from './types.ts';

/** Caches come in multiples of this many tokens, so that most requests share a batch. */
const CAPACITY_STEP = 64;

export interface SamplerOptions {
  engine: EngineSettings;
  /** Rows that are decoded together. Results do not depend on it. */
  batchSize: number;
}

/** A request in a row of the batch. */
interface Active {
  index: number;
  request: RolloutRequest;
  prompt: readonly number[];
  random: RandomStream;
  tokens: number[];
  logprobs: number[];
  entropies: number[];
  selfCertainty: number[];
  finish: Rollout['finish'] | undefined;
  text: string | undefined;
  recorder: TraceRecorder | undefined;
}

interface Engines {
  prefill: Prefill;
  batch: DecoderBatch;
}

export class Sampler {
  private readonly config: DecoderConfig;
  private readonly weights: ReadonlyMap<string, Float32Array>;
  private readonly tokenizer: Tokenizer;
  private readonly options: SamplerOptions;
  private readonly engines = new Map<string, Promise<Engines>>();

  /** `weights` are read in place: a learner may change them between calls. */
  constructor(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    tokenizer: Tokenizer,
    options: SamplerOptions,
  ) {
    this.config = config;
    this.weights = weights;
    this.tokenizer = tokenizer;
    this.options = options;
  }

  /**
   * One response per request, in their order. `onProgress` hears how many responses are done and how
   * many tokens were made so far. Throws UserError for a prompt that is empty or too long.
   */
  async generate(
    requests: readonly RolloutRequest[],
    sampling: Sampling,
    trace?: TraceRequest,
    onProgress?: (done: number, tokens: number) => void,
  ): Promise<Rollout[]> {
    const prompts = requests.map((request) => this.fit(request, sampling));
    const byCapacity = new Map<number, number[]>();
    for (const [index, prompt] of prompts.entries()) {
      const needed = Math.min(prompt.length + sampling.maxTokens, this.config.maxPositions);
      const capacity = Math.ceil(needed / CAPACITY_STEP) * CAPACITY_STEP;
      byCapacity.set(capacity, [...(byCapacity.get(capacity) ?? []), index]);
    }
    const results: Rollout[] = [];
    let done = 0;
    let tokens = 0;
    for (const [capacity, indices] of [...byCapacity].sort(([a], [b]) => a - b)) {
      const engines = await this.prepare(capacity, trace);
      const run = new Run(engines, this.config, this.tokenizer, sampling, (active, rollout) => {
        results[active.index] = rollout;
        done += 1;
        tokens += rollout.tokens.length;
        onProgress?.(done, tokens);
      });
      await run.all(
        indices.map((index) => ({
          index,
          request: requests[index],
          prompt: prompts[index],
          key: prompts[index].join(),
        })),
      );
    }
    return results;
  }

  /** UserError for a prompt that `generate` would refuse. */
  check(request: RolloutRequest, sampling: Sampling): void {
    this.fit(request, sampling);
  }

  /** The prompt's tokens, cut to its last ones where the settings say so. */
  private fit(request: RolloutRequest, { maxTokens, longPrompts }: Sampling): readonly number[] {
    const { promptTokens: tokens, promptId } = request;
    const room = this.config.maxPositions - maxTokens;
    if (tokens.length === 0) {
      throw new UserError({
        wanted: 'a prompt with at least one token',
        found: 'none',
        where: `prompt ${promptId}`,
      });
    }
    if (room < 1) {
      throw new UserError({
        wanted: `rollout.max_tokens below the context of ${this.config.maxPositions}`,
        found: `${maxTokens}`,
        where: 'rollout.max_tokens',
      });
    }
    if (tokens.length <= room) return tokens;
    if (longPrompts === 'cut') return tokens.slice(tokens.length - room);
    throw new UserError({
      wanted: `a prompt of at most ${room} tokens (context ${this.config.maxPositions} less rollout.max_tokens ${maxTokens})`,
      found: `${tokens.length} tokens`,
      where: `prompt ${promptId}`,
      fix: 'Lower rollout.max_tokens, leave the prompt out, or set rollout.long_prompts to cut.',
    });
  }

  private async prepare(capacity: number, trace: TraceRequest | undefined): Promise<Engines> {
    const key = JSON.stringify([capacity, trace]);
    const found = this.engines.get(key);
    if (found !== undefined) return await found;
    const { engine } = this.options;
    // One row alone takes the runtime's matrix-vector path, which adds up in another order.
    const batchSize = Math.max(2, this.options.batchSize);
    const made = Promise.all([
      Prefill.create(this.config, this.weights, capacity, engine),
      DecoderBatch.create(this.config, this.weights, batchSize, capacity, trace, engine),
    ]).then(([prefill, batch]) => ({ prefill, batch }));
    this.engines.set(key, made);
    return await made;
  }
}

interface Waiting {
  index: number;
  request: RolloutRequest;
  prompt: readonly number[];
  /** Equal for equal prompts, whose cache is computed once. */
  key: string;
}

/** One call of `generate` at one capacity. */
class Run {
  private readonly engines: Engines;
  private readonly tokenizer: Tokenizer;
  private readonly sampling: Sampling;
  private readonly sampler: TokenSampler;
  private readonly vocabSize: number;
  private readonly maxPositions: number;
  private readonly eos: ReadonlySet<number>;
  private readonly finished: (active: Active, rollout: Rollout) => void;
  private readonly rows: (Active | undefined)[];
  private readonly caches = new Map<string, PromptCache>();
  /** Requests that still need the cache of a prompt. */
  private readonly uses = new Map<string, number>();
  private queue: readonly Waiting[] = [];
  private taken = 0;

  constructor(
    engines: Engines,
    config: DecoderConfig,
    tokenizer: Tokenizer,
    sampling: Sampling,
    finished: (active: Active, rollout: Rollout) => void,
  ) {
    this.engines = engines;
    this.tokenizer = tokenizer;
    this.sampling = sampling;
    this.sampler = new TokenSampler(sampling, config.vocabSize);
    this.vocabSize = config.vocabSize;
    this.maxPositions = config.maxPositions;
    this.eos = new Set(tokenizer.eosIds);
    this.finished = finished;
    this.rows = new Array<Active | undefined>(engines.batch.size).fill(undefined);
  }

  async all(waiting: readonly Waiting[]): Promise<void> {
    this.queue = waiting;
    this.taken = 0;
    for (const { key } of waiting) this.uses.set(key, (this.uses.get(key) ?? 0) + 1);
    for (;;) {
      await this.refill();
      const occupied = [...this.rows.keys()].filter((row) => this.rows[row] !== undefined);
      if (occupied.length === 0) return;
      await this.engines.batch.step(occupied);
      for (const row of occupied) this.advance(row);
    }
  }

  /** Gives empty rows to the requests that wait. */
  private async refill(): Promise<void> {
    const { batch } = this.engines;
    for (const [row, active] of this.rows.entries()) {
      if (active !== undefined || this.taken === this.queue.length) continue;
      const next = this.queue[this.taken];
      const cache = await this.cacheOf(next);
      this.taken += 1;
      batch.occupy(row, cache);
      batch.feed(row, next.prompt[next.prompt.length - 1]);
      this.rows[row] = this.start(next);
    }
  }

  /** The prompt's cache: kept from an earlier request, or prefilled with the next prompts that wait. */
  private async cacheOf({ key }: Waiting): Promise<PromptCache> {
    if (!this.caches.has(key)) await this.prefillNext();
    const cache = this.caches.get(key);
    if (cache === undefined) throw new Error('a prefilled prompt has no cache');
    const left = (this.uses.get(key) ?? 1) - 1;
    this.uses.set(key, left);
    if (left === 0) this.caches.delete(key);
    return cache;
  }

  private async prefillNext(): Promise<void> {
    const prompts = new Map<string, readonly number[]>();
    for (let i = this.taken; i < this.queue.length; i++) {
      const { key, prompt } = this.queue[i];
      if (!this.caches.has(key)) prompts.set(key, prompt);
      if (prompts.size === this.engines.prefill.promptsAtOnce) break;
    }
    const caches = await this.engines.prefill.run([...prompts.values()]);
    for (const [i, key] of [...prompts.keys()].entries()) this.caches.set(key, caches[i]);
  }

  private start({ index, request, prompt }: Waiting): Active {
    const { trace } = this.engines.batch;
    return {
      index,
      request,
      prompt,
      random: stream(this.sampling.seed, 'rollout', request.promptId, request.sample),
      tokens: [],
      logprobs: [],
      entropies: [],
      selfCertainty: [],
      finish: undefined,
      text: undefined,
      recorder: trace === undefined ? undefined : new TraceRecorder(trace),
    };
  }

  /** Takes what the last step says about the row: trace of the token fed, then the next token. */
  private advance(row: number): void {
    const active = this.rows[row];
    if (active === undefined) return;
    const { batch } = this.engines;
    if (active.tokens.length > 0) active.recorder?.record(batch, row);
    if (active.finish === undefined) {
      this.draw(active, row);
      batch.feed(row, active.tokens[active.tokens.length - 1]);
    } else {
      this.end(active, row);
      return;
    }
    // Without a trace there is no need to feed the last token.
    if (active.finish !== undefined && active.recorder === undefined) this.end(active, row);
  }

  private draw(active: Active, row: number): void {
    const draw = this.sampler.draw(this.engines.batch.logits, row * this.vocabSize, active.random);
    active.tokens.push(draw.token);
    active.logprobs.push(draw.logprob);
    active.entropies.push(draw.entropy);
    active.selfCertainty.push(draw.selfCertainty);
    const room = Math.min(this.sampling.maxTokens, this.maxPositions - active.prompt.length);
    if (this.eos.has(draw.token) || this.stops(active)) active.finish = 'stop';
    else if (active.tokens.length >= room) active.finish = 'length';
  }

  /** Whether the text now holds a stop string; it is cut before the first. */
  private stops(active: Active): boolean {
    if (this.sampling.stop.length === 0) return false;
    const text = this.tokenizer.decode(active.tokens);
    const places = this.sampling.stop.map((s) => text.indexOf(s)).filter((at) => at >= 0);
    if (places.length === 0) return false;
    active.text = text.slice(0, Math.min(...places));
    return true;
  }

  private end(active: Active, row: number): void {
    const { batch } = this.engines;
    const { request, prompt, recorder } = active;
    const rollout: Rollout = {
      promptId: request.promptId,
      sample: request.sample,
      promptLength: prompt.length,
      tokens: Int32Array.from(active.tokens),
      text: active.text ?? this.tokenizer.decode(active.tokens),
      logprobs: Float32Array.from(active.logprobs),
      entropies: Float32Array.from(active.entropies),
      selfCertainty: Float32Array.from(active.selfCertainty),
      finish: active.finish ?? 'length',
    };
    if (recorder !== undefined) rollout.trace = recorder.finish(batch, row, prompt.length);
    this.rows[row] = undefined;
    batch.vacate(row);
    this.finished(active, rollout);
  }
}
