/**
 * Trace signals of our two ways (while decoding, and of a given text) against the definitions, applied to the
 * attention that transformers gives.
 */
import type { DecoderConfig } from '../../src/model/config.ts';
import { openSafetensors } from '../../src/model/safetensors.ts';
import type { Tokenizer } from '../../src/model/tokenizer.ts';
import { Sampler } from '../../src/rollout/sampler.ts';
import type { Rollout, RolloutRequest, Sampling } from '../../src/rollout/types.ts';
import { PrefillTracer } from '../../src/trace/prefill.ts';
import { referenceSignals } from '../../src/trace/reference.ts';
import { allHeads, completeTrace, traceRequest } from '../../src/trace/request.ts';
import { defaultTraceSettings, type RawTrace, signalNames } from '../../src/trace/types.ts';
import { ENGINE } from './engine.ts';

const SIGNALS = [...signalNames];
const SETTINGS = { ...defaultTraceSettings };

/** A response that was traced while it was decoded. */
export interface Traced {
  ids: number[];
  promptLength: number;
  /** Signals while decoding, and of the text afterwards. */
  decoded: RawTrace;
  prefilled: RawTrace;
  logprobs: Float32Array;
}

export const SAMPLING: Sampling = {
  ...{ temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 64, stop: [], seed: 4 },
  longPrompts: 'refuse',
};

/** Samples a response to each prompt and traces it both ways, on all heads. */
export async function traceBothWays(
  config: DecoderConfig,
  weights: ReadonlyMap<string, Float32Array>,
  tokenizer: Tokenizer,
  prompts: readonly number[][],
  sampling: Sampling,
): Promise<Traced[]> {
  const request = traceRequest(allHeads(config.layers, config.heads), SIGNALS, SETTINGS);
  const sampler = new Sampler(config, weights, tokenizer, { engine: ENGINE, batchSize: 2 });
  const requests = prompts.map(
    (promptTokens, i): RolloutRequest => ({ promptId: `p${i}`, sample: 0, promptTokens }),
  );
  const rollouts = await sampler.generate(requests, sampling, request);
  const longest = Math.max(...prompts.map((prompt) => prompt.length)) + sampling.maxTokens;
  const tracer = await PrefillTracer.create(config, weights, request, longest, ENGINE);
  const traced: Traced[] = [];
  for (const [i, rollout] of rollouts.entries()) {
    const ids = [...prompts[i], ...rollout.tokens];
    const { promptLength, logprobs } = rollout;
    const prefilled = completeTrace(await tracer.trace(ids, promptLength), SIGNALS, SETTINGS);
    traced.push({ ids, promptLength, decoded: complete(rollout), prefilled, logprobs });
  }
  return traced;
}

function complete({ trace }: Rollout): RawTrace {
  if (trace === undefined) throw new Error('a response has no trace');
  return completeTrace(trace, SIGNALS, SETTINGS);
}

/** Largest deviations of one response: per way and signal, and of the log-probabilities. */
export type Deviations = Map<string, number>;

/** Compares with the attention and logits in the file that transformers wrote for `traced.ids`. */
export function compareTrace(config: DecoderConfig, traced: Traced, path: string): Deviations {
  const { ids, promptLength } = traced;
  const file = openSafetensors(path);
  const n = ids.length;
  const attention = Array.from({ length: config.layers }, (_, layer) => {
    const all = file.read(`attention.${layer}`);
    return Array.from({ length: config.heads }, (_, head) =>
      Float64Array.from(all.subarray(head * n * n, (head + 1) * n * n)),
    );
  });
  const logits = file.read('logits');
  file.close();
  const reference = referenceSignals(attention, promptLength, SETTINGS);
  const deviations: Deviations = new Map();
  for (const [way, trace] of [
    ['decode', traced.decoded],
    ['prefill', traced.prefilled],
  ] as const) {
    for (const name of SIGNALS) {
      const found = trace.signals[name] ?? [];
      deviations.set(`${way} ${name}`, worst(found, reference.signals[name], orOne));
    }
  }
  const wanted = ids.slice(promptLength).map((id, t) => {
    const row = logits.subarray(
      (promptLength + t - 1) * config.vocabSize,
      (promptLength + t) * config.vocabSize,
    );
    return logProbability(row, id);
  });
  return deviations.set('decode logprob', worst(traced.logprobs, wanted));
}

function logProbability(row: Float32Array, id: number): number {
  const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = row.reduce((total, x) => total + Math.exp(x - most), 0);
  return row[id] - most - Math.log(sum);
}

/** Distances are tokens, up to 128: the deviation of a number over 1 is taken relative to it. */
const orOne = (wanted: number): number => Math.max(1, Math.abs(wanted));

/**
 * Largest deviation, in units that may depend on the wanted number. Infinity where lengths differ or only one of two
 * numbers is none.
 */
export function worst(
  found: ArrayLike<number>,
  wanted: ArrayLike<number>,
  unit: (wanted: number) => number = () => 1,
): number {
  if (found.length !== wanted.length || found.length === 0) return Infinity;
  let most = 0;
  for (let i = 0; i < found.length; i++) {
    if (Number.isNaN(found[i]) && Number.isNaN(wanted[i])) continue;
    const apart = Math.abs(found[i] - wanted[i]) / unit(wanted[i]);
    most = Number.isNaN(apart) ? Infinity : Math.max(most, apart);
  }
  return most;
}
