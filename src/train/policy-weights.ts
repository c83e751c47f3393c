/**
 * The weights of a policy: what the graphs read, what training changes of it, and how that is kept. Either the
 * weights of the model are trained, or an adapter beside them. Knows nothing of sampling or losses.
 */
import { UserError } from '../core/errors.ts';
import { type AdapterBase, loadAdapter, saveAdapter } from '../model/adapter.ts';
import { findBase } from '../model/adapter-config.ts';
import type { DecoderConfig } from '../model/config.ts';
import { loadWeights, saveWeights } from '../model/directory.ts';
import { type Adapter, freshAdapter, mergedWeight } from '../model/lora.ts';
import type { LoraSettings } from '../model/lora-settings.ts';

/** A low-rank adapter that is trained while the weights of the model stay as they are. */
export interface AdapterTraining {
  settings: LoraSettings;
  /** Of the numbers that a fresh adapter starts from. */
  seed: number;
  /** How a fresh adapter names the model that it is for. */
  base: AdapterBase;
}

type Weights = ReadonlyMap<string, Float32Array>;

/** A model as graphs take it: the weights are those that `config` implies, with the adapter's where it has one. */
export interface Model {
  config: DecoderConfig;
  weights: Weights;
}

export interface PolicyWeights extends Model {
  /** The model that the run started from. For reading: it may share arrays with the policy. */
  start(): Model;
  /** The same with arrays of its own for what training changes. */
  copyOfStart(): Weights;
  /** Writes `weights`: exactly, for a checkpoint, or as others are to use them. */
  save(directory: string, weights: Weights, exact: boolean): void;
  /** Writes a model directory with the adapter merged in, in the dtypes of the base. */
  saveMerged(directory: string, weights: Weights): void;
  /** Takes over what `save` wrote exactly. */
  load(directory: string): void;
}

/** Loads the model directory `path` for frozen use or for training. Throws UserError. */
export function openWeights(path: string, training: AdapterTraining | null): PolicyWeights {
  return training === null ? wholeModel(path) : adapted(path, training);
}

function wholeModel(path: string): PolicyWeights {
  const { config, weights, dtypes } = loadWeights(path);
  const save: PolicyWeights['save'] = (directory, own, exact) =>
    saveWeights(directory, config, own, { dtype: exact ? 'float32' : dtypes, from: path });
  return {
    ...{ config, weights, save },
    start: () => ({ config, weights: loadWeights(path).weights }),
    copyOfStart: () => loadWeights(path).weights,
    saveMerged: (directory, own) => save(directory, own, false),
    load: (directory) => take(loadWeights(directory).weights, weights),
  };
}

/** A fresh adapter on the model at `path`, or the adapter at `path`, which is trained on. */
function adapted(path: string, training: AdapterTraining): PolicyWeights {
  const { settings, seed } = training;
  const below = findBase(path);
  const { config: bare, weights: base, dtypes } = loadWeights(below?.path ?? path);
  const config: DecoderConfig = { ...bare, lora: settings };
  const first = below === undefined ? null : loadAdapter(path, bare);
  if (first !== null) checkContinues(first.settings, settings, path);
  const began = first?.adapter ?? freshAdapter(bare, settings, seed);
  const beside = (adapter: Adapter): Weights => new Map([...base, ...adapter]);
  const copy = () => new Map([...began].map(([name, values]) => [name, values.slice()]));
  const own = copy();
  const named = below?.named ?? training.base;
  return {
    config,
    weights: beside(own),
    // A fresh adapter changes nothing: then what the run started from is the base alone.
    start: () =>
      first === null ? { config: bare, weights: base } : { config, weights: beside(began) },
    copyOfStart: () => beside(copy()),
    save: (directory, adapter) =>
      saveAdapter(directory, { config, settings, adapter, base: named, from: path }),
    saveMerged: (directory, adapter) => {
      const merged = [...base].map(
        ([name, weight]) => [name, () => mergedWeight(name, weight, adapter, settings)] as const,
      );
      saveWeights(directory, bare, new Map(merged), { dtype: dtypes, from: path });
    },
    load: (directory) => take(loadAdapter(directory, bare).adapter, own),
  };
}

/** An adapter is trained on as it is: another rank or other targets would be another adapter. */
function checkContinues(stored: LoraSettings, wanted: LoraSettings, path: string): void {
  const text = ({ rank, alpha, targets, rslora }: LoraSettings) =>
    `rank=${rank} alpha=${alpha} rslora=${rslora} targets=[${targets.join(',')}]`;
  if (text(stored) === text(wanted)) return;
  throw new UserError({
    wanted: `train.lora as the adapter has it: ${text(stored)}`,
    found: text(wanted),
    where: path,
    fix: 'Set train.lora to that, or train.lora.rank=0 to merge the adapter and train all weights.',
  });
}

function take(from: Weights, into: Weights): void {
  for (const [name, values] of from) into.get(name)?.set(values);
}
