/** Random adapters for tests, and what they make of the weights, in float64 and by the definition. */
import { stream } from '../../src/core/random.ts';
import { sizeOf } from '../../src/engine/tensor.ts';
import { type DecoderConfig, parameterShapes } from '../../src/model/config.ts';
import { loraShapes } from '../../src/model/lora.ts';
import { type LoraSettings, loraTargets } from '../../src/model/lora-settings.ts';
import type { ReferenceWeights } from './decoder.ts';

export const ALL_TARGETS: LoraSettings = {
  ...{ rank: 3, alpha: 7, targets: loraTargets, rslora: false },
};

/** An adapter with neither matrix at zero, so that everything depends on both. */
export function randomAdapter(
  config: DecoderConfig,
  settings: LoraSettings,
  seed: number,
): Map<string, Float32Array> {
  return new Map(
    [...loraShapes(config, settings)].map(([name, shape]) => {
      const random = stream(seed, name);
      const scale = 0.4 / Math.sqrt(shape[1]);
      return [name, Float32Array.from({ length: sizeOf(shape) }, () => scale * random.normal())];
    }),
  );
}

/** Every weight plus scale times the product of its adapter's matrices; the adapter is left out. */
export function mergedReference(
  config: DecoderConfig,
  weights: ReferenceWeights,
  { rank, alpha, rslora }: LoraSettings,
): ReferenceWeights {
  const scale = alpha / (rslora ? rank ** 0.5 : rank);
  return new Map(
    [...parameterShapes(config)].map(([name, [rows, columns]]) => {
      const merged = Float64Array.from(weights.get(name) ?? []);
      const module = `base_model.model.${name.replace(/\.weight$/, '')}`;
      const a = weights.get(`${module}.lora_A.weight`);
      const b = weights.get(`${module}.lora_B.weight`);
      for (let o = 0; a !== undefined && b !== undefined && o < rows; o++) {
        for (let i = 0; i < columns; i++) {
          let sum = 0;
          for (let k = 0; k < rank; k++) sum += b[o * rank + k] * a[k * columns + i];
          merged[o * columns + i] += scale * sum;
        }
      }
      return [name, merged];
    }),
  );
}
