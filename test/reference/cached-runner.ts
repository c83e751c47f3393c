/** Drives cached graphs over sequences in blocks of any size, the way the rollout and trace rooms do. */
import { Program } from '../../src/engine/program.ts';
import type { TensorData } from '../../src/engine/tensor.ts';
import {
  type GraphSignal,
  LAST_ROW,
  nextState,
  RECEIVED,
  RESPONSE_END,
  RESPONSE_START,
  signalOutput,
  type TraceRequest,
} from '../../src/model/attention-trace.ts';
import { cachedGraph, keyCache, newKeys, newValues, valueCache } from '../../src/model/cached.ts';
import type { DecoderConfig } from '../../src/model/config.ts';

export interface CachedResult {
  /** [row][token] logits of the tokens that were decoded one at a time; undefined for others. */
  logits: (Float32Array | undefined)[][];
  /** [row] token-major [tokens * heads], per signal that leaves the graph per query. */
  signals: Map<GraphSignal, number[][]>;
  /** [row] [heads * capacity]: what each key received. */
  received: Float32Array[];
}

/**
 * Runs `sequences` (one per row of the batch, of any lengths) in blocks of the sizes that `blocks` gives,
 * the last one repeated until all tokens are done. The end of a row is padded with token 0. The
 * response of a row, for `received`, is everything from `promptLength` on.
 */
export async function runCached(
  config: DecoderConfig,
  weights: ReadonlyMap<string, Float32Array>,
  sequences: readonly Int32Array[],
  blocks: readonly number[],
  capacity: number,
  promptLength = 1,
  trace?: TraceRequest,
): Promise<CachedResult> {
  const batch = sequences.length;
  const cacheSize = batch * config.kvHeads * capacity * config.headDim;
  const caches = Array.from({ length: config.layers }, () => ({
    keys: new Float32Array(cacheSize),
    values: new Float32Array(cacheSize),
  }));
  const heads = trace?.heads.length ?? 0;
  const states = new Map(
    [LAST_ROW, RECEIVED].map((name) => [name, new Float32Array(batch * heads * capacity)]),
  );
  const start = new BigInt64Array(batch);
  const programs = new Map<number, Program>();
  const result: CachedResult = {
    logits: sequences.map(() => []),
    signals: new Map((trace?.signals ?? []).map((signal) => [signal, sequences.map(() => [])])),
    received: [],
  };

  const longest = Math.max(...sequences.map((s) => s.length));
  for (let at = 0, block = 0; at < longest; block++) {
    const queries = blocks[Math.min(block, blocks.length - 1)];
    const program =
      programs.get(queries) ??
      (await Program.compile(cachedGraph(config, { batch, queries, capacity }, trace), {
        provider: 'cpu',
        threads: 1,
      }));
    programs.set(queries, program);
    const ids = new BigInt64Array(batch * queries);
    for (const [row, tokens] of sequences.entries()) {
      start[row] = BigInt(at);
      for (let i = 0; i < queries; i++) ids[row * queries + i] = BigInt(tokens[at + i] ?? 0);
    }
    const arrays: Record<string, TensorData> = { ...Object.fromEntries(weights), ids, start };
    for (const [layer, cache] of caches.entries()) {
      arrays[keyCache(layer)] = cache.keys;
      arrays[valueCache(layer)] = cache.values;
    }
    for (const [name, state] of states) {
      if (!program.inputNames.includes(name)) continue;
      arrays[name] = state;
    }
    if (program.inputNames.includes(RESPONSE_START)) {
      arrays[RESPONSE_START] = new BigInt64Array(batch).fill(BigInt(promptLength));
      arrays[RESPONSE_END] = BigInt64Array.from(sequences, (s) => BigInt(s.length));
    }
    const call = program.bind(arrays);
    await call.run();
    for (const [name, state] of states) {
      if (program.inputNames.includes(name)) state.set(call.floats(nextState(name)));
    }

    for (const [layer, cache] of caches.entries()) {
      const width = queries * config.headDim;
      for (let head = 0; head < batch * config.kvHeads; head++) {
        const to = (head * capacity + at) * config.headDim;
        const from = head * width;
        cache.keys.set(call.floats(newKeys(layer)).subarray(from, from + width), to);
        cache.values.set(call.floats(newValues(layer)).subarray(from, from + width), to);
      }
    }
    for (const [row, tokens] of sequences.entries()) {
      for (let i = 0; i < queries && at + i < tokens.length; i++) {
        const { vocabSize } = config;
        result.logits[row].push(
          queries === 1
            ? call.floats('logits').slice(row * vocabSize, (row + 1) * vocabSize)
            : undefined,
        );
        for (const [signal, rows] of result.signals) {
          if (signal === 'received') continue;
          const values = call.floats(signalOutput(signal));
          for (let head = 0; head < heads; head++) {
            rows[row].push(values[(row * heads + head) * queries + i]);
          }
        }
      }
    }
    at += queries;
  }
  const stride = heads * capacity;
  const all = states.get(RECEIVED) ?? new Float32Array();
  result.received = sequences.map((_, row) => all.slice(row * stride, (row + 1) * stride));
  for (const program of programs.values()) await program.release();
  return result;
}
