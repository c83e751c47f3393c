/**
 * Checks adapters against PEFT, both ways: what we write it loads and computes the same with, what it writes we do.
 *
 *   npm run check:peft        a line per case; fails where a logit is off by more than 2e-3
 *
 * Needs Python with torch, transformers and peft as in test/python/requirements-peft.txt; PIVOTTRACE_PYTHON names the
 * interpreter (default python3).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../src/core/errors.ts';
import { readJson, writeWhole } from '../../src/core/files.ts';
import { loadAdapter, saveAdapter } from '../../src/model/adapter.ts';
import type { DecoderConfig } from '../../src/model/config.ts';
import { loadConfig, loadWeights, saveWeights } from '../../src/model/directory.ts';
import { mergedWeight, orderedTargets } from '../../src/model/lora.ts';
import { type LoraSettings, loraTargets } from '../../src/model/lora-settings.ts';
import { interpreter, printedBy, runCheck } from '../python/driver.ts';
import { randomAdapter } from '../reference/adapters.ts';
import { forwardLogits } from '../reference/forward-logits.ts';
import { randomTokens, randomWeights, TINY_MODELS } from '../reference/models.ts';
import { tinyModel } from '../reference/tiny-directory.ts';

/** Largest deviation of a logit that passes. */
const TOLERANCE = 2e-3;

const rows = z.array(z.array(z.number()));
const answersSchema = z.record(
  z.string(),
  z.object({
    ...{ peft: rows, auto: rows, merged_by_us: rows, merged_by_peft: rows, written: rows },
    fresh: z.object({ a: z.number(), b: z.number() }),
  }),
);
type Answers = z.infer<typeof answersSchema>;

const SETTINGS: readonly LoraSettings[] = [
  { rank: 3, alpha: 7, targets: loraTargets, rslora: false },
  { rank: 4, alpha: 8, targets: ['q_proj', 'v_proj'], rslora: true },
  { rank: 8, alpha: 4, targets: ['o_proj', 'gate_proj', 'up_proj', 'down_proj'], rslora: false },
];

interface Case {
  name: string;
  /** Directories: the base, our adapter, our adapter merged, and where PEFT writes one. */
  base: string;
  adapter: string;
  merged: string;
  into: string;
  tokens: number[];
  seed: number;
  /** Settings of the adapter that PEFT writes. */
  theirs: { r: number; lora_alpha: number; target_modules: string[] | string; use_rslora: boolean };
}

/** A model with the files of a tokenizer, which PEFT looks at where an adapter directory has them. */
const tokenized = tinyModel();

/** Writes base, adapter and merged model of one family. */
function prepare(folder: string, [name, bare]: (typeof TINY_MODELS)[number], index: number): Case {
  const settings = SETTINGS[index % SETTINGS.length];
  const at = (what: string) => join(folder, `${index}-${what}`);
  const weights = randomWeights(bare, index);
  const adapter = randomAdapter(bare, settings, index);
  const from = bare === tokenized.config ? { from: tokenized.directory } : {};
  saveWeights(at('base'), bare, weights, from);
  const base = { name: at('base'), revision: null };
  saveAdapter(at('adapter'), { config: bare, settings, adapter, base, from: at('base') });
  const merged = [...weights].map(
    ([key, weight]) => [key, mergedWeight(key, weight, adapter, settings)] as const,
  );
  saveWeights(at('merged'), bare, new Map(merged), from);
  const other = SETTINGS[(index + 1) % SETTINGS.length];
  const { rank: r, alpha: lora_alpha, rslora: use_rslora } = other;
  const target_modules = index % 3 === 2 ? 'all-linear' : [...other.targets];
  return {
    ...{ name, base: at('base'), adapter: at('adapter'), merged: at('merged'), into: at('theirs') },
    tokens: [...randomTokens(bare, 24, index)],
    seed: index,
    theirs: { r, lora_alpha, target_modules, use_rslora },
  };
}

function askPeft(folder: string): Answers {
  const needs = {
    wanted: `${interpreter()} with torch, transformers and peft`,
    fix: 'Install test/python/requirements-peft.txt and name the interpreter in PIVOTTRACE_PYTHON.',
  };
  const env = { ...process.env, HF_HUB_OFFLINE: '1' };
  printedBy(new URL('peft_check.py', import.meta.url), [folder], needs, { env });
  return answersSchema.parse(readJson(join(folder, 'answers.json')));
}

/** Our logits, a row per token. */
async function ours(
  config: DecoderConfig,
  weights: ReadonlyMap<string, Float32Array>,
  tokens: readonly number[],
): Promise<number[][]> {
  const all = await forwardLogits(config, weights, tokens);
  const width = config.vocabSize;
  return tokens.map((_, t) => [...all.subarray(t * width, (t + 1) * width)]);
}

