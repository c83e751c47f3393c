/**
 * The engine against jax-js, tracing against not tracing, and the memory of prefill tracing.
 *
 *   npm run bench:engine [-- --rounds=5]
 *
 * Everything that is compared runs interleaved in one process, after a warm-up; figures are medians.
 * jax-js runs compiled (`jit`) on its WebAssembly backend, on one thread: Node has no web workers, and
 * with stand-ins for them its queue of this train step outgrows the 4 GiB of a WebAssembly memory.
 * The last line is one JSON object.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stream } from '../src/core/random.ts';
import type { EngineSettings } from '../src/engine/program.ts';
import type { Tokenizer } from '../src/model/tokenizer.ts';
import { Sampler } from '../src/rollout/sampler.ts';
import type { RolloutRequest, Sampling } from '../src/rollout/types.ts';
import { traceRequest } from '../src/trace/request.ts';
import { defaultTraceSettings } from '../src/trace/types.ts';
import { feed, Learner, type Sequence } from '../src/train/learner.ts';
import { startJax } from '../test/reference/jax-decoder.ts';
import { randomTokens, randomWeights } from '../test/reference/models.ts';
import { BENCH_MODEL, BENCH_OPTIMIZER, median, trainFlops } from './bench-model.ts';
import { jaxGenerator, jaxTrainer } from './jax-rival.ts';

const BATCH = 64;
const LENGTH = 128;
const PROMPT = 64;
const NEW_TOKENS = 64;
const TRACE_LENGTHS = [512, 1024, 2048, 4096];

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '4' },
    'trace-rounds': { type: 'string', default: '15' },
  },
});
const ENGINE: EngineSettings = { provider: 'cpu', threads: availableParallelism() };

/**
 * Runs every contender once per round, in turn, every other round in reverse; the first round warms up.
 * Seconds per contender and round.
 */
async function interleave(
  rounds: number,
  contenders: readonly ((round: number) => Promise<unknown>)[],
): Promise<number[][]> {
  const seconds: number[][] = contenders.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    const order = [...contenders.entries()];
    if (round % 2 === 1) order.reverse();
    for (const [i, run] of order) {
      const start = performance.now();
      await run(round);
      if (round > 0) seconds[i].push((performance.now() - start) / 1000);
    }
  }
  return seconds;
}

const report = (label: string, value: string) => console.log(`${label.padEnd(48)} ${value}`);
const seconds = (values: readonly number[]) =>
  `${median(values).toFixed(3)} s (${values.map((v) => v.toFixed(2)).join(' ')})`;

async function training(rounds: number): Promise<{ versusJax: number; gflops: number }> {
  const extent = { batch: BATCH, length: LENGTH };
  const weights = () => randomWeights(BENCH_MODEL, 1);
  const learner = new Learner(BENCH_MODEL, weights(), ENGINE, BENCH_OPTIMIZER);
  const jax = jaxTrainer(BENCH_MODEL, weights(), extent, BENCH_OPTIMIZER);
  const sequences = (round: number): Sequence[] =>
    Array.from({ length: BATCH }, (_, i) => ({
      tokens: randomTokens(BENCH_MODEL, LENGTH + 1, round * BATCH + i),
      from: 1,
      weight: 1 / (BATCH * LENGTH),
    }));
  const losses = { ours: 0, jax: 0 };
  const [ours, theirs] = await interleave(rounds, [
    async (round) => {
      losses.ours = (await learner.addLikelihood(sequences(round))).loss;
      await learner.update();
    },
    async (round) => {
      losses.jax = await jax(feed(extent, sequences(round), ['ids', 'target', 'weight']));
    },
  ]);
  await learner.release();
  const gflops = trainFlops(BENCH_MODEL, BATCH, LENGTH) / median(ours) / 1e9;
  report('train step', seconds(ours));
  report('train step, jax-js', seconds(theirs));
  report(
    'loss after the same steps: ours, jax-js',
    `${losses.ours.toFixed(5)} ${losses.jax.toFixed(5)}`,
  );
  report(
    'training',
    `${gflops.toFixed(1)} GFLOP/s, ${Math.round((BATCH * LENGTH) / median(ours))} tokens/s`,
  );
  return { versusJax: median(theirs) / median(ours), gflops };
}

/** No text, no end: every response has its full length. */
const TOKENIZER: Tokenizer = {
  vocabSize: BENCH_MODEL.vocabSize,
  eosIds: [],
  bosId: null,
  padId: 0,
  encode: () => [],
  decode: () => '',
  tokenText: () => '',
  checkFits: () => {},
};
const SAMPLING: Sampling = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  maxTokens: NEW_TOKENS,
  stop: [],
  seed: 1,
  longPrompts: 'refuse',
};

