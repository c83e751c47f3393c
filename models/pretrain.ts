/**
 * One stage of the bundled reasoner's pretraining (see models/README.md for the stages in order).
 *
 *   npx tsx models/pretrain.ts --stage warm --steps 800 --lr 2e-3 --out build/warm
 *   npx tsx models/pretrain.ts --stage clean --steps 6000 --lr 2e-3 --from build/warm --out build/clean
 *
 * Loss on the responses only. The model directory at --out is whole after every `--save-every` steps.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { example, separator } from '../data/reasoning/corpus.ts';
import { buildTokenizer } from '../data/reasoning/tokenizer.ts';
import type { Stage } from '../data/reasoning/types.ts';
import { writeWhole } from '../src/core/files.ts';
import { stream } from '../src/core/random.ts';
import { type DecoderConfig, parameterShapes, parseDecoderConfig } from '../src/model/config.ts';
import { loadWeights, saveWeights } from '../src/model/directory.ts';
import { loadTokenizer } from '../src/model/tokenizer.ts';
import { Learner, type Sequence } from '../src/train/learner.ts';

const ARCHITECTURE = {
  architectures: ['Qwen3ForCausalLM'],
  model_type: 'qwen3',
  hidden_size: 128,
  intermediate_size: 384,
  num_hidden_layers: 4,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 16,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  tie_word_embeddings: true,
  hidden_act: 'silu',
  attention_bias: false,
  attention_dropout: 0,
  initializer_range: 0.05,
  use_cache: true,
  dtype: 'bfloat16',
};

const { values: options } = parseArgs({
  options: {
    stage: { type: 'string', default: 'warm' },
    steps: { type: 'string', default: '800' },
    batch: { type: 'string', default: '96' },
    lr: { type: 'string', default: '2e-3' },
    'min-lr-ratio': { type: 'string', default: '0.1' },
    warmup: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    'save-every': { type: 'string', default: '500' },
    // Ends before the schedule does.
    'stop-at': { type: 'string' },
    from: { type: 'string' },
    out: { type: 'string' },
  },
});

function stageOf(name: string): Stage {
  if (name === 'warm' || name === 'clean' || name === 'noisy') return name;
  throw new Error(`--stage is warm, clean or noisy, not ${name}`);
}

/** A fresh model directory's tokenizer files. */
function writeTokenizer(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, content] of Object.entries(buildTokenizer())) {
    writeWhole(
      join(directory, `${name.replace('_json', '')}.json`),
      `${JSON.stringify(content, null, 1)}\n`,
    );
  }
}

/** Normal weights; those that write into the residual stream are smaller by 1 / sqrt(2 layers). */
function freshWeights(config: DecoderConfig, seed: number): Map<string, Float32Array> {
  const residual = 1 / Math.sqrt(2 * config.layers);
  return new Map(
    [...parameterShapes(config)].map(([name, shape]) => {
      const random = stream(seed, 'init', name);
      const scale = /o_proj|down_proj/.test(name) ? residual : 1;
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1);
      if (shape.length > 1) {
        for (let i = 0; i < data.length; i++)
          data[i] = random.normal() * config.initializerRange * scale;
      }
      return [name, data];
    }),
  );
}

async function main(): Promise<void> {
  const out = options.out ?? 'build/reasoner';
  const stage = stageOf(options.stage);
  const steps = Number(options.steps);
  const batch = Number(options.batch);
  const seed = Number(options.seed);
  const tokenizerHome = options.from ?? `${out}-tokenizer`;
  if (options.from === undefined) writeTokenizer(tokenizerHome);
  const tokenizer = loadTokenizer(tokenizerHome);
  const fresh = () => {
    const config = parseDecoderConfig(
      {
        ...ARCHITECTURE,
        vocab_size: Math.ceil(tokenizer.vocabSize / 16) * 16,
        eos_token_id: tokenizer.eosIds[0],
        pad_token_id: tokenizer.padId,
      },
      'the bundled architecture',
    );
    return { config, weights: freshWeights(config, seed) };
  };
  const { config, weights } = options.from === undefined ? fresh() : loadWeights(options.from);
  tokenizer.checkFits(config);
  const engine = { provider: 'cpu', threads: Number(options.threads) } as const;
  const learner = new Learner(
    config,
    weights,
    engine,
    {
      lr: Number(options.lr),
      beta1: 0.9,
      beta2: 0.98,
      eps: 1e-8,
      weightDecay: 0.01,
      maxGradNorm: 1,
      warmupSteps: Number(options.warmup),
      schedule: 'cosine',
      totalSteps: steps,
      minLrRatio: Number(options['min-lr-ratio']),
    },
    8192,
  );
  const [eos] = tokenizer.eosIds;
  const started = performance.now();
  let seen = 0;
  let smooth = 0;
  const last = Number(options['stop-at'] ?? steps);
  for (let step = 1; step <= last; step++) {
    const random = stream(seed, 'corpus', stage, step);
    const sequences: Sequence[] = [];
    let targets = 0;
    for (let i = 0; i < batch; i++) {
      const { prompt, response } = example(random, stage);
      const head = tokenizer.encode(`${prompt}${separator}`);
      const tokens = Int32Array.from([...head, ...tokenizer.encode(response), eos]);
      targets += tokens.length - head.length;
      seen += tokens.length;
      sequences.push({ tokens, from: head.length, weight: 1 });
    }
    const { loss } = await learner.addLikelihood(
      sequences.map((s) => ({ ...s, weight: 1 / targets })),
    );
    const { gradNorm, lr } = await learner.update();
    smooth = smooth === 0 ? loss : 0.98 * smooth + 0.02 * loss;
    if (step % 50 === 0 || step === last) {
      const seconds = (performance.now() - started) / 1000;
      const left = (seconds / step) * (last - step);
      console.log(
        `${stage} ${step}/${steps} loss ${loss.toFixed(4)} smooth ${smooth.toFixed(4)} norm ${gradNorm.toFixed(3)} lr ${lr.toExponential(2)} ` +
          `${(seen / seconds).toFixed(0)} tokens/s, ${(left / 60).toFixed(1)} min left`,
      );
    }
    if (step % Number(options['save-every']) === 0 || step === last) {
      saveWeights(out, config, weights, {
        dtype: step === last && stage === 'noisy' ? 'bfloat16' : 'float32',
        from: tokenizerHome,
      });
    }
  }
  if (options.from === undefined && existsSync(tokenizerHome))
    console.log(`tokenizer: ${tokenizerHome}`);
}

await main();
