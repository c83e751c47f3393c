/** Random small models that transformers made: logits, traces, and what we save of them. */
import { join } from 'node:path';
import type { DecoderConfig, WeightDtype } from '../../src/model/config.ts';
import { loadWeights, saveWeights } from '../../src/model/directory.ts';
import { openSafetensors } from '../../src/model/safetensors.ts';
import type { Tokenizer } from '../../src/model/tokenizer.ts';
import { forwardLogits } from '../reference/forward-logits.ts';
import { ENGINE } from './engine.ts';
import type { Result } from './parity.ts';
import type { Answers, Job } from './python.ts';
import { compareTrace, SAMPLING, type Traced, traceBothWays, worst } from './signals.ts';

/** Largest deviation of a logit, and of a signal, that passes. */
export const LOGITS = 2e-3;
export const SIGNALS = 1e-3;

interface SmallModel {
  name: string;
  directory: string;
  config: DecoderConfig;
  /** Largest deviation of a logit by length of the text. */
  logits: Map<number, number>;
  traced: { trace: Traced; path: string }[];
  saved: { directory: string; dtype: WeightDtype; files: string }[];
}

type Cases = { name: string; ids: number[]; lengths: number[] }[];

const DTYPES: [WeightDtype, number | undefined][] = [
  ['float32', undefined],
  ['bfloat16', undefined],
  ['float16', undefined],
  ['bfloat16', 20_000],
];

/** Everything that our side computes; the models and their logits are in `folder`. */
export async function prepareSmall(folder: string, cases: Cases): Promise<SmallModel[]> {
  const models: SmallModel[] = [];
  for (const { name, ids, lengths } of cases) {
    const directory = join(folder, name);
    const { config, weights } = loadWeights(directory);
    const expected = openSafetensors(join(folder, `${name}.expected.safetensors`));
    const byLength = new Map<number, number>();
    for (const length of lengths) {
      const shown = ids.slice(0, length);
      const found = await forwardLogits(config, weights, shown, { engine: ENGINE });
      byLength.set(length, worst(found, expected.read(`logits.${length}`)));
    }
    expected.close();
    const prompts = [ids.slice(0, 40), ids.slice(40, 240)];
    const traces = await traceBothWays(config, weights, wordless(config), prompts, SAMPLING);
    const traced = traces.map((trace, i) => ({
      trace,
      path: join(folder, `${name}.${i}.attention.safetensors`),
    }));
    const saved = !name.endsWith('-default')
      ? []
      : DTYPES.map(([dtype, shardBytes], i) => {
          const to = join(folder, `${name}-saved-${i}`);
          saveWeights(to, config, weights, { dtype, ...(shardBytes && { shardBytes }) });
          return { directory: to, dtype, files: shardBytes === undefined ? 'one file' : 'shards' };
        });
    models.push({ name, directory, config, logits: byLength, traced, saved });
  }
  return models;
}

export function smallJob(models: readonly SmallModel[]): Job {
  return {
    ...{ tokens: [], gguf: [], greedy: [] },
    saved: models.flatMap(({ directory, saved }) =>
      saved.map((one) => ({ source: directory, saved: one.directory, dtype: one.dtype })),
    ),
    attentions: models.map(({ directory, traced }) => ({
      directory,
      texts: traced.map(({ trace, path }) => ({ ids: trace.ids, path })),
    })),
  };
}

export function smallResults(models: readonly SmallModel[], answers: Answers): Result[] {
  const of = models.flatMap(({ name, config, logits, traced }): Result[] => {
    const deviations = traced.map(({ trace, path }) => compareTrace(config, trace, path));
    const all = deviations.flatMap((one) => [...one]);
    const signals = all.filter(([key]) => key !== 'decode logprob');
    const [where, most] = signals.reduce((a, b) => (b[1] > a[1] ? b : a));
    const logprob = Math.max(...deviations.map((one) => one.get('decode logprob') ?? Infinity));
    return [
      {
        ...{ name: `${name}: logits`, detail: `at ${[...logits.keys()].join(', ')} tokens` },
        ...{ worst: Math.max(...logits.values()), limit: LOGITS },
      },
      {
        ...{ name: `${name}: log-probabilities`, detail: 'while decoding' },
        ...{ worst: logprob, limit: LOGITS },
      },
      {
        ...{ name: `${name}: six signals, two ways`, detail: `most: ${where}` },
        ...{ worst: most, limit: SIGNALS },
      },
    ];
  });
  const written = models.flatMap(({ name, saved }) => saved.map((one) => ({ name, ...one })));
  const loads = written.map(({ name, dtype, files }, i): Result => {
    const { worst: most, missing, dtypes } = answers.saved[i];
    const isRight = missing === 0 && dtypes.join() === `torch.${dtype}`;
    return {
      ...{ name: `${name}: saved by us, loaded there`, detail: `${dtype}, ${files}` },
      ...{ worst: isRight ? most : Infinity, limit: 0 },
    };
  });
  return [...of, ...loads];
}

/** For models without words: no token ends a text. */
function wordless({ vocabSize }: DecoderConfig): Tokenizer {
  return {
    ...{ vocabSize, eosIds: [], bosId: null, padId: 0 },
    encode: () => [],
    decode: () => '',
    tokenText: (id) => `[${id}]`,
    checkFits: () => {},
  };
}
