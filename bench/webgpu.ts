/**
 * Gradients on the WebGPU provider: every operator rule against finite differences, whole tiny models
 * against the CPU provider. With a real GPU also decode and train throughput against the CPU.
 *
 *   npx tsx bench/webgpu.ts
 *
 * Without a GPU it runs on SwiftShader, the software Vulkan driver in Debian's chromium packages.
 * The last line is one JSON object.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Provider } from '../src/engine/program.ts';
import { checkCase } from '../src/engine/testing/check-gradient.ts';
import { CASES } from '../src/engine/testing/vjp-cases.ts';
import { DecoderBatch } from '../src/rollout/decoder-batch.ts';
import { Learner, type Sequence } from '../src/train/learner.ts';
import { likelihoodGraph } from '../src/train/loss.ts';
import { evaluateLoss } from '../test/reference/evaluate-loss.ts';
import { randomTokens, randomWeights, TINY_MODELS } from '../test/reference/models.ts';
import { BENCH_MODEL, BENCH_OPTIMIZER, median } from './bench-model.ts';

const TOLERANCE = 1e-3;
const CHROMIUM = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/usr/lib64/chromium-browser'];
const ICD = 'vk_swiftshader_icd.json';
const NO_ADAPTER = 3;

interface Row {
  name: string;
  error: number;
  failure?: string;
}

async function operatorRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [op, cases] of Object.entries(CASES)) {
    for (const example of cases) {
      const name = `${op}: ${example.name}`;
      try {
        const { errors } = await checkCase(example, { provider: 'webgpu', threads: 1 });
        rows.push({ name, error: Math.max(...errors) });
      } catch (error) {
        if (rows.length === 0 && String(error).includes('adapter')) process.exit(NO_ADAPTER);
        rows.push({ name, error: Number.POSITIVE_INFINITY, failure: String(error).slice(0, 200) });
      }
    }
  }
  return rows;
}

/** Largest difference of a gradient between the providers, relative to its norm. */
async function modelRows(): Promise<Row[]> {
  const rows: Row[] = [];
  const extent = { batch: 2, length: 9 };
  for (const [name, config] of TINY_MODELS) {
    const weights = randomWeights(config, 3);
    const sequences: Sequence[] = [
      { tokens: randomTokens(config, 10, 1), from: 1, weight: 0.1 },
      { tokens: randomTokens(config, 7, 2), from: 4, weight: 0.25 },
    ];
    const on = (provider: Provider) =>
      evaluateLoss(likelihoodGraph(config, extent), extent, weights, sequences, {
        provider,
        threads: 1,
      });
    const [cpu, gpu] = [await on('cpu'), await on('webgpu')];
    const errors = [...cpu.gradients].map(([parameter, expected]) => {
      const found = gpu.gradients.get(parameter) ?? new Float32Array();
      return Math.hypot(...expected.map((v, i) => v - found[i])) / Math.hypot(...expected);
    });
    const worst = Math.max(...errors);
    rows.push({
      name: `model: ${name}`,
      error: Number.isNaN(worst) ? Number.POSITIVE_INFINITY : worst,
    });
  }
  return rows;
}

/** Tokens per second of decoding and of training. */
async function throughput(provider: Provider): Promise<{ decode: number; train: number }> {
  const engine = { provider, threads: 2 };
  const weights = randomWeights(BENCH_MODEL, 1);
  const timed = async (tokens: number, work: () => Promise<unknown>): Promise<number> => {
    const times: number[] = [];
    for (let i = 0; i < 6; i++) {
      const start = performance.now();
      await work();
      if (i > 0) times.push(performance.now() - start);
    }
    return (1000 * tokens) / median(times);
  };
  const [rows, capacity] = [64, 128];
  const batch = await DecoderBatch.create(BENCH_MODEL, weights, rows, capacity, undefined, engine);
  const decode = await timed(rows, () => batch.step([]));
  const learner = new Learner(BENCH_MODEL, weights, engine, BENCH_OPTIMIZER, rows * capacity);
  const sequences = Array.from({ length: rows }, (_, i) => ({
    tokens: randomTokens(BENCH_MODEL, capacity + 1, i),
    from: 1,
    weight: 1 / (rows * capacity),
  }));
  const train = await timed(rows * capacity, async () => {
    await learner.addLikelihood(sequences);
    await learner.update();
  });
  await learner.release();
  return { decode: Math.round(decode), train: Math.round(train) };
}

async function child(software: boolean): Promise<void> {
  const rows = [...(await operatorRows()), ...(await modelRows())];
  for (const { name, error, failure } of rows) {
    const verdict = error <= TOLERANCE ? 'ok' : `FAILS ${failure ?? ''}`;
    console.log(`${name.padEnd(60)} ${error.toExponential(1).padStart(8)}  ${verdict}`);
  }
  const failed = rows.filter((row) => !(row.error <= TOLERANCE));
  const figures: Record<string, unknown> = {
    adapter: software ? 'SwiftShader' : adapterName(),
    cases: rows.length,
    failed: failed.map((row) => row.name),
    worst_error: Math.max(...rows.map((row) => row.error)),
  };
  if (!software) {
    for (const provider of ['cpu', 'webgpu'] as const) {
      const { decode, train } = await throughput(provider);
      console.log(`${provider.padEnd(8)} decode ${decode} tokens/s, train ${train} tokens/s`);
      figures[`${provider}_decode_tokens_per_s`] = decode;
      figures[`${provider}_train_tokens_per_s`] = train;
    }
  }
  console.log(JSON.stringify(figures));
  // The provider's own tear-down can hang on software drivers.
  process.exit(failed.length === 0 ? 0 : 1);
}

/** The runtime does not tell which adapter it took: the name is that of the first NVIDIA GPU, if any. */
function adapterName(): string {
  const listed = spawnSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader']);
  const name = listed.status === 0 ? listed.stdout.toString().split('\n')[0].trim() : '';
  return name === '' ? "the system's default adapter" : name;
}

function start(mode: 'system' | 'software', env: Record<string, string>): number | null {
  const tsx = fileURLToPath(import.meta.resolve('tsx'));
  const self = fileURLToPath(import.meta.url);
  return spawnSync(process.execPath, ['--import', tsx, self, mode], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  }).status;
}

function parent(): number {
  const chromium = CHROMIUM.find((folder) => existsSync(join(folder, ICD)));
  const forced = process.env.VK_ICD_FILENAMES ?? process.env.VK_DRIVER_FILES;
  const status = start('system', {});
  if (status !== NO_ADAPTER || forced !== undefined) return status ?? 1;
  if (chromium !== undefined) {
    const icd = join(chromium, ICD);
    return (
      start('software', {
        VK_ICD_FILENAMES: icd,
        VK_DRIVER_FILES: icd,
        LD_LIBRARY_PATH: `${chromium}:${process.env.LD_LIBRARY_PATH ?? ''}`,
      }) ?? 1
    );
  }
  console.log('No WebGPU adapter, and no SwiftShader: apt-get install chromium brings one.');
  console.log(JSON.stringify({ adapter: null }));
  return 1;
}

const [mode] = process.argv.slice(2);
if (mode === undefined) process.exitCode = parent();
else await child(mode === 'software');
