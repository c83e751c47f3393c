/**
 * The cost model (src/report/cost-model.ts) against measurements at three sizes, and what it says of larger runs.
 *
 *   npm run bench:cost [-- --rounds=3 --skip-measuring]
 *
 * Time: for each stage two figures of this machine are read off the two smaller models, the GFLOP/s of matrix products
 * and the price of what does not shrink with them (a call of a layer; for tracing and training an attention weight); from these and the
 * formulas follows the time of the largest one, which none of them has seen. Memory: formulas alone against the peak
 * above the loaded weights. Each measurement is a process of its own. Then, on an assumed accelerator, Qwen3-4B on
 * 14,000 prompts and on 10 million. The last line is one JSON object.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { DecoderConfig } from '../src/model/config.ts';
import {
  type Accelerator,
  activationBytes,
  attentionMatrixBytes,
  cacheBytes,
  decodeFlops,
  decodeSeconds,
  forwardFlops,
  type ModelShape,
  optimizerBytes,
  type PoolPlan,
  parameters,
  poolWork,
  prefillSeconds,
  traceBytes,
  trainFlops,
  trainSeconds,
  weightBytes,
} from '../src/report/cost-model.ts';
import { median } from './bench-model.ts';
import { decoding, shapeOf, sizes, tracing, training } from './cost/sizes.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    'skip-measuring': { type: 'boolean', default: false },
  },
});

type Stage = 'decode' | 'trace' | 'train';
const stages: readonly Stage[] = ['decode', 'trace', 'train'];

/** Operations as this engine does them, and the number of what else costs time. */
function workOf(stage: Stage, m: ModelShape): { flops: number; others: number } {
  if (stage === 'decode') {
    const { batch, prompt, response, capacity } = decoding;
    // The cache has a fixed capacity, over all of which every step goes.
    const pairs = (prompt + response) * capacity;
    return { flops: batch * decodeFlops(m, prompt, response, pairs), others: m.layers * response };
  }
  if (stage === 'trace') {
    // By 128 queries, each over what came before and itself; logits are not computed, nor what only they need.
    const pairs = (tracing.tokens * (tracing.tokens + 128)) / 2;
    return {
      flops: forwardFlops(m, tracing.tokens, 0, pairs),
      others: m.layers * m.heads * pairs,
    };
  }
  const { sequences, tokens } = training;
  // All pairs, masked.
  const pairs = tokens ** 2;
  return {
    flops: trainFlops(m, sequences, tokens, pairs),
    others: m.layers * m.heads * sequences * pairs,
  };
}

/** Bytes above the loaded weights. */
function bytesOf(stage: Stage, m: ModelShape): number {
  if (stage === 'decode') {
    const { batch, capacity } = decoding;
    // A cache and its new rows, in the prefill of prompts and in the batch.
    return 4 * batch * cacheBytes(m, capacity, 4);
  }
  if (stage === 'trace') {
    const { tokens } = tracing;
    const kept = traceBytes({ heads: m.layers * m.heads, signals: 6 }, tokens);
    // Attention weights of one layer at a time, with what their summaries are made from.
    return cacheBytes(m, tokens, 4) + kept + 4 * 4 * m.heads * tokens ** 2;
  }
  const { sequences, tokens } = training;
  return optimizerBytes(m) - weightBytes(m, 4) + activationBytes(m, sequences, tokens, 4, true);
}

interface Measured {
  seconds: number;
  mb: number;
}

interface Run extends Measured {
  size: string;
  config: DecoderConfig;
  flops: number;
  others: number;
}

async function measured(size: string, stage: Stage): Promise<Measured> {
  const script = join(import.meta.dirname, 'cost', 'run.ts');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', script, size, stage, options.rounds],
    { cwd: join(import.meta.dirname, '..') },
  );
  const { seconds, mb } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  return { seconds: median(seconds), mb };
}

/** Seconds per FLOP and per unit of the rest that explain both; all is FLOPs where that gives a negative price. */
function prices(
  small: { flops: number; others: number; seconds: number },
  middle: { flops: number; others: number; seconds: number },
): { perFlop: number; perOther: number } {
  const determinant = small.flops * middle.others - middle.flops * small.others;
  const perFlop = (small.seconds * middle.others - middle.seconds * small.others) / determinant;
  const perOther = (small.flops * middle.seconds - middle.flops * small.seconds) / determinant;
  if (perFlop > 0 && perOther > 0) return { perFlop, perOther };
  return { perFlop: middle.seconds / middle.flops, perOther: 0 };
}

const short = (value: number, digits = 3) => Number(value.toPrecision(digits));

