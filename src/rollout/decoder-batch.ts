/**
 * The batch that decodes: `size` rows with a cache each, all advanced by one token per step.
 *
 * A row's numbers depend on its own content alone (shapes are fixed, empty rows compute garbage that
 * nobody reads), so that what else is in the batch never changes a result.
 */
import { type EngineSettings, Program } from '../engine/program.ts';
import type { TensorData } from '../engine/tensor.ts';
import {
  LAST_ROW,
  nextState,
  RECEIVED,
  RESPONSE_END,
  RESPONSE_START,
  signalOutput,
  type TraceRequest,
} from '../model/attention-trace.ts';
import { cachedGraph, newKeys, newValues } from '../model/cached.ts';
import type { DecoderConfig } from '../model/config.ts';
import { type CacheArrays, cacheArrays, cacheBindings, type PromptCache } from './kv-cache.ts';

export class DecoderBatch {
  readonly size: number;
  readonly capacity: number;
  readonly trace: TraceRequest | undefined;
  private readonly config: DecoderConfig;
  private readonly cache: CacheArrays;
  private readonly ids: BigInt64Array;
  private readonly start: BigInt64Array;
  private readonly responseStart: BigInt64Array;
  private readonly states = new Map<string, Float32Array>();
  private readonly call: ReturnType<Program['bind']>;

  private constructor(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    size: number,
    capacity: number,
    trace: TraceRequest | undefined,
    program: Program,
  ) {
    this.config = config;
    this.size = size;
    this.capacity = capacity;
    this.trace = trace;
    this.cache = cacheArrays(config, size, capacity);
    this.ids = new BigInt64Array(size);
    this.start = new BigInt64Array(size);
    this.responseStart = new BigInt64Array(size);
    this.call = program.bind({
      ...Object.fromEntries(weights),
      ...cacheBindings(this.cache),
      ...this.stateBindings(program.inputNames),
      ids: this.ids,
      start: this.start,
    });
  }

  static async create(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    size: number,
    capacity: number,
    trace: TraceRequest | undefined,
    engine: EngineSettings,
  ): Promise<DecoderBatch> {
    const graph = cachedGraph(config, { batch: size, queries: 1, capacity }, trace);
    const program = await Program.compile(graph, engine);
    return new DecoderBatch(config, weights, size, capacity, trace, program);
  }

  /** Puts a prompt into a row; the row's first step feeds the prompt's last token. */
  occupy(row: number, prompt: PromptCache): void {
    const { kvHeads, headDim } = this.config;
    const width = prompt.length * headDim;
    for (const side of ['keys', 'values'] as const) {
      for (const [layer, cache] of this.cache[side].entries()) {
        for (let head = 0; head < kvHeads; head++) {
          const rows = prompt[side][layer].subarray(head * width, (head + 1) * width);
          cache.set(rows, (row * kvHeads + head) * this.capacity * headDim);
        }
      }
    }
    for (const state of this.states.values()) {
      const stride = state.length / this.size;
      state.fill(0, row * stride, (row + 1) * stride);
    }
    this.start[row] = BigInt(prompt.length);
    this.responseStart[row] = BigInt(prompt.length + 1);
  }

  /** Sets the token that a row feeds next. */
  feed(row: number, token: number): void {
    this.ids[row] = BigInt(token);
  }

  /** Empties a row. */
  vacate(row: number): void {
    this.start[row] = 0n;
    this.ids[row] = 0n;
  }

  /** Advances every row by one token; `occupied` rows keep what the step added to their cache. */
  async step(occupied: readonly number[]): Promise<void> {
    await this.call.run();
    const { layers, kvHeads, headDim } = this.config;
    for (let layer = 0; layer < layers; layer++) {
      const keys = this.call.floats(newKeys(layer));
      const values = this.call.floats(newValues(layer));
      for (const row of occupied) {
        const position = Number(this.start[row]);
        for (let head = row * kvHeads; head < (row + 1) * kvHeads; head++) {
          const from = head * headDim;
          const to = (head * this.capacity + position) * headDim;
          for (let i = 0; i < headDim; i++) {
            this.cache.keys[layer][to + i] = keys[from + i];
            this.cache.values[layer][to + i] = values[from + i];
          }
        }
      }
    }
    for (const row of occupied) this.start[row] += 1n;
    for (const [name, state] of this.states) state.set(this.call.floats(nextState(name)));
  }

  /** Logits [size * vocabSize] of the last step. */
  get logits(): Float32Array {
    return this.call.floats('logits');
  }

  /** Signal [size * heads] of the last step. */
  signal(name: TraceRequest['signals'][number]): Float32Array {
    return this.call.floats(signalOutput(name));
  }

  /** What each key of a row has received so far, per head: [heads * capacity]. */
  received(row: number): Float32Array {
    const state = this.states.get(RECEIVED);
    if (state === undefined) throw new Error('the batch does not trace received attention');
    const stride = state.length / this.size;
    return state.subarray(row * stride, (row + 1) * stride);
  }

  private stateBindings(inputs: readonly string[]): Record<string, TensorData> {
    const bindings: Record<string, TensorData> = {};
    const heads = this.trace?.heads.length ?? 0;
    for (const name of [LAST_ROW, RECEIVED].filter((state) => inputs.includes(state))) {
      const state = new Float32Array(this.size * heads * this.capacity);
      this.states.set(name, state);
      bindings[name] = state;
    }
    if (inputs.includes(RESPONSE_START)) {
      bindings[RESPONSE_START] = this.responseStart;
      bindings[RESPONSE_END] = new BigInt64Array(this.size).fill(BigInt(this.capacity));
    }
    return bindings;
  }
}
