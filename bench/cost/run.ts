/**
 * One measurement of bench:cost in a process of its own, for its memory: `run.ts SIZE decode|trace|train ROUNDS`. Prints
 * seconds per round (the first, which compiles, is left out) and MB above the loaded weights as one JSON object.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { DecoderConfig } from '../../src/model/config.ts';
import type { Tokenizer } from '../../src/model/tokenizer.ts';
import { Sampler } from '../../src/rollout/sampler.ts';
import type { Sampling } from '../../src/rollout/types.ts';
import { PrefillTracer } from '../../src/trace/prefill.ts';
import { allHeads, traceRequest } from '../../src/trace/request.ts';
import { defaultTraceSettings, signalNames } from '../../src/trace/types.ts';
import { Learner } from '../../src/train/learner.ts';
import { randomTokens, randomWeights } from '../../test/reference/models.ts';
import { BENCH_OPTIMIZER } from '../bench-model.ts';
import { decoding, sizes, tracing, training } from './sizes.ts';

const [size, stage, rounds] = process.argv.slice(2);
const engine = { provider: 'cpu', threads: availableParallelism() } as const;

/** A line of /proc/self/status in MB; not a number where there is no /proc. */
function memory(key: 'VmRSS' | 'VmHWM'): number {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    return (Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024) / 1e6;
  } catch {
    return Number.NaN;
  }
}

/** No text, no end: every response has its full length. */
function endless({ vocabSize }: DecoderConfig): Tokenizer {
  return {
    ...{ vocabSize, eosIds: [], bosId: null, padId: 0 },
    ...{ encode: () => [], decode: () => '', tokenText: () => '', checkFits: () => {} },
  };
}

type Round = (round: number) => Promise<unknown>;

async function stageOf(config: DecoderConfig, weights: Map<string, Float32Array>): Promise<Round> {
  if (stage === 'decode') {
    const { batch, prompt, response } = decoding;
    const sampler = new Sampler(config, weights, endless(config), { engine, batchSize: batch });
    const sampling: Sampling = {
      ...{ temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: response, stop: [], seed: 1 },
      longPrompts: 'refuse',
    };
    return async (round) =>
      await sampler.generate(
        Array.from({ length: batch }, (_, i) => ({
          ...{ promptId: `${round} ${i}`, sample: 0 },
          promptTokens: [...randomTokens(config, prompt, round * batch + i)],
        })),
        sampling,
      );
  }
  if (stage === 'trace') {
    const heads = allHeads(config.layers, config.heads);
    const request = traceRequest(heads, signalNames, defaultTraceSettings);
    const tracer = await PrefillTracer.create(config, weights, request, tracing.tokens, engine);
    return async (round) =>
      await tracer.trace(randomTokens(config, tracing.tokens, round), tracing.prompt);
  }
  const learner = new Learner(config, weights, engine, BENCH_OPTIMIZER);
  const { sequences, tokens } = training;
  return async (round) => {
    await learner.addLikelihood(
      Array.from({ length: sequences }, (_, i) => ({
        tokens: randomTokens(config, tokens + 1, round * sequences + i),
        ...{ from: 1, weight: 1 / (sequences * tokens) },
      })),
    );
    await learner.update();
  };
}

const config = sizes.get(size);
if (config === undefined) throw new Error(`no size ${size}`);
const weights = randomWeights(config, 1);
globalThis.gc?.();
try {
  // Linux: the peak begins anew here.
  writeFileSync('/proc/self/clear_refs', '5');
} catch {
  // Elsewhere there is no figure.
}
const before = memory('VmRSS');
const run = await stageOf(config, weights);
const seconds: number[] = [];
for (let round = 0; round <= Number(rounds); round++) {
  const start = performance.now();
  await run(round);
  if (round > 0) seconds.push((performance.now() - start) / 1000);
}
console.log(JSON.stringify({ seconds, mb: memory('VmHWM') - before }));
process.exit(0);
