/**
 * What a trace job reads: `requests/<chunk>.jsonl` and `spec.json`, as ray/src/pivottrace_ray/spec.py checks them.
 * Prompts and responses are in there as token ids: workers read the same prompts as the engine of this process.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../core/files.ts';
import type { GraphSignal, TraceRequest } from '../model/attention-trace.ts';
import type { Head } from '../model/signals.ts';
import type { Sampling } from '../rollout/types.ts';

/** One response that is wanted, or one that is there and is to be traced. */
export interface TraceAsk {
  promptId: string;
  sample: number;
  promptTokens: readonly number[];
  /** null: workers sample it. */
  response: { tokens: Int32Array; text: string; finish: 'stop' | 'length' } | null;
}

export interface JobSettings {
  /** Model directory, under the path by which the workers see it. */
  model: string;
  dtype: 'auto' | 'float32' | 'bfloat16' | 'float16';
  trace: Omit<TraceRequest, 'heads'>;
  sampling: Sampling;
  /** Token ids that end a response. */
  eos: readonly number[];
  /** Responses that a worker decodes at a time. */
  batchSize: number;
  workers: { count: number; cpus: number; gpus: number };
}

/** How the heads of a round are known: chosen before, or to be chosen on all-head traces of `chunks`. */
export type HeadChoice =
  | { heads: readonly Head[] }
  | { chunks: readonly string[]; signals: readonly GraphSignal[]; psi: number; minHeads: number };

/**
 * Writes the requests of a chunk and returns its name: `prefix`, a number, and a hash of its content. Another content
 * is another chunk, so that a shard is never taken for one of other prompts.
 */
export function writeChunk(
  folder: string,
  prefix: string,
  index: number,
  asks: readonly TraceAsk[],
): string {
  const lines = asks.map(({ promptId, sample, promptTokens, response }) =>
    JSON.stringify({
      ...{ id: promptId, sample, prompt: promptTokens },
      response: response === null ? null : Array.from(response.tokens),
      text: response?.text ?? '',
      finish: response?.finish ?? 'length',
    }),
  );
  const text = `${lines.join('\n')}\n`;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const chunk = `${prefix}-${String(index).padStart(6, '0')}-${hash}`;
  const path = join(folder, 'requests', `${chunk}.jsonl`);
  if (!existsSync(path)) writeWhole(path, text);
  return chunk;
}

/** Writes `spec.json` and returns its path. */
export function writeSpec(
  folder: string,
  settings: JobSettings,
  choice: HeadChoice,
  chunks: readonly string[],
): string {
  const { sampling, trace, workers } = settings;
  const pairs = (heads: readonly Head[]) => heads.map(({ layer, head }) => [layer, head]);
  const spec = {
    version: 1,
    model: settings.model,
    dtype: settings.dtype,
    trace: {
      signals: trace.signals,
      ...{ delta: trace.delta, window: trace.window, sinks: trace.sinks },
    },
    heads: 'heads' in choice ? pairs(choice.heads) : null,
    profile:
      'heads' in choice
        ? null
        : {
            ...{ chunks: choice.chunks, signals: choice.signals },
            ...{ psi: choice.psi, min_heads: choice.minHeads },
          },
    sampling: {
      temperature: sampling.temperature,
      top_k: sampling.topK,
      top_p: sampling.topP,
      min_p: sampling.minP,
      max_tokens: sampling.maxTokens,
      ...{ stop: sampling.stop, seed: sampling.seed },
      ...{ eos: settings.eos, batch_size: settings.batchSize },
    },
    workers,
    chunks,
  };
  const path = join(folder, 'spec.json');
  writeWhole(path, `${JSON.stringify(spec)}\n`);
  return path;
}

/** Two jobs of one name are one job. Hex digits of a hash of what makes it. */
export function jobDigest(facts: unknown): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
}
