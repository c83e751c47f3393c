/**
 * One training step on a model of SmolLM2-135M's shape with random weights: argv[2] is the rank of the adapter (0 =
 * all weights), argv[3] the tokens of the step, argv[4] the steps that are timed after a first one. A process of its
 * own: bench/lora.ts starts it. Prints a line of JSON: seconds of the median step and of the processor, peak MB above the
 * process with the model loaded, MB of gradients and moments.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { stream } from '../src/core/random.ts';
import { sizeOf } from '../src/engine/tensor.ts';
import { type DecoderConfig, parameterShapes, parseDecoderConfig } from '../src/model/config.ts';
import { freshAdapter, trainableShapes } from '../src/model/lora.ts';
import { loraTargets } from '../src/model/lora-settings.ts';
import { Learner, type Sequence } from '../src/train/learner.ts';
import { BENCH_OPTIMIZER, median } from './bench-model.ts';

const [rank, tokens, steps] = process.argv.slice(2).map(Number);
const LENGTH = 256;

const bare: DecoderConfig = parseDecoderConfig(
  {
    ...{ model_type: 'llama', vocab_size: 49152, hidden_size: 576, intermediate_size: 1536 },
    ...{ num_hidden_layers: 30, num_attention_heads: 9, num_key_value_heads: 3 },
    ...{ max_position_embeddings: 8192, rms_norm_eps: 1e-5, rope_theta: 100000 },
    ...{ tie_word_embeddings: true, bos_token_id: null, eos_token_id: null },
  },
  'the shape of SmolLM2-135M',
);

/** Random numbers, repeated: the time of a product does not depend on them. */
function weightsOf(config: DecoderConfig): Map<string, Float32Array> {
  const random = stream(1, 'weights');
  const some = Float32Array.from({ length: 65537 }, () => random.normal());
  return new Map(
    [...parameterShapes(config)].map(([name, shape]) => {
      const scale = shape.length === 1 ? 0 : 0.5 / Math.sqrt(shape[1]);
      const centre = shape.length === 1 ? 1 : 0;
      const values = new Float32Array(sizeOf(shape));
      for (let i = 0; i < values.length; i++) values[i] = centre + scale * some[i % some.length];
      return [name, values];
    }),
  );
}

function memory(key: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`${key}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(found?.[1]) / 1024;
}

function sequencesOf(step: number): Sequence[] {
  const random = stream(step, 'tokens');
  return Array.from({ length: tokens / LENGTH }, () => ({
    tokens: Int32Array.from({ length: LENGTH + 1 }, () => random.below(bare.vocabSize)),
    ...{ from: 1, weight: 1 / tokens, advantage: 1, old: new Float32Array(LENGTH).fill(-10.8) },
  }));
}

const lora = { rank, alpha: 32, targets: loraTargets, rslora: false };
const config = rank === 0 ? bare : { ...bare, lora };
const adapter = rank === 0 ? [] : freshAdapter(bare, lora, 1);
const weights = new Map([...weightsOf(bare), ...adapter]);
const trained = [...trainableShapes(config).values()].reduce(
  (sum, shape) => sum + sizeOf(shape),
  0,
);
globalThis.gc?.();
writeFileSync('/proc/self/clear_refs', '5');
const before = memory('VmRSS');
const learner = new Learner(
  config,
  weights,
  { provider: 'cpu', threads: 2 },
  BENCH_OPTIMIZER,
  tokens,
);
const times: number[] = [];
const processor: number[] = [];
for (let step = 0; step <= steps; step++) {
  const started = performance.now();
  const used = process.cpuUsage();
  const surrogate = { clipLow: 0.2, clipHigh: 0.2, kl: 0, temperature: 1 };
  await learner.addSurrogate(sequencesOf(step), surrogate);
  await learner.update();
  // The first one compiles.
  if (step === 0) continue;
  times.push((performance.now() - started) / 1000);
  const { user, system } = process.cpuUsage(used);
  processor.push((user + system) / 1e6);
}
const peak = memory('VmHWM') - before;
const arrays = (3 * 4 * trained) / 2 ** 20;
const seconds = { seconds: median(times), cpu: median(processor) };
console.log(JSON.stringify({ ...seconds, peak, arrays, loaded: before, trained }));
process.exit(0);
