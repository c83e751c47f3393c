/**
 * A slow copy of the policy: the moving average of what training changes, with a sampler of its own. Where that is
 * an adapter, its matrices A and B are averaged (not their product), and the weights below are the policy's own. It
 * lives in the policy's thread and knows nothing of what it is asked for.
 */
import { existsSync } from 'node:fs';
import type { DecoderConfig } from '../model/config.ts';
import { trainableShapes } from '../model/lora.ts';
import { openSafetensors, writeSafetensors } from '../model/safetensors.ts';
import type { Tokenizer } from '../model/tokenizer.ts';
import { Sampler, type SamplerOptions } from '../rollout/sampler.ts';

export class Teacher {
  readonly sampler: Sampler;
  readonly weights: ReadonlyMap<string, Float32Array>;
  private readonly config: DecoderConfig;

  /** Of `weights`, those that training changes are the teacher's own from here on: they are changed in place. */
  constructor(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    tokenizer: Tokenizer,
    options: SamplerOptions,
  ) {
    this.config = config;
    this.weights = weights;
    this.sampler = new Sampler(config, weights, tokenizer, options);
  }

  /**
   * decay * teacher + (1 - decay) * policy, decay 0..1 (RangeError outside), of what training changes. Weights are float32: one whose
   * change is below half a unit in its last place (3e-8 of it) stays, so that a decay within 1e-5 of 1 freezes
   * the teacher where the policy moves slowly.
   */
  follow(policy: ReadonlyMap<string, Float32Array>, decay: number): void {
    if (!(decay >= 0 && decay <= 1)) {
      throw new RangeError(`a decay must be in [0, 1], not ${decay}`);
    }
    for (const [name, mine] of this.own()) {
      const theirs = policy.get(name);
      if (theirs === undefined) throw new Error(`the policy lacks ${name}`);
      for (let i = 0; i < mine.length; i++) mine[i] = decay * mine[i] + (1 - decay) * theirs[i];
    }
  }

  /** Writes what it averages in float32, whole or not at all. */
  save(path: string): void {
    const shapes = trainableShapes(this.config);
    const tensors = this.own().map(([name, values]) => ({
      name,
      dtype: 'float32' as const,
      shape: shapes.get(name) ?? [values.length],
      values,
    }));
    writeSafetensors(path, tensors);
  }

  private own(): [string, Float32Array][] {
    const trained = trainableShapes(this.config);
    return [...this.weights].filter(([name]) => trained.has(name));
  }
}

/**
 * What `save` wrote; undefined where there is no such file. UserError for one that lacks a weight that training of
 * `config` changes.
 */
export function savedTeacher(
  config: DecoderConfig,
  path: string,
): Map<string, Float32Array> | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSafetensors(path);
  try {
    return new Map([...trainableShapes(config).keys()].map((name) => [name, file.read(name)]));
  } finally {
    file.close();
  }
}
