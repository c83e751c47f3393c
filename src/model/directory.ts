/**
 * A model as a Hugging Face directory: config.json and weights (one safetensors file or shards with an
 * index), with whatever belongs to the tokenizer carried along on save.
 *
 * Every tensor is checked against what the configuration implies. Knows nothing of graphs.
 */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { readJson, writeFolder, writeWhole } from '../core/files.ts';
import { sizeOf } from '../engine/tensor.ts';
import { loadAdapter } from './adapter.ts';
import { adapterBase } from './adapter-config.ts';
import { copyCompanions } from './companions.ts';
import {
  type DecoderConfig,
  parameterShapes,
  parseDecoderConfig,
  type WeightDtype,
} from './config.ts';
import { BYTES_PER, FLOAT16_OVERFLOW } from './dtype.ts';
import { ggufDecoderConfig, isGguf, loadGguf } from './gguf.ts';
import { mergeAdapter } from './lora.ts';
import { requireModel } from './resolve.ts';
import {
  openSafetensors,
  type SafetensorsFile,
  type TensorSource,
  type ValueSource,
  writeSafetensors,
} from './safetensors.ts';
import { refuseForeign } from './weight-files.ts';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const CONFIG = 'config.json';

/** Buffers that old checkpoints carry and that the configuration determines anyway. */
const INERT_TENSOR = /(^|\.)rotary_emb\.(inv_freq|cos_cached|sin_cached)$/;

export interface LoadedModel {
  config: DecoderConfig;
  /** float32, row-major, shapes as `parameterShapes(config)`, in its order. */
  weights: Map<string, Float32Array>;
  /** How each was stored; what `saveWeights` wants to write the same again. */
  dtypes: Map<string, WeightDtype>;
  /** Tensors in the files that are known to be of no use, by name. */
  ignored: string[];
}

/** The configuration of a model directory or GGUF file; of an adapter, that of its base. Throws UserError. */
export function loadConfig(directory: string): DecoderConfig {
  if (isGguf(directory)) return ggufDecoderConfig(directory);
  requireModel(directory);
  const base = adapterBase(directory);
  if (base !== undefined) return loadConfig(base);
  const path = join(directory, CONFIG);
  return parseDecoderConfig(readJson(path), path);
}

/**
 * Configuration and all weights; of an adapter, those of its base with it merged in. Throws UserError naming file and
 * tensor.
 */
export function loadWeights(directory: string): LoadedModel {
  if (isGguf(directory)) return loadGguf(directory);
  const base = adapterBase(directory);
  if (base !== undefined) return merged(loadWeights(base), directory);
  const config = loadConfig(directory);
  const files = new Map<string, SafetensorsFile>();
  try {
    const places = locate(directory, files);
    return { config, ...readAll(config, places, directory) };
  } finally {
    for (const file of files.values()) file.close();
  }
}

function merged(model: LoadedModel, directory: string): LoadedModel {
  const { settings, adapter } = loadAdapter(directory, model.config);
  mergeAdapter(model.weights, adapter, settings);
  return model;
}

export interface SaveOptions {
  /** One dtype for all, or each tensor's own (as loaded); by default the one config.json says. */
  dtype?: WeightDtype | ReadonlyMap<string, WeightDtype>;
  /** Largest size of one file in bytes; above it the weights are sharded. Default 5e9. */
  shardBytes?: number;
  /** The directory or GGUF file whose tokenizer, chat template and generation settings are copied. */
  from?: string;
}

/**
 * Writes a model directory: under a temporary name first, then renamed. `directory` may exist if it is
 * empty or a model directory, which is then replaced as a whole. Throws UserError.
 */
export function saveWeights(
  directory: string,
  config: DecoderConfig,
  weights: ReadonlyMap<string, ValueSource>,
  options: SaveOptions = {},
): void {
  const target = resolve(directory);
  refuseForeign(target, CONFIG, 'a model');
  const { dtype = config.dtype, shardBytes = 5e9, from } = options;
  const tensors = toWrite(config, weights, dtype, target);
  writeFolder(target, (temporary) => {
    const raw = typeof dtype === 'string' ? withDtype(config.raw, dtype) : config.raw;
    writeWhole(join(temporary, CONFIG), `${JSON.stringify(raw, null, 2)}\n`);
    writeShards(temporary, tensors, shardBytes);
    if (from !== undefined) copyCompanions(from, temporary);
  });
}

