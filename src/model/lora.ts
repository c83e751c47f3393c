/**
 * Low-rank adapters as arrays: their shapes, fresh ones, and what they make of the weights that they are
 * merged into. Knows nothing of files or graphs.
 */
import { stream } from '../core/random.ts';
import { sizeOf } from '../engine/tensor.ts';
import { type DecoderConfig, parameterShapes } from './config.ts';
import { type LoraSettings, loraA, loraB, loraScale, loraTargets } from './lora-settings.ts';

/** Tensors of an adapter by the names that PEFT gives them, float32. */
export type Adapter = ReadonlyMap<string, Float32Array>;

const PROJECTION = /^(model\.layers\.\d+\.(?:self_attn|mlp)\.(\w+))\.weight$/;

/** The adapted modules with the [out, in] of their weights, in the order of the forward pass. */
function modules(
  config: DecoderConfig,
  { targets }: Pick<LoraSettings, 'targets'>,
): Map<string, readonly number[]> {
  const wanted: ReadonlySet<string> = new Set(targets);
  return new Map(
    [...parameterShapes(config)].flatMap(([name, shape]) => {
      const [, module, projection] = PROJECTION.exec(name) ?? [];
      return module !== undefined && wanted.has(projection) ? [[module, shape] as const] : [];
    }),
  );
}

/** Names and shapes of an adapter: per module A [rank, in] and B [out, rank]. */
export function loraShapes(
  config: DecoderConfig,
  settings: LoraSettings,
): Map<string, readonly number[]> {
  return new Map(
    [...modules(config, settings)].flatMap(([module, [out, input]]) => [
      [loraA(module), [settings.rank, input]] as const,
      [loraB(module), [out, settings.rank]] as const,
    ]),
  );
}

/** What training changes: the adapter where the model has one, else every parameter. */
export function trainableShapes(config: DecoderConfig): Map<string, readonly number[]> {
  return config.lora === undefined ? parameterShapes(config) : loraShapes(config, config.lora);
}

/**
 * A fresh adapter as PEFT makes it: A uniform within 1 / sqrt(in) (Kaiming with a = sqrt(5)), B zero, so that
 * the model starts as it is without.
 */
export function freshAdapter(config: DecoderConfig, settings: LoraSettings, seed: number): Adapter {
  return new Map(
    [...loraShapes(config, settings)].map(([name, shape]) => {
      const values = new Float32Array(sizeOf(shape));
      if (!name.endsWith('lora_A.weight')) return [name, values];
      const random = stream(seed, 'lora', name);
      const bound = 1 / Math.sqrt(shape[1]);
      return [name, values.map(() => (2 * random.uniform() - 1) * bound)];
    }),
  );
}

/**
 * Weight `name` [out, in] with the adapter merged in, W + scale B A, in a new array; the weight itself where it
 * has no adapter.
 */
export function mergedWeight(
  name: string,
  weight: Float32Array,
  adapter: Adapter,
  settings: LoraSettings,
): Float32Array {
  const [, module] = PROJECTION.exec(name) ?? [];
  const a = module === undefined ? undefined : adapter.get(loraA(module));
  const b = module === undefined ? undefined : adapter.get(loraB(module));
  if (a === undefined || b === undefined) return weight;
  const { rank } = settings;
  const scale = loraScale(settings);
  const width = a.length / rank;
  const merged = new Float32Array(weight.length);
  const row = new Float64Array(width);
  for (let at = 0, o = 0; at < weight.length; at += width, o++) {
    row.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = scale * b[o * rank + k];
      for (let i = 0, from = k * width; i < width; i++) row[i] += factor * a[from + i];
    }
    for (let i = 0; i < width; i++) merged[at + i] = weight[at + i] + row[i];
  }
  return merged;
}

/** Replaces every adapted weight in `weights` by the merged one. */
export function mergeAdapter(
  weights: Map<string, Float32Array>,
  adapter: Adapter,
  settings: LoraSettings,
): void {
  for (const [name, weight] of weights) {
    weights.set(name, mergedWeight(name, weight, adapter, settings));
  }
}

/** Targets in the order of the forward pass. */
export function orderedTargets(targets: Iterable<string>): LoraSettings['targets'] {
  const given = new Set(targets);
  return loraTargets.filter((target) => given.has(target));
}