function requestsFor(round: number): RolloutRequest[] {
  return Array.from({ length: BATCH }, (_, i) => ({
    promptId: `${round} ${i}`,
    sample: 0,
    promptTokens: [...randomTokens(BENCH_MODEL, PROMPT, round * BATCH + i)],
  }));
}

function makeSampler(): Sampler {
  const weights = randomWeights(BENCH_MODEL, 1);
  return new Sampler(BENCH_MODEL, weights, TOKENIZER, { engine: ENGINE, batchSize: BATCH });
}

async function generation(rounds: number): Promise<{ versusJax: number; tokensPerSecond: number }> {
  const sampler = makeSampler();
  const weights = randomWeights(BENCH_MODEL, 1);
  const jax = jaxGenerator(BENCH_MODEL, weights, BATCH, PROMPT, NEW_TOKENS);
  const random = stream(1, 'jax');
  const [ours, theirs] = await interleave(rounds, [
    (round) => sampler.generate(requestsFor(round), SAMPLING),
    (round) =>
      jax(Int32Array.from(requestsFor(round).flatMap((r) => [...r.promptTokens])), () =>
        random.uniform(),
      ),
  ]);
  const tokensPerSecond = (BATCH * NEW_TOKENS) / median(ours);
  report(`generate ${BATCH} x ${NEW_TOKENS} tokens`, seconds(ours));
  report(`generate ${BATCH} x ${NEW_TOKENS} tokens, jax-js`, seconds(theirs));
  report('generation', `${Math.round(tokensPerSecond)} tokens/s`);
  return { versusJax: median(theirs) / median(ours), tokensPerSecond };
}

/** The default trace: mean distance of the kept heads (psi of all, at least two). */
async function tracing(rounds: number): Promise<number> {
  const sampler = makeSampler();
  const { layers, heads } = BENCH_MODEL;
  const kept = Math.max(
    defaultTraceSettings.minHeads,
    Math.round(defaultTraceSettings.psi * layers * heads),
  );
  // In different layers, which costs more than heads of one layer.
  const chosen = Array.from({ length: kept }, (_, i) => ({
    layer: 1 + (i % (layers - 1)),
    head: i,
  }));
  chosen.sort((a, b) => a.layer - b.layer);
  const request = traceRequest(chosen, [defaultTraceSettings.signal], defaultTraceSettings);
  const [plain, traced] = await interleave(rounds, [
    (round) => sampler.generate(requestsFor(round), SAMPLING),
    (round) => sampler.generate(requestsFor(round), SAMPLING, request),
  ]);
  const ratio = median(traced.map((value, i) => value / plain[i]));
  report('generate without trace', seconds(plain));
  report(`generate with trace of ${kept} heads`, seconds(traced));
  report('traced / untraced, median of pairs', ratio.toFixed(3));
  return ratio;
}

/** Peak memory above the loaded model, MB, of tracing one text; each in a process of its own. */
function traceMemory(): Record<string, number> {
  const tsx = fileURLToPath(import.meta.resolve('tsx'));
  const child = fileURLToPath(new URL('./trace-memory.ts', import.meta.url));
  const megabytes: Record<string, number> = {};
  for (const length of TRACE_LENGTHS) {
    const run = spawnSync(process.execPath, ['--import', tsx, child, String(length)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (run.status !== 0) throw new Error(`tracing ${length} tokens ended with ${run.status}`);
    megabytes[length] = Number(run.stdout.toString().trim());
    report(`prefill trace of ${length} tokens, peak memory`, `${megabytes[length]} MB`);
  }
  return megabytes;
}

const round = (value: number, digits: number) => Number(value.toFixed(digits));

await startJax();
report('threads: ours, jax-js', `${ENGINE.threads}, 1`);
const rounds = Number(options.rounds);
const train = await training(rounds);
const generate = await generation(rounds);
const ratio = await tracing(Number(options['trace-rounds']));
const memory = traceMemory();
console.log(
  JSON.stringify({
    train_vs_jax: round(train.versusJax, 2),
    generate_vs_jax: round(generate.versusJax, 2),
    traced_over_untraced: round(ratio, 3),
    trace_mb: memory,
    train_gflops: round(train.gflops, 1),
    generate_tokens_per_s: Math.round(generate.tokensPerSecond),
  }),
);
process.exit(0);
