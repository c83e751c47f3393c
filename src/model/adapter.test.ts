/** Adapter directories: what we write we read, what others write is read or refused, and what is merged. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { ALL_TARGETS, mergedReference, randomAdapter } from '../../test/reference/adapters.ts';
import { tinyModel } from '../../test/reference/tiny-directory.ts';
import { readJson, writeWhole } from '../core/files.ts';
import { type AdapterToSave, loadAdapter, saveAdapter } from './adapter.ts';
import {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  adapterBase,
  findBase,
  isAdapter,
} from './adapter-config.ts';
import { loadChatTemplate } from './chat-template.ts';
import { loadConfig, loadWeights, saveWeights } from './directory.ts';
import { nameInCache } from './hub-cache.ts';
import { mergedWeight } from './lora.ts';
import { type LoraSettings, loraTargets } from './lora-settings.ts';
import {
  openSafetensors,
  type TensorToWrite,
  type ValueSource,
  writeSafetensors,
} from './safetensors.ts';
import { loadTokenizer } from './tokenizer.ts';

const model = tinyModel();
const home = mkdtempSync(join(tmpdir(), 'pivottrace-adapter-'));
afterAll(() => {
  model.remove();
  rmSync(home, { recursive: true });
});

const adapter = randomAdapter(model.config, ALL_TARGETS, 2);
const usual: AdapterToSave = {
  ...{ config: model.config, settings: ALL_TARGETS, adapter, from: model.directory },
  base: { name: model.directory, revision: null },
};

let count = 0;
/** A fresh adapter directory, then changed. */
function adapterWith(changes: Record<string, unknown> = {}, saved: Partial<AdapterToSave> = {}) {
  const directory = join(home, `adapter-${count++}`);
  saveAdapter(directory, { ...usual, ...saved });
  const path = join(directory, ADAPTER_CONFIG);
  const json = readJson(path);
  writeWhole(path, JSON.stringify(Object.assign({}, json, changes)));
  return directory;
}

/** Writes the adapter's tensors anew, as `change` leaves them. */
function rewrite(directory: string, change: (tensors: TensorToWrite[]) => TensorToWrite[]): void {
  const path = join(directory, ADAPTER_WEIGHTS);
  const file = openSafetensors(path);
  const tensors = [...file.tensors].map(([name, { shape }]): TensorToWrite => {
    return { name, shape, values: file.read(name), dtype: 'float32' };
  });
  file.close();
  writeSafetensors(path, change(tensors));
}

describe('an adapter that was saved', () => {
  it('is read as it was, in the order of its shapes', () => {
    const settings: LoraSettings = { rank: 2, alpha: 3, targets: ['k_proj'], rslora: true };
    const own = randomAdapter(model.config, settings, 4);
    const directory = adapterWith({}, { settings, adapter: own });
    expect(loadAdapter(directory, model.config)).toEqual({ settings, adapter: own });
  });

  it('is in the format of PEFT, with what belongs to the tokenizer', () => {
    const directory = join(home, 'format');
    saveAdapter(directory, { ...usual, base: { name: 'org/name', revision: 'v1' } });
    expect(readJson(join(directory, ADAPTER_CONFIG))).toMatchObject({
      ...{ peft_type: 'LORA', task_type: 'CAUSAL_LM', bias: 'none', use_rslora: false },
      ...{ r: 3, lora_alpha: 7, target_modules: [...loraTargets], lora_dropout: 0 },
      ...{ base_model_name_or_path: 'org/name', revision: 'v1' },
    });
    expect(readdirSync(directory).sort()).toEqual(
      [ADAPTER_CONFIG, ADAPTER_WEIGHTS, 'tokenizer.json', 'tokenizer_config.json'].sort(),
    );
    const file = openSafetensors(join(directory, ADAPTER_WEIGHTS));
    const name = 'base_model.model.model.layers.1.mlp.down_proj.lora_B.weight';
    expect(file.tensors.get(name)).toMatchObject({ dtype: 'F32', shape: [32, 3] });
    file.close();
  });

  it('replaces another adapter and nothing else', () => {
    const directory = adapterWith();
    saveAdapter(directory, { ...usual, adapter: randomAdapter(model.config, ALL_TARGETS, 9) });
    expect(loadAdapter(directory, model.config).adapter).not.toEqual(adapter);
    expect(() => saveAdapter(model.directory, usual)).toThrow('adapter directory to write to');
    expect(readdirSync(home).filter((name) => /tmp|old/.test(name))).toEqual([]);
  });
});

