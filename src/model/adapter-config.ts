/**
 * adapter_config.json as PEFT writes it: which weights an adapter directory is for, and its settings.
 *
 * What would change the result and is not implemented is refused by name. Knows nothing of tensors.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { readJson } from '../core/files.ts';
import type { LoraSettings } from './lora-settings.ts';
import { findModel } from './resolve.ts';

export const ADAPTER_CONFIG = 'adapter_config.json';
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors';

/** Of full weights; some trainers leave a config.json of the base beside an adapter. */
const FULL = ['model.safetensors', 'model.safetensors.index.json'];

/** Keys that change nothing, or how an adapter was trained only. Which modules have one, the tensors say. */
const INERT = new Set([
  ...['auto_mapping', 'task_type', 'inference_mode', 'peft_version', 'runtime_config'],
  ...['lora_dropout', 'target_modules', 'exclude_modules', 'layers_pattern', 'revision'],
  ...['megatron_config', 'megatron_core', 'qalora_group_size', 'loftq_config', 'eva_config'],
  ...['ensure_weight_tying', 'base_model_name_or_path'],
]);

/** Initialisations that take something out of the base weights: the adapter fits no others. */
const CHANGES_BASE = /^(pissa|olora|corda|loftq)/;

const schema = z.looseObject({
  peft_type: z.literal('LORA'),
  base_model_name_or_path: z.string().min(1),
  revision: z.string().nullish(),
  r: z.int().min(1),
  lora_alpha: z.number(),
  use_rslora: z.boolean().default(false),
  bias: z.literal('none').default('none'),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
});

/** The model that an adapter is for, as adapter_config.json names it. */
export interface AdapterBase {
  /** A directory, or a name of the hub. */
  name: string;
  /** Of a name of the hub. */
  revision: string | null;
}

export interface AdapterConfig {
  base: AdapterBase;
  settings: Omit<LoraSettings, 'targets'>;
}

/** Whether `directory` holds an adapter and no weights of its own. */
export function isAdapter(directory: string): boolean {
  return (
    existsSync(join(directory, ADAPTER_CONFIG)) &&
    !FULL.some((name) => existsSync(join(directory, name)))
  );
}

/** What adapter_config.json says. UserError naming every key that is not understood. */
export function readAdapterConfig(directory: string): AdapterConfig {
  const where = join(directory, ADAPTER_CONFIG);
  const parsed = schema.safeParse(readJson(where));
  if (!parsed.success) {
    const found = z.prettifyError(parsed.error);
    throw new UserError({ wanted: 'the configuration of a LoRA adapter', found, where });
  }
  const { peft_type: _, bias: __, r: rank, lora_alpha: alpha, use_rslora: rslora } = parsed.data;
  refuseUnknown(parsed.data, where);
  const { base_model_name_or_path: name, revision } = parsed.data;
  return { base: { name, revision: revision ?? null }, settings: { rank, alpha, rslora } };
}

function refuseUnknown(raw: Readonly<Record<string, unknown>>, where: string): void {
  const known = new Set([...Object.keys(schema.shape), ...INERT]);
  const others = Object.keys(raw).filter((key) => !known.has(key) && !isNothing(raw[key]));
  const init = raw.init_lora_weights;
  if (typeof init === 'string' && CHANGES_BASE.test(init)) others.push('init_lora_weights');
  if (others.length === 0) return;
  throw new UserError({
    wanted: 'an adapter of plain LoRA, one rank and one alpha for all layers',
    found: others.map((key) => `${key} = ${JSON.stringify(raw[key])}`).join(', '),
    where,
    fix: 'Merge it into its base with PEFT (merge_and_unload) and use the merged model.',
  });
}

/** How PEFT writes that something is not in use. */
function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** The base of an adapter: its path on this machine, and how an adapter that goes on from this one names it. */
export interface FoundBase {
  path: string;
  named: AdapterBase;
}

/**
 * The base of an adapter directory: the path that it names, from the working directory or from the adapter's own, or
 * what the hub's cache has under that name; undefined where `directory` is no adapter. UserError where the base is
 * not there.
 */
export function findBase(directory: string): FoundBase | undefined {
  if (!isAdapter(directory)) return undefined;
  const { base } = readAdapterConfig(directory);
  const { name, revision } = base;
  const path = [resolve(name), resolve(directory, name)].find((place) => existsSync(place));
  const found = findModel(path ?? (revision === null ? name : `${name}@${revision}`));
  if (found !== undefined) {
    const named = path === undefined ? base : { name: path, revision: null };
    return { path: found.path, named };
  }
  throw new UserError({
    wanted: 'the model that the adapter belongs to, as a path or in the cache of the hub',
    found: `no ${name}`,
    where: join(directory, ADAPTER_CONFIG),
    fix: 'Set base_model_name_or_path there to the directory of the base model.',
  });
}

/** Path of an adapter's base; undefined where `directory` is no adapter. UserError where the base is not there. */
export function adapterBase(directory: string): string | undefined {
  return findBase(directory)?.path;
}

/** adapter_config.json of an adapter of ours. */
export function adapterConfigJson(
  { rank, alpha, targets, rslora }: LoraSettings,
  { name, revision }: AdapterBase,
): Record<string, unknown> {
  return {
    base_model_name_or_path: name,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: alpha,
    lora_dropout: 0,
    modules_to_save: null,
    peft_type: 'LORA',
    r: rank,
    revision,
    target_modules: [...targets],
    task_type: 'CAUSAL_LM',
    use_dora: false,
    use_rslora: rslora,
  };
}
