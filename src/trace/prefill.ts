/**
 * Traces of given texts: tokens are fed in blocks of queries, so that memory grows with the number of tokens and never
 * with its square. The numbers are those that decoding gives.
 *
 * Runs on the thread that it is called on.
 */
import { type EngineSettings, Program } from '../engine/program.ts';
import type { TensorData } from '../engine/tensor.ts';
import type { TraceRequest } from '../model/attention-signals.ts';
import { LAST_ROW, nextState, RECEIVED, signalOutput } from '../model/attention-trace.ts';
import { COUNTED_QUERIES } from '../model/block-trace.ts';
import type { DecoderConfig } from '../model/config.ts';
import { FINAL_HIDDEN, layersNeeded, prefillGraph } from '../model/prefill-graph.ts';
import type { RawTrace } from '../model/signals.ts';
import { TokenScorer } from '../rollout/token-scorer.ts';
import { receivedPerToken } from '../rollout/trace-recorder.ts';
import type { TokenStatistics } from '../rollout/types.ts';
import { PrefillCache } from './prefill-cache.ts';

/** Queries per block: the largest that the rest of a text fills, at its end the smallest that holds it. */
const BLOCKS = [256, 128, 32];

export interface PrefillOptions {
  /** Also computes what `traceWithStatistics` gives. */
  statistics?: boolean;
  /** Of the distribution that the statistics describe, as in `Sampling`; 1 if left out. */
  temperature?: number;
}

/** A run of the graph: `queries` positions from `at` on, of which those before `end` hold tokens. */
interface Block {
  at: number;
  queries: number;
  end: number;
  call: ReturnType<Program['bind']>;
}

export class PrefillTracer {
  private readonly config: DecoderConfig;
  private readonly weights: ReadonlyMap<string, Float32Array>;
  private readonly request: TraceRequest;
  private readonly maxTokens: number;
  private readonly engine: EngineSettings;
  private readonly scorer: TokenScorer | undefined;
  private readonly programs = new Map<number, Promise<Program>>();
  private readonly cache: PrefillCache;

  private constructor(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    request: TraceRequest,
    maxTokens: number,
    engine: EngineSettings,
    scorer: TokenScorer | undefined,
  ) {
    this.config = config;
    this.weights = weights;
    this.request = request;
    this.maxTokens = maxTokens;
    this.engine = engine;
    this.scorer = scorer;
    this.cache = new PrefillCache(config, layersNeeded(config, request, scorer !== undefined));
  }

  /**
   * A tracer for texts of at most `maxTokens` tokens; it takes memory for the longest that it has seen. `weights` are
   * read in place: a learner may change them between calls. Throws RangeError when nothing is asked for: no heads and no statistics.
   */
  static async create(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    request: TraceRequest,
    maxTokens: number,
    engine: EngineSettings,
    { statistics = false, temperature = 1 }: PrefillOptions = {},
  ): Promise<PrefillTracer> {
    if (request.heads.length === 0 && !statistics) throw new RangeError('no heads to trace');
    const scorer = statistics
      ? await TokenScorer.create(config, weights, temperature, engine)
      : undefined;
    return new PrefillTracer(config, weights, request, maxTokens, engine, scorer);
  }

  /**
   * The trace of a response: `tokens` are prompt and response, the prompt's `promptLength` first. Throws
   * RangeError when the text does not fit or has no response.
   */
  async trace(tokens: ArrayLike<number>, promptLength: number): Promise<RawTrace> {
    return await this.run(tokens, promptLength, () => {});
  }

  /**
   * The trace, and what the policy says of every response token as the sampler would report it. Only for a tracer
   * made with `statistics`.
   */
  async traceWithStatistics(
    tokens: ArrayLike<number>,
    promptLength: number,
  ): Promise<{ trace: RawTrace; statistics: TokenStatistics }> {
    const { scorer } = this;
    if (scorer === undefined) throw new Error('the tracer was made without statistics');
    const width = this.config.hiddenSize;
    const first = promptLength - 1;
    const before = new Float32Array(Math.max(0, tokens.length - promptLength) * width);
    const trace = await this.run(tokens, promptLength, ({ at, end, call }) => {
      const from = Math.max(at, first);
      const to = Math.min(end, tokens.length - 1);
      if (from >= to) return;
      const rows = call.floats(FINAL_HIDDEN).subarray((from - at) * width, (to - at) * width);
      before.set(rows, (from - first) * width);
    });
    const targets = Array.from({ length: trace.tokens }, (_, i) => tokens[promptLength + i]);
    return { trace, statistics: await scorer.score(before, targets) };
  }