describe('a model that is named by its adapter', () => {
  it('is its base with the adapter merged in', () => {
    const directory = adapterWith();
    const both = new Map([...model.weights, ...adapter]);
    const expected = mergedReference(model.config, both, ALL_TARGETS);
    const { config, weights, dtypes } = loadWeights(directory);
    expect(config).toEqual(model.config);
    expect(loadConfig(directory)).toEqual(model.config);
    expect([...dtypes.values()].every((dtype) => dtype === 'float32')).toBe(true);
    for (const [name, values] of weights) {
      const other = expected.get(name) ?? [];
      expect(Math.max(...values.map((v, i) => Math.abs(v - other[i])))).toBeLessThan(1e-6);
    }
  });

  it('has the tokenizer and the chat template of its base where it has none', () => {
    const directory = adapterWith();
    for (const name of readdirSync(directory)) {
      if (name.startsWith('tokenizer')) rmSync(join(directory, name));
    }
    expect(loadTokenizer(directory).eosIds).toEqual(model.tokenizer.eosIds);
    expect(loadChatTemplate(directory).present).toBe(loadChatTemplate(model.directory).present);
    writeWhole(join(directory, 'chat_template.jinja'), 'own');
    expect(loadChatTemplate(directory).render([]).text).toBe('own');
  });

  it('may lie beside its base', () => {
    const directory = adapterWith();
    const path = relative(directory, model.directory);
    const other = adapterWith({ base_model_name_or_path: path });
    expect(adapterBase(other)).toBe(model.directory);
  });

  it('may have its base in the cache of the hub', () => {
    const cache = join(home, 'hub');
    const commit = 'a'.repeat(40);
    const repo = join(cache, 'models--org--base');
    const snapshot = join(repo, 'snapshots', commit);
    saveWeights(snapshot, model.config, model.weights, { from: model.directory });
    writeWhole(join(repo, 'refs', 'v1'), commit);
    vi.stubEnv('HF_HUB_CACHE', cache);
    const directory = adapterWith({ base_model_name_or_path: 'org/base', revision: 'v1' });
    const named = { name: 'org/base', revision: 'v1' };
    expect(findBase(directory)).toEqual({ path: snapshot, named });
    expect(nameInCache(snapshot)).toEqual({ name: 'org/base', revision: commit });
    expect(nameInCache(model.directory)).toBeUndefined();
    expect(() => loadConfig(adapterWith({ base_model_name_or_path: 'org/base' }))).toThrow(
      'org/base',
    );
    vi.unstubAllEnvs();
  });

  it('may be an adapter on an adapter', () => {
    const below = adapterWith();
    const above = adapterWith({ base_model_name_or_path: below });
    const name = 'model.layers.0.self_attn.q_proj.weight';
    const once = loadWeights(below).weights.get(name) ?? new Float32Array();
    expect(loadWeights(above).weights.get(name)).toEqual(
      mergedWeight(name, once, adapter, ALL_TARGETS),
    );
  });

  it('is none where there are weights of its own', () => {
    const directory = join(home, 'both');
    saveWeights(directory, model.config, model.weights, { from: model.directory });
    writeWhole(join(directory, ADAPTER_CONFIG), '{}');
    expect(isAdapter(directory)).toBe(false);
    expect(loadWeights(directory).weights).toEqual(model.weights);
  });

  it('says where a base is looked for that is not there', () => {
    const directory = adapterWith({ base_model_name_or_path: '/nowhere/at/all' });
    expect(existsSync(directory)).toBe(true);
    expect(() => loadWeights(directory)).toThrow('/nowhere/at/all');
  });
});

