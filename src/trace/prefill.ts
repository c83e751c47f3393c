/**
 * Traces of given texts: tokens are fed in query blocks through the cached graph, so that memory grows with
 * the number of tokens and never with its square. The numbers are those that decoding gives.
 *
 * Runs on the thread that it is called on.
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
import { cachedGraph } from '../model/cached.ts';
import type { DecoderConfig } from '../model/config.ts';
import type { RawTrace } from '../model/signals.ts';
import { type CacheArrays, cacheArrays, cacheBindings, keepBlock } from '../rollout/kv-cache.ts';
import { receivedPerToken } from '../rollout/trace-recorder.ts';

/** Queries per block. */
const BLOCK = 128;

export class PrefillTracer {
  private readonly config: DecoderConfig;
  private readonly request: TraceRequest;
  private readonly capacity: number;
  private readonly cache: CacheArrays;
  private readonly ids = new BigInt64Array(BLOCK);
  private readonly start = new BigInt64Array(1);
  private readonly responseStart = new BigInt64Array(1);
  private readonly responseEnd = new BigInt64Array(1);
  private readonly states = new Map<string, Float32Array>();
  private readonly call: ReturnType<Program['bind']>;

  private constructor(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    request: TraceRequest,
    capacity: number,
    program: Program,
  ) {
    this.config = config;
    this.request = request;
    this.capacity = capacity;
    this.cache = cacheArrays(config, 1, capacity);
    const bindings: Record<string, TensorData> = { ids: this.ids, start: this.start };
    for (const name of [LAST_ROW, RECEIVED].filter((s) => program.inputNames.includes(s))) {
      const state = new Float32Array(request.heads.length * capacity);
      this.states.set(name, state);
      bindings[name] = state;
    }
    if (this.states.has(RECEIVED)) {
      bindings[RESPONSE_START] = this.responseStart;
      bindings[RESPONSE_END] = this.responseEnd;
    }
    this.call = program.bind({
      ...Object.fromEntries(weights),
      ...cacheBindings(this.cache),
      ...bindings,
    });
  }

  /** A tracer for texts of at most `maxTokens` tokens. */
  static async create(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    request: TraceRequest,
    maxTokens: number,
    engine: EngineSettings,
  ): Promise<PrefillTracer> {
    const capacity = Math.ceil(maxTokens / BLOCK) * BLOCK;
    const graph = cachedGraph(config, { batch: 1, queries: BLOCK, capacity }, request);
    const program = await Program.compile(graph, engine);
    return new PrefillTracer(config, weights, request, capacity, program);
  }

  /**
   * The trace of a response: `tokens` are prompt and response, the prompt's `promptLength` first. Throws
   * RangeError when the text does not fit or has no response.
   */
  async trace(tokens: ArrayLike<number>, promptLength: number): Promise<RawTrace> {
    const total = tokens.length;
    if (total > this.capacity || promptLength >= total || promptLength < 1) {
      throw new RangeError(
        `a text of ${promptLength} + ${total - promptLength} tokens, room for ${this.capacity}`,
      );
    }
    const { heads, delta } = this.request;
    const perToken = this.request.signals.filter((signal) => signal !== 'received');
    const signals: RawTrace['signals'] = {};
    for (const name of perToken)
      signals[name] = new Float32Array((total - promptLength) * heads.length);
    for (const state of this.states.values()) state.fill(0);
    this.responseStart[0] = BigInt(promptLength);
    this.responseEnd[0] = BigInt(total);
    for (let at = 0; at < total; at += BLOCK) {
      for (let i = 0; i < BLOCK; i++) this.ids[i] = BigInt(at + i < total ? tokens[at + i] : 0);
      this.start[0] = BigInt(at);
      await this.call.run();
      keepBlock(this.call, this.config, this.cache, { batch: 1, block: BLOCK, at });
      for (const [name, state] of this.states) state.set(this.call.floats(nextState(name)));
      for (const name of perToken) {
        const block = this.call.floats(signalOutput(name));
        const out = signals[name];
        for (let t = Math.max(at, promptLength); out && t < Math.min(at + BLOCK, total); t++) {
          for (let h = 0; h < heads.length; h++) {
            out[(t - promptLength) * heads.length + h] = block[h * BLOCK + t - at];
          }
        }
      }
    }
    const sums = this.states.get(RECEIVED);
    if (sums !== undefined) {
      signals.received = receivedPerToken(
        sums,
        heads.length,
        promptLength,
        total - promptLength,
        delta,
      );
    }
    return { heads: [...heads], tokens: total - promptLength, signals };
  }
}