  /** Frees the compiled graphs. */
  async release(): Promise<void> {
    for (const program of this.programs.values()) await (await program).release();
    this.programs.clear();
    await this.scorer?.release();
  }

  private async run(
    tokens: ArrayLike<number>,
    promptLength: number,
    onBlock: (block: Block) => void,
  ): Promise<RawTrace> {
    const total = tokens.length;
    if (total > this.maxTokens || promptLength >= total || promptLength < 1) {
      throw new RangeError(
        `a text of ${promptLength} + ${total - promptLength} tokens, room for ${this.maxTokens}`,
      );
    }
    // The last block may reach beyond the text, but by less than the smallest one.
    this.cache.reserve(total + BLOCKS[BLOCKS.length - 1]);
    const { heads, delta } = this.request;
    const perToken = this.request.signals.filter((signal) => signal !== 'received');
    const signals: RawTrace['signals'] = {};
    for (const name of perToken) {
      signals[name] = new Float32Array((total - promptLength) * heads.length);
    }
    const received = this.request.signals.includes('received')
      ? new Float32Array(heads.length * total)
      : undefined;
    let lastRow: Float32Array = new Float32Array(0);
    for (let at = 0; at < total; ) {
      const block = await this.bind(tokens, promptLength, at, lastRow);
      await block.call.run();
      onBlock(block);
      for (const name of perToken) this.keepSignal(signals[name], name, block, promptLength);
      if (received !== undefined) addReceived(received, heads.length, block);
      if (this.request.signals.includes('change')) lastRow = block.call.floats(nextState(LAST_ROW));
      at = block.end;
    }
    if (received !== undefined) {
      const tokensTraced = total - promptLength;
      signals.received = receivedPerToken(
        received,
        heads.length,
        promptLength,
        tokensTraced,
        delta,
      );
    }
    return { heads: [...heads], tokens: total - promptLength, signals };
  }

  /** The next block of a text, bound to its tokens and to what came before it. */
  private async bind(
    tokens: ArrayLike<number>,
    promptLength: number,
    at: number,
    lastRow: Float32Array,
  ): Promise<Block> {
    const left = tokens.length - at;
    const queries = BLOCKS.find((size) => size <= left) ?? BLOCKS[BLOCKS.length - 1];
    const end = Math.min(at + queries, tokens.length);
    const program = await this.program(queries);
    const of = (i: number) => BigInt(at + i < end ? tokens[at + i] : 0);
    const inResponse = (i: number) => (at + i >= promptLength && at + i < end ? 1 : 0);
    const arrays: Record<string, TensorData | undefined> = {
      ...Object.fromEntries(this.weights),
      ...this.cache.bindings(at, queries),
      ids: BigInt64Array.from({ length: queries }, (_, i) => of(i)),
      [LAST_ROW]: lastRow,
      [COUNTED_QUERIES]: Float32Array.from({ length: queries }, (_, i) => inResponse(i)),
    };
    const bound: Record<string, TensorData> = {};
    for (const name of [...program.inputNames, ...program.outputNames]) {
      const array = arrays[name];
      if (array !== undefined) bound[name] = array;
    }
    return { at, queries, end, call: program.bind(bound) };
  }

  private keepSignal(
    out: Float32Array | undefined,
    name: TraceRequest['signals'][number],
    { at, end, queries, call }: Block,
    promptLength: number,
  ): void {
    const heads = this.request.heads.length;
    if (out === undefined || heads === 0) return;
    const values = call.floats(signalOutput(name));
    for (let t = Math.max(at, promptLength); t < end; t++) {
      for (let h = 0; h < heads; h++) {
        out[(t - promptLength) * heads + h] = values[h * queries + t - at];
      }
    }
  }

  private async program(queries: number): Promise<Program> {
    const found = this.programs.get(queries);
    if (found !== undefined) return await found;
    const hidden = this.scorer !== undefined;
    const graph = prefillGraph(this.config, this.request, {
      queries,
      hidden,
      threads: this.engine.threads,
    });
    const made = Program.compile(graph, this.engine);
    this.programs.set(queries, made);
    return await made;
  }
}

/** Adds what the keys of a text, [heads * tokens], received from a block. */
function addReceived(sums: Float32Array, heads: number, { at, end, queries, call }: Block): void {
  const block = call.floats(RECEIVED);
  const tokens = sums.length / heads;
  const keys = at + queries;
  for (let h = 0; h < heads; h++) {
    for (let j = 0; j < end; j++) sums[h * tokens + j] += block[h * keys + j];
  }
}
