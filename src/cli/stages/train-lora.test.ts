/** A run that trains an adapter, by its settings: what it writes, how it goes on, and what is done with the result. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { silent } from '../../core/progress.ts';
import { loadAdapter } from '../../model/adapter.ts';
import { readAdapterConfig } from '../../model/adapter-config.ts';
import { loadConfig as loadModelConfig, loadWeights } from '../../model/directory.ts';
import { openStore } from '../../store/store.ts';
import { freshWorkspace } from '../../store/testing/workspace.ts';
import type { Store } from '../../store/types.ts';
import { inlineVerifier } from '../../verify/testing/inline.ts';
import { type Config, loadConfig, packageRoot } from '../config.ts';
import { modelIdentity } from './model-identity.ts';
import { samplingOf, withPolicy } from './policy.ts';
import { ingestFiles } from './pool.ts';
import { trainRun } from './train.ts';

const MODEL = join(packageRoot, 'models/reasoner');
const verifier = await inlineVerifier({ kind: 'auto' });
let workspace: string;
let folder: string;
let store: Store;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-lora-'));
  const few = join(folder, 'few.jsonl');
  const rows = readFileSync(join(packageRoot, 'data/test.jsonl'), 'utf8').split('\n');
  writeFileSync(few, rows.slice(0, 12).join('\n'));
  workspace = await freshWorkspace();
  store = await openStore(workspace);
  const { signal } = new AbortController();
  await ingestFiles({ store, config: configOf(), files: [few], progress: silent, stop: signal });
}, 240_000);
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function configOf(...overrides: string[]): Config {
  return loadConfig({
    cwd: workspace,
    overrides: [
      ...[`workspace=${workspace}`, 'engine.threads=1', 'rollout.max_tokens=80'],
      ...['train.arm=full', 'train.steps=2', 'train.prompts_per_step=4', 'train.group_size=6'],
      ...['train.lr=0.002', 'train.checkpoint_every=1', 'train.kl=0.01', 'eval.at_start=false'],
      ...['train.lora.rank=2', 'train.lora.targets=[v_proj, q_proj]', ...overrides],
    ],
  }).config;
}

async function train(config: Config) {
  return await trainRun({
    ...{ store, config, progress: silent, stop: new AbortController().signal, sharing: 1 },
    verifiers: { of: () => verifier },
  });
}

const runOf = (name: string) => join(workspace, 'runs', name);
describe('a run with an adapter', () => {
  beforeAll(async () => {
    await train(configOf('train.run=adapter', 'train.lora.merge=true'));
  }, 240_000);

  it('leaves an adapter of the model, and the whole model beside it', () => {
    const final = join(runOf('adapter'), 'final');
    expect(readdirSync(final)).toContain('adapter_model.safetensors');
    expect(readdirSync(final)).toContain('tokenizer.json');
    expect(readAdapterConfig(final).base).toEqual({ name: MODEL, revision: null });
    const { settings, adapter } = loadAdapter(final, loadModelConfig(MODEL));
    expect(settings).toEqual({ rank: 2, alpha: 32, targets: ['q_proj', 'v_proj'], rslora: false });
    const moved = [...adapter].filter(
      ([name, v]) => name.includes('lora_B') && v.some((x) => x !== 0),
    );
    expect(moved.length).toBe(adapter.size / 2);
    const merged = loadWeights(join(runOf('adapter'), 'merged'));
    const base = loadWeights(MODEL);
    expect(merged.dtypes).toEqual(base.dtypes);
    const changed = [...merged.weights].filter(
      ([name, values]) => !values.every((v, i) => v === base.weights.get(name)?.[i]),
    );
    expect(changed.every(([name]) => /(q|v)_proj\.weight$/.test(name))).toBe(true);
    expect(changed.length).toBe(adapter.size / 2);
  });

  it('keeps checkpoints without the base', () => {
    const files = readdirSync(join(runOf('adapter'), 'checkpoint-2'));
    expect(files).toContain('optimizer.safetensors');
    expect(files).toContain('adapter_model.safetensors');
    expect(files).not.toContain('model.safetensors');
  });

  it('is a run of its own settings, but for what is written at the end', async () => {
    const config = parse(readFileSync(join(runOf('adapter'), 'config.yaml'), 'utf8'));
    expect(config.train.lora).toEqual({
      ...{ rank: 2, alpha: 32, targets: ['v_proj', 'q_proj'], rslora: false },
    });
    await train(configOf('train.run=adapter', 'train.lora.merge=false'));
    const other = configOf('train.run=adapter', 'train.lora.alpha=8');
    await expect(train(other)).rejects.toThrow('train.lora.alpha');
  }, 240_000);

  it('can be asked and trained on as it is', async () => {
    const final = join(runOf('adapter'), 'final');
    const request = [{ promptId: 'p', sample: 0, prompt: 'start 3 add 4' }];
    const [one] = await withPolicy(configOf(`model=${final}`), (policy) =>
      policy.generate(request, samplingOf(configOf())),
    );
    expect(one.tokens.length).toBeGreaterThan(0);
    // What was written merged was rounded to the dtypes of the base.
    const { weights } = loadWeights(join(runOf('adapter'), 'merged'));
    for (const [name, exact] of loadWeights(final).weights) {
      const written = weights.get(name);
      const worst = exact.reduce((top, v, i) => {
        return Math.max(top, Math.abs(v - (written?.[i] ?? 0)) / Math.max(1e-3, Math.abs(v)));
      }, 0);
      expect(worst, name).toBeLessThan(2 ** -7);
    }
    expect(await modelIdentity(final)).not.toBe(await modelIdentity(MODEL));
    await train(configOf(`model=${final}`, 'train.run=further'));
    const further = join(runOf('further'), 'final');
    expect(readAdapterConfig(further).base.name).toBe(MODEL);
    const [before, after] = [final, further].map((at) => loadAdapter(at, loadModelConfig(MODEL)));
    expect(after.settings).toEqual(before.settings);
    expect(after.adapter).not.toEqual(before.adapter);
  }, 240_000);
});

it('a run of all weights has no settings of an adapter', async () => {
  await train(configOf('train.run=whole', 'train.lora.rank=0', 'train.steps=1'));
  const config = parse(readFileSync(join(runOf('whole'), 'config.yaml'), 'utf8'));
  expect(config.train).not.toHaveProperty('lora');
  expect(readdirSync(join(runOf('whole'), 'final'))).toContain('model.safetensors');
}, 240_000);