describe('of what PEFT can write', () => {
  const inert: Record<string, unknown> = {
    ...{ alpha_pattern: {}, rank_pattern: {}, auto_mapping: null, layers_to_transform: null },
    ...{ lora_dropout: 0.1, peft_version: '0.18.0', qalora_group_size: 16, loftq_config: {} },
    ...{ megatron_core: 'megatron.core', target_modules: 'all-linear', modules_to_save: null },
    ...{ init_lora_weights: 'gaussian', use_dora: false, lora_bias: false, new_key: null },
  };
  it('what changes nothing is read', () => {
    const found = loadAdapter(adapterWith(inert), model.config);
    expect(found).toEqual({ settings: ALL_TARGETS, adapter });
  });

  it.each([
    ['an alpha of its own for a layer', { alpha_pattern: { q_proj: 4 } }, 'alpha_pattern'],
    ['a rank of its own for a layer', { rank_pattern: { q_proj: 4 } }, 'rank_pattern'],
    ['DoRA', { use_dora: true }, 'use_dora'],
    ['other modules', { modules_to_save: ['lm_head'] }, 'modules_to_save'],
    ['some layers', { layers_to_transform: [1] }, 'layers_to_transform'],
    [
      'an initialisation that changes the base',
      { init_lora_weights: 'pissa_niter_4' },
      'init_lora',
    ],
    ['biases', { bias: 'all' }, 'bias'],
    ['another method', { peft_type: 'IA3' }, 'peft_type'],
    ['what is not known', { brand_new: 3 }, 'brand_new = 3'],
    ['no base', { base_model_name_or_path: null }, 'base_model_name_or_path'],
  ])('%s is refused', (_what, changes, message) => {
    expect(() => loadAdapter(adapterWith(changes), model.config)).toThrow(message);
  });

  const q1 = 'base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight';
  it.each<[string, (tensors: TensorToWrite[]) => TensorToWrite[], string]>([
    ['a layer that has none', (all) => all.filter(({ name }) => name !== q1), 'no such tensor'],
    ['no tensors', () => [], 'no tensors'],
    [
      'a tensor of something else',
      (all) => [...all, { ...all[0], name: 'base_model.model.lm_head.lora_A.weight' }],
      'another tensor',
    ],
    [
      'a layer that the base has not',
      (all) => [...all, { ...all[0], name: q1.replace('layers.1', 'layers.7') }],
      'layers.7',
    ],
    [
      'another shape',
      (all) => all.map((one) => (one.name === q1 ? { ...one, shape: [32, 3] } : one)),
      'found [32, 3]',
    ],
  ])('%s is refused', (_what, change, message) => {
    const directory = adapterWith();
    rewrite(directory, change);
    expect(() => loadAdapter(directory, model.config)).toThrow(message);
  });
});

it('makes a merged weight when it is written, each once', () => {
  const directory = join(home, 'merged');
  let made = 0;
  const weights = new Map(
    [...model.weights].map(([name, weight]) => {
      const make = () => {
        made += 1;
        return mergedWeight(name, weight, adapter, ALL_TARGETS);
      };
      return [name, make] as const;
    }),
  );
  saveWeights(directory, model.config, weights, { from: model.directory });
  expect(made).toBe(model.weights.size);
  expect(loadWeights(directory).weights).toEqual(loadWeights(adapterWith()).weights);
});

it('refuses a merged weight that float16 cannot hold, and leaves nothing behind', () => {
  const directory = join(home, 'overflow');
  const huge = () =>
    new Float32Array(model.weights.get('model.norm.weight')?.length ?? 0).fill(1e6);
  const weights = new Map<string, ValueSource>([...model.weights, ['model.norm.weight', huge]]);
  expect(() => saveWeights(directory, model.config, weights, { dtype: 'float16' })).toThrow(
    'float16 can hold',
  );
  expect(readdirSync(home).filter((name) => name.startsWith('overflow'))).toEqual([]);
});