/** The model with the adapter beside its weights. */
function beside(directory: string, base: string) {
  const bare = loadWeights(base);
  const { settings, adapter } = loadAdapter(directory, bare.config);
  return {
    config: { ...bare.config, lora: settings },
    weights: new Map([...bare.weights, ...adapter]),
  };
}

function apart(a: readonly number[][], b: readonly number[][]): number {
  if (a.length !== b.length) return Infinity;
  let worst = 0;
  for (const [t, row] of a.entries()) {
    for (const [i, value] of row.entries()) worst = Math.max(worst, Math.abs(value - b[t][i]));
  }
  return Number.isNaN(worst) ? Infinity : worst;
}

/** Largest deviations of one case, by what was compared. */
async function compare(one: Case, answer: Answers[string]): Promise<Record<string, number>> {
  const adapted = beside(one.adapter, one.base);
  const mine = await ours(adapted.config, adapted.weights, one.tokens);
  const merged = loadWeights(one.adapter);
  const theirs = beside(one.into, one.base);
  const theirsMerged = loadWeights(one.into);
  const bare = loadWeights(one.base);
  const plain = await ours(bare.config, bare.weights, one.tokens);
  if (apart(mine, plain) < 0.05) throw new Error(`${one.name}: the adapter changes nothing`);
  const wanted = orderedTargets(
    one.theirs.target_modules === 'all-linear' ? loraTargets : one.theirs.target_modules,
  );
  if (wanted.join() !== theirs.config.lora.targets.join()) throw new Error('other targets');
  return {
    'ours in PEFT': apart(mine, answer.peft),
    'ours by AutoPeftModel': apart(mine, answer.auto),
    'ours merged by PEFT': apart(mine, answer.merged_by_peft),
    'merged by us': apart(mine, answer.merged_by_us),
    'merged at load': apart(await ours(merged.config, merged.weights, one.tokens), answer.peft),
    'theirs here': apart(await ours(theirs.config, theirs.weights, one.tokens), answer.written),
    'theirs merged here': apart(
      await ours(theirsMerged.config, theirsMerged.weights, one.tokens),
      answer.written,
    ),
  };
}

const REFUSED = {
  alpha_pattern: {
    r: 4,
    target_modules: ['q_proj'],
    alpha_pattern: { 'layers.0.self_attn.q_proj': 2 },
  },
  rank_pattern: {
    r: 4,
    target_modules: ['q_proj'],
    rank_pattern: { 'layers.0.self_attn.q_proj': 2 },
  },
  use_dora: { r: 4, target_modules: ['q_proj'], use_dora: true },
  layers_to_transform: { r: 4, target_modules: ['q_proj'], layers_to_transform: [1] },
  modules_to_save: { r: 4, target_modules: ['q_proj'], modules_to_save: ['lm_head'] },
};

/** Which of the adapters that are to be refused are not. */
function accepted(into: string, base: string): string[] {
  return Object.keys(REFUSED).filter((name) => {
    try {
      loadAdapter(join(into, name), loadConfig(base));
      return true;
    } catch (error) {
      return !(error instanceof UserError && error.message.includes(name));
    }
  });
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pivottrace-peft-'));
  try {
    const models: typeof TINY_MODELS = [...TINY_MODELS, ['with a tokenizer', tokenized.config]];
    const cases = models.map((model, i) => prepare(folder, model, i));
    const refused = { base: cases[0].base, into: join(folder, 'refused'), settings: REFUSED };
    writeWhole(join(folder, 'cases.json'), JSON.stringify({ cases, refused }));
    const answers = askPeft(folder);
    let failures = 0;
    for (const one of cases) {
      const answer = answers[one.name];
      for (const [what, largest] of Object.entries(await compare(one, answer))) {
        const passes = largest <= TOLERANCE;
        failures += passes ? 0 : 1;
        const verdict = passes ? 'ok' : 'FAILED';
        console.log(
          `${one.name.padEnd(42)}${what.padEnd(24)}${largest.toExponential(1)}  ${verdict}`,
        );
      }
      // Fresh adapters reach as far as ours: see freshAdapter.
      if (!(answer.fresh.a > 0.9 && answer.fresh.a <= 1.000001 && answer.fresh.b === 0)) {
        failures += 1;
        console.log(`${one.name}: PEFT starts otherwise: ${JSON.stringify(answer.fresh)}`);
      }
    }
    for (const name of accepted(refused.into, refused.base)) {
      failures += 1;
      console.log(`${name} should be refused`);
    }
    console.log(failures === 0 ? 'PEFT and we agree.' : `${failures} checks failed.`);
    if (failures > 0) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
    tokenized.remove();
  }
}

await runCheck(main);