type Places = Map<string, SafetensorsFile>;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** Opens the file or all shards (kept in `files` for closing) and says which file holds which tensor. */
function locate(directory: string, files: Map<string, SafetensorsFile>): Places {
  const open = (name: string): SafetensorsFile => {
    const known = files.get(name);
    if (known !== undefined) return known;
    const file = openSafetensors(join(directory, name));
    files.set(name, file);
    return file;
  };
  if (existsSync(join(directory, SINGLE))) {
    const file = open(SINGLE);
    return new Map([...file.tensors.keys()].map((name) => [name, file]));
  }
  const indexPath = join(directory, INDEX);
  if (!existsSync(indexPath)) {
    throw new UserError({
      wanted: `${SINGLE} or ${INDEX}`,
      found: 'neither',
      where: directory,
      fix: 'A GGUF file is named itself, not its folder. pytorch_model.bin is not read: convert it.',
    });
  }
  const parsed = indexSchema.safeParse(readJson(indexPath));
  if (!parsed.success) {
    const found = z.prettifyError(parsed.error);
    throw new UserError({ wanted: 'a weight_map of tensor to file', found, where: indexPath });
  }
  const places: Places = new Map();
  for (const [tensor, name] of Object.entries(parsed.data.weight_map)) {
    const where = `${indexPath}, tensor ${tensor}`;
    if (name !== basename(name) || !name.endsWith('.safetensors')) {
      throw new UserError({ wanted: 'a safetensors file beside the index', found: name, where });
    }
    const file = open(name);
    if (!file.tensors.has(tensor)) {
      throw new UserError({ wanted: `the tensor in ${name}`, found: 'no such tensor', where });
    }
    places.set(tensor, file);
  }
  refuseUnlisted(files, places, indexPath);
  return places;
}

/** A tensor that sits in a shard while the index says otherwise: index and shards are no pair. */
function refuseUnlisted(
  files: ReadonlyMap<string, SafetensorsFile>,
  places: Places,
  indexPath: string,
): void {
  for (const file of files.values()) {
    for (const tensor of file.tensors.keys()) {
      if (places.get(tensor) === file || INERT_TENSOR.test(tensor)) continue;
      const found = places.has(tensor) ? `tensor ${tensor} twice` : `unlisted tensor ${tensor}`;
      throw new UserError({ wanted: `what ${indexPath} lists`, found, where: file.path });
    }
  }
}

function readAll(
  config: DecoderConfig,
  places: Places,
  directory: string,
): Omit<LoadedModel, 'config'> {
  const shapes = parameterShapes(config);
  const ignored = extras(config, shapes, places);
  const weights = new Map<string, Float32Array>();
  const dtypes = new Map<string, WeightDtype>();
  for (const [name, shape] of shapes) {
    const file = places.get(name);
    if (file === undefined) {
      const found = `none among ${places.size} tensors`;
      throw new UserError({ wanted: `tensor ${name}`, found, where: directory });
    }
    const stored = file.tensors.get(name)?.shape ?? [];
    if (stored.length !== shape.length || stored.some((size, i) => size !== shape[i])) {
      throw new UserError({
        wanted: `shape [${shape.join(', ')}] as ${CONFIG} implies`,
        found: `[${stored.join(', ')}]`,
        where: `${file.path}, tensor ${name}`,
      });
    }
    dtypes.set(name, file.dtypeOf(name));
    weights.set(name, file.read(name));
  }
  return { weights, dtypes, ignored };
}