async function check(): Promise<Record<string, unknown>> {
  const rows: Record<string, string | number>[] = [];
  const found: Record<string, unknown> = {};
  for (const stage of stages) {
    const runs: Run[] = [];
    for (const [size, config] of sizes) {
      const shape = shapeOf(config);
      runs.push({ size, config, ...workOf(stage, shape), ...(await measured(size, stage)) });
    }
    const { perFlop, perOther } = prices(runs[0], runs[1]);
    const own = runs[0].mb - bytesOf(stage, shapeOf(runs[0].config)) / 1e6;
    for (const { size, config, flops, others, seconds, mb } of runs) {
      const predicted = flops * perFlop + others * perOther;
      // What the runtime takes for itself is read off the smallest.
      const predictedMb = own + bytesOf(stage, shapeOf(config)) / 1e6;
      rows.push({
        ...{ stage, size, gflop: short(flops / 1e9), seconds: short(seconds) },
        ...{ predicted: short(predicted), 'predicted/measured': short(predicted / seconds, 2) },
        ...{ mb: short(mb), 'predicted mb': short(predictedMb) },
        'mb: predicted/measured': short(predictedMb / mb, 2),
      });
    }
    found[stage] = {
      gflops: short(1 / perFlop / 1e9),
      time_ratio: short((runs[2].flops * perFlop + runs[2].others * perOther) / runs[2].seconds),
      sizes_ratio: short(runs[2].seconds / runs[1].seconds),
    };
  }
  console.table(rows);
  return found;
}

const qwen3: ModelShape = {
  ...{ layers: 36, heads: 32, kvHeads: 8, headDim: 128, hidden: 2560, intermediate: 9728 },
  ...{ vocab: 151_936, tied: true },
};

/** H100 SXM: dense bf16 and HBM3 as its data sheet has them; the shares are assumptions. */
const h100: Accelerator = {
  ...{ peakFlops: 989e12, prefillShare: 0.4, trainShare: 0.35 },
  ...{ bandwidth: 3.35e12, bandwidthShare: 0.6, batch: 128 },
};

/** Assumptions: lengths of DAPO-Math under a reasoning policy, one trace per prompt as in the papers. */
const dapo: PoolPlan = {
  ...{ prompts: 14_000, promptTokens: 120, responseTokens: 3_000, traces: 1 },
  ...{ probeShare: 0.05, probeSamples: 8, selfShare: 0.286, annotateShare: 0.293 },
  ...{ epochs: 1, groupSize: 8 },
};

/** Hours of one accelerator by stage, and labels. */
function extrapolated(name: string, m: ModelShape, plan: PoolPlan): Record<string, number> {
  const work = poolWork(m, plan);
  const hours = ({ responses, trainingFlops }: (typeof work)['trace']) => {
    const { promptTokens, responseTokens } = plan;
    const decoding = decodeSeconds(m, responses, promptTokens, responseTokens, h100);
    return (decoding + trainSeconds(trainingFlops, h100)) / 3600;
  };
  const retracing =
    plan.prompts * plan.traces * forwardFlops(m, plan.promptTokens + plan.responseTokens, 0);
  const result = {
    trace_tokens: work.trace.tokens,
    trace_hours: short(hours(work.trace)),
    prefill_trace_hours: short(prefillSeconds(retracing, h100) / 3600),
    probe_hours: short(hours(work.probes)),
    train_tokens: work.train.tokens,
    train_hours: short(hours(work.train)),
    whole_hours: short(hours(work.trainWhole)),
    labels: work.labels,
    labels_whole: plan.prompts,
  };
  console.log(`\n${name}: ${plan.prompts.toLocaleString('en-US')} prompts, one assumed H100`);
  console.table(result);
  console.table(
    [0.1, 1, 5].map((price) => ({
      'price per label': price,
      'labels cost': Math.round(work.labels * price),
      'all labels cost': plan.prompts * price,
    })),
  );
  return result;
}

const checked = options['skip-measuring'] ? {} : await check();
const matrices = attentionMatrixBytes(qwen3, 8192, 2) / 1e9;
const trace = traceBytes({ heads: 36 * 32, signals: 6 }, 8192) / 1e9;
console.log(
  `Qwen3-4B has ${short(parameters(qwen3) / 1e9)} B parameters, ${short(weightBytes(qwen3, 2) / 1e9)} GB in 16 bits.`,
);
console.log(
  `One text of 8192 tokens: output_attentions=True keeps ${short(matrices, 4)} GB in 16 bits (twice that in 32); a trace of all heads and signals ${short(trace)} GB, keys and values ${short(cacheBytes(qwen3, 8192, 2) / 1e9)} GB.`,
);
const estimates = {
  dapo: extrapolated('Qwen3-4B on DAPO-Math-14K', qwen3, dapo),
  ten_million: extrapolated('Qwen3-4B on 10 million prompts', qwen3, { ...dapo, prompts: 1e7 }),
};
console.log(
  JSON.stringify({
    checked,
    output_attentions_gb: short(matrices, 4),
    trace_gb: short(trace),
    ...estimates,
  }),
);
