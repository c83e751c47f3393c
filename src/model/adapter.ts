/**
 * Adapters on disk, in the format of PEFT: adapter_config.json and adapter_model.safetensors, with whatever belongs
 * to the tokenizer carried along on save. Knows nothing of graphs.
 */
import { join, resolve } from 'node:path';
import { UserError } from '../core/errors.ts';
import { writeFolder, writeWhole } from '../core/files.ts';
import {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  type AdapterBase,
  adapterConfigJson,
  readAdapterConfig,
} from './adapter-config.ts';
import { copyCompanions } from './companions.ts';
import type { DecoderConfig } from './config.ts';
import { loraShapes, orderedTargets } from './lora.ts';
import { type LoraSettings, loraTargets } from './lora-settings.ts';
import { openSafetensors, type SafetensorsFile, writeSafetensors } from './safetensors.ts';
import { refuseForeign } from './weight-files.ts';

export type { AdapterBase } from './adapter-config.ts';

const TENSOR =
  /^base_model\.model\.model\.layers\.\d+\.(?:self_attn|mlp)\.(\w+)\.lora_[AB]\.weight$/;

export interface LoadedAdapter {
  settings: LoraSettings;
  /** float32, names and shapes as `loraShapes(config, settings)`, in its order. */
  adapter: Map<string, Float32Array>;
}

/** The adapter in `directory` for a base of this configuration. Throws UserError naming file and tensor. */
export function loadAdapter(directory: string, config: DecoderConfig): LoadedAdapter {
  const { settings: scalars } = readAdapterConfig(directory);
  const path = join(directory, ADAPTER_WEIGHTS);
  const file = openSafetensors(path);
  try {
    const settings = { ...scalars, targets: targetsOf(file) };
    const adapter = new Map(
      [...loraShapes(config, settings)].map(([name, shape]) => [name, read(file, name, shape)]),
    );
    const extra = [...file.tensors.keys()].find((name) => !adapter.has(name));
    if (extra !== undefined) refuseTensor(extra, path);
    return { settings, adapter };
  } finally {
    file.close();
  }
}

/** The projections that have tensors; every layer must then have them. */
function targetsOf(file: SafetensorsFile): LoraSettings['targets'] {
  const known: ReadonlySet<string> = new Set(loraTargets);
  const found = new Set<string>();
  for (const name of file.tensors.keys()) {
    const [, projection] = TENSOR.exec(name) ?? [];
    if (projection === undefined || !known.has(projection)) return refuseTensor(name, file.path);
    found.add(projection);
  }
  if (found.size > 0) return orderedTargets(found);
  throw new UserError({ wanted: 'an adapter', found: 'no tensors', where: file.path });
}

function refuseTensor(name: string, where: string): never {
  throw new UserError({
    wanted: `lora_A and lora_B of ${loraTargets.join(', ')} in layers that the base has`,
    found: 'another tensor',
    where: `${where}, tensor ${name}`,
  });
}

function read(file: SafetensorsFile, name: string, shape: readonly number[]): Float32Array {
  const stored = file.tensors.get(name)?.shape;
  if (stored?.length === shape.length && stored.every((size, i) => size === shape[i])) {
    return file.read(name);
  }
  throw new UserError({
    wanted: `shape [${shape.join(', ')}] as the base and ${ADAPTER_CONFIG} imply`,
    found: stored === undefined ? 'no such tensor' : `[${stored.join(', ')}]`,
    where: `${file.path}, tensor ${name}`,
    fix: 'An adapter must have the same targets and the same rank in every layer of its base.',
  });
}

export interface AdapterToSave {
  config: DecoderConfig;
  settings: LoraSettings;
  adapter: ReadonlyMap<string, Float32Array>;
  base: AdapterBase;
  /** The model whose tokenizer, chat template and generation settings are copied. */
  from: string;
}

/**
 * Writes an adapter directory in float32: under a temporary name first, then renamed. `directory` may exist if it is
 * empty or an adapter directory, which is then replaced as a whole. Throws UserError.
 */
export function saveAdapter(directory: string, saved: AdapterToSave): void {
  const target = resolve(directory);
  refuseForeign(target, ADAPTER_CONFIG, 'an adapter');
  const { config, settings, adapter, base, from } = saved;
  writeFolder(target, (temporary) => {
    const json = adapterConfigJson(settings, base);
    writeWhole(join(temporary, ADAPTER_CONFIG), `${JSON.stringify(json, null, 2)}\n`);
    const tensors = [...loraShapes(config, settings)].map(([name, shape]) => {
      const values = adapter.get(name);
      if (values === undefined) throw new Error(`the adapter lacks ${name}`);
      return { name, shape, values, dtype: 'float32' as const };
    });
    writeSafetensors(join(temporary, ADAPTER_WEIGHTS), tensors);
    copyCompanions(from, temporary);
  });
}