/** Names beyond the parameters that may be left out; anything else is refused. */
function extras(
  config: DecoderConfig,
  shapes: ReadonlyMap<string, readonly number[]>,
  places: Places,
): string[] {
  const ignored: string[] = [];
  for (const [name, file] of places) {
    if (shapes.has(name)) continue;
    const where = `${file.path}, tensor ${name}`;
    if (config.tieWordEmbeddings && name === 'lm_head.weight') {
      refuseUntiedHead(file, places.get('model.embed_tokens.weight'), where);
    } else if (!INERT_TENSOR.test(name)) {
      throw new UserError({
        wanted: `only the parameters of ${config.architecture} as ${CONFIG} sets it up`,
        found: 'a tensor of another kind',
        where,
      });
    }
    ignored.push(name);
  }
  return ignored;
}

/** A tied model may repeat its embedding as the head, but the two have to be one. */
function refuseUntiedHead(
  file: SafetensorsFile,
  embeddings: SafetensorsFile | undefined,
  where: string,
): void {
  const head = bytesOf(file.read('lm_head.weight'));
  if (
    embeddings &&
    Buffer.compare(head, bytesOf(embeddings.read('model.embed_tokens.weight'))) === 0
  )
    return;
  throw new UserError({
    wanted: 'a head equal to the embeddings, as tie_word_embeddings says',
    found: 'different values',
    where,
    fix: 'Set tie_word_embeddings to false if the head is meant to be its own.',
  });
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function toWrite(
  config: DecoderConfig,
  weights: ReadonlyMap<string, ValueSource>,
  dtype: WeightDtype | ReadonlyMap<string, WeightDtype>,
  target: string,
): TensorSource[] {
  const shapes = parameterShapes(config);
  const foreign = [...weights.keys()].find((name) => !shapes.has(name));
  if (foreign !== undefined) throw new Error(`${foreign} is no parameter of this configuration`);
  return [...shapes].map(([name, shape]) => {
    const values = weights.get(name);
    if (values === undefined) throw new Error(`the weights lack ${name}`);
    const own = typeof dtype === 'string' ? dtype : (dtype.get(name) ?? config.dtype);
    if (own !== 'float16') return { name, shape, values, dtype: own };
    const where = `${target}, tensor ${name}`;
    if (values instanceof Float32Array) refuseOverflow(values, where);
    const made = () => (values instanceof Float32Array ? values : refuseOverflow(values(), where));
    return { name, shape, values: made, dtype: own };
  });
}

function refuseOverflow(values: Float32Array, where: string): Float32Array {
  const at = values.findIndex((v) => Math.abs(v) >= FLOAT16_OVERFLOW && Number.isFinite(v));
  if (at === -1) return values;
  throw new UserError({
    wanted: 'values that float16 can hold (below 65520)',
    found: `${values[at]} at index ${at}`,
    where,
    fix: 'Save as bfloat16 or float32.',
  });
}

function withDtype(raw: Record<string, unknown>, dtype: WeightDtype): Record<string, unknown> {
  const keys = ['dtype', 'torch_dtype'].filter((key) => key in raw);
  const written = keys.length === 0 ? ['torch_dtype'] : keys;
  return { ...raw, ...Object.fromEntries(written.map((key) => [key, dtype])) };
}

function writeShards(directory: string, tensors: readonly TensorSource[], limit: number): void {
  const shards: TensorSource[][] = [];
  let room = 0;
  let total = 0;
  for (const tensor of tensors) {
    const bytes = sizeOf(tensor.shape) * BYTES_PER[tensor.dtype];
    const last = shards.at(-1);
    if (last === undefined || bytes > room) {
      shards.push([tensor]);
      room = limit - bytes;
    } else {
      last.push(tensor);
      room -= bytes;
    }
    total += bytes;
  }
  if (shards.length <= 1) {
    writeSafetensors(join(directory, SINGLE), tensors);
    return;
  }
  const digits = (n: number): string => String(n).padStart(5, '0');
  const weightMap: Record<string, string> = {};
  for (const [i, shard] of shards.entries()) {
    const name = `model-${digits(i + 1)}-of-${digits(shards.length)}.safetensors`;
    writeSafetensors(join(directory, name), shard);
    for (const tensor of shard) weightMap[tensor.name] = name;
  }
  const index = { metadata: { total_size: total }, weight_map: weightMap };
  writeWhole(join(directory, INDEX), `${JSON.stringify(index, null, 2)}\n`);
}
