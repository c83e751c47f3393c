/** Key/value rows of prompts, computed once and copied into the batch rows of all their samples. */
import { type EngineSettings, Program } from '../engine/program.ts';
import type { TensorData } from '../engine/tensor.ts';
import { cachedGraph, keyCache, newKeys, newValues, valueCache } from '../model/cached.ts';
import type { DecoderConfig } from '../model/config.ts';

/** Keys and values [layers][kvHeads * capacity * headDim] of one batch row or one prompt. */
export interface CacheArrays {
  keys: Float32Array[];
  values: Float32Array[];
}

export interface PromptCache {
  /** Tokens whose rows are filled: all of the prompt but its last. */
  length: number;
  /** [layers][kvHeads * length * headDim]. */
  keys: Float32Array[];
  values: Float32Array[];
}

/** Prompts that are prefilled together, and tokens per block. */
const PROMPTS = 8;
const BLOCK = 32;

export function cacheArrays(config: DecoderConfig, batch: number, capacity: number): CacheArrays {
  const size = batch * config.kvHeads * capacity * config.headDim;
  const make = () => Array.from({ length: config.layers }, () => new Float32Array(size));
  return { keys: make(), values: make() };
}

/** The bindings of a cached graph to cache arrays. */
export function cacheBindings(cache: CacheArrays): Record<string, TensorData> {
  const bindings: Record<string, TensorData> = {};
  for (const [layer, keys] of cache.keys.entries()) {
    bindings[keyCache(layer)] = keys;
    bindings[valueCache(layer)] = cache.values[layer];
  }
  return bindings;
}

/**
 * Writes what a run with `block` queries per row added, at position `at` of every row. The capacity follows from
 * the size of the cache.
 */
function keepBlock(
  call: ReturnType<Program['bind']>,
  { layers, kvHeads, headDim }: DecoderConfig,
  cache: CacheArrays,
  { batch, block, at }: { batch: number; block: number; at: number },
): void {
  const width = block * headDim;
  for (let layer = 0; layer < layers; layer++) {
    const sides = [
      [call.floats(newKeys(layer)), cache.keys[layer]],
      [call.floats(newValues(layer)), cache.values[layer]],
    ];
    for (const [fresh, kept] of sides) {
      const stride = kept.length / (batch * kvHeads);
      for (let head = 0; head < batch * kvHeads; head++) {
        kept.set(fresh.subarray(head * width, (head + 1) * width), head * stride + at * headDim);
      }
    }
  }
}

/** Fills the cache for prompts, block by block. */
export class Prefill {
  readonly promptsAtOnce = PROMPTS;
  private readonly config: DecoderConfig;
  private readonly capacity: number;
  private readonly cache: CacheArrays;
  private readonly ids = new BigInt64Array(PROMPTS * BLOCK);
  private readonly start = new BigInt64Array(PROMPTS);
  private readonly call: ReturnType<Program['bind']>;

  private constructor(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    capacity: number,
    program: Program,
  ) {
    this.config = config;
    this.capacity = capacity;
    this.cache = cacheArrays(config, PROMPTS, capacity);
    this.call = program.bind({
      ...Object.fromEntries(weights),
      ...cacheBindings(this.cache),
      ids: this.ids,
      start: this.start,
    });
  }

  /** `capacity` must be a multiple of the block of 32 tokens. */
  static async create(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    capacity: number,
    engine: EngineSettings,
  ): Promise<Prefill> {
    const graph = cachedGraph(config, { batch: PROMPTS, queries: BLOCK, capacity });
    return new Prefill(config, weights, capacity, await Program.compile(graph, engine));
  }

  /** Caches of at most `promptsAtOnce` prompts: rows 0..length-2 each; the last token is left to decoding. */
  async run(prompts: readonly (readonly number[])[]): Promise<PromptCache[]> {
    const longest = Math.max(...prompts.map((p) => p.length - 1));
    for (let at = 0; at < longest; at += BLOCK) {
      this.ids.fill(0n);
      this.start.fill(BigInt(at));
      for (const [row, prompt] of prompts.entries()) {
        const end = Math.min(at + BLOCK, prompt.length - 1);
        for (let t = at; t < end; t++) this.ids[row * BLOCK + t - at] = BigInt(prompt[t]);
      }
      await this.call.run();
      keepBlock(this.call, this.config, this.cache, { batch: PROMPTS, block: BLOCK, at });
    }
    return prompts.map((prompt, row) => this.take(row, prompt.length - 1));
  }

  private take(row: number, length: number): PromptCache {
    const { kvHeads, headDim } = this.config;
    const copy = (cache: Float32Array) => {
      const out = new Float32Array(kvHeads * length * headDim);
      for (let head = 0; head < kvHeads; head++) {
        const at = (row * kvHeads + head) * this.capacity * headDim;
        out.set(cache.subarray(at, at + length * headDim), head * length * headDim);
      }
      return out;
    };
    return { length, keys: this.cache.keys.map(copy), values: this.cache.values.map(copy) };
  }
}
