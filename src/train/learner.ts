/**
 * Weights that learn: gradients of micro-batches are accumulated, then one optimizer step is made.
 *
 * Knows nothing of prompts or rewards: sequences come with weights and advantages per token. It runs
 * on the thread that it is called on.
 */
import {
  adamwGraph,
  firstMoment,
  gradientOf,
  next,
  type OptimizerSettings,
  secondMoment,
} from '../engine/adamw.ts';
import type { Graph } from '../engine/graph.ts';
import { type EngineSettings, Program } from '../engine/program.ts';
import { sizeOf, type TensorData } from '../engine/tensor.ts';
import type { DecoderConfig } from '../model/config.ts';
import { trainableShapes } from '../model/lora.ts';
import {
  likelihoodGraph,
  type MicroBatch,
  type SurrogateSettings,
  surrogateGraph,
} from './loss.ts';
import { feed, Scorer, type Sequence } from './scorer.ts';

export { feed, type Sequence } from './scorer.ts';

export interface LossSums {
  loss: number;
  clipped: number;
  kl: number;
}

export interface UpdateReport {
  gradNorm: number;
  lr: number;
}

/** Optimizer moments and step, as a checkpoint keeps them. */
export interface OptimizerState {
  step: number;
  moments: Map<string, Float32Array>;
}

export class Learner {
  readonly weights: ReadonlyMap<string, Float32Array>;
  private readonly scorer: Scorer;
  private readonly optimizer: OptimizerSettings;
  /** What is trained, with its shapes: the adapter where the model has one, else every weight. */
  private readonly shapes: ReadonlyMap<string, readonly number[]>;
  private readonly moments = new Map<string, Float32Array>();
  private readonly gradients = new Map<string, Float32Array>();
  private updater: Promise<Program> | undefined;
  private step = 0;

  /**
   * `weights` (with those of the adapter, where the model has one) are updated in place. A micro-batch holds about
   * `tokensPerMicroBatch` tokens.
   */
  constructor(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    engine: EngineSettings,
    optimizer: OptimizerSettings,
    tokensPerMicroBatch = 2048,
  ) {
    this.weights = weights;
    this.scorer = new Scorer(config, weights, engine, tokensPerMicroBatch);
    this.optimizer = optimizer;
    this.shapes = trainableShapes(config);
    for (const [name, shape] of this.shapes) {
      this.gradients.set(gradientOf(name), new Float32Array(sizeOf(shape)));
      this.moments.set(firstMoment(name), new Float32Array(sizeOf(shape)));
      this.moments.set(secondMoment(name), new Float32Array(sizeOf(shape)));
    }
  }

  /** Adds the gradient of the weighted negative log-likelihood of `sequences`. */
  async addLikelihood(sequences: readonly Sequence[]): Promise<LossSums> {
    return await this.accumulate('likelihood', sequences, (extent) =>
      likelihoodGraph(this.scorer.config, extent),
    );
  }

  /** Adds the gradient of GRPO's clipped surrogate. */
  async addSurrogate(
    sequences: readonly Sequence[],
    settings: SurrogateSettings,
  ): Promise<LossSums> {
    return await this.accumulate(`surrogate ${JSON.stringify(settings)}`, sequences, (extent) =>
      surrogateGraph(this.scorer.config, extent, settings),
    );
  }

  /** Log-probabilities of each sequence's target tokens under the present weights. */
  async logprobs(sequences: readonly Sequence[], temperature: number): Promise<Float32Array[]> {
    return await this.scorer.logprobs(sequences, temperature);
  }

  /** One AdamW step on the accumulated gradient, which is cleared. */
  async update(): Promise<UpdateReport> {
    this.updater ??= Program.compile(adamwGraph(this.shapes, this.optimizer), this.scorer.engine);
    const program = await this.updater;
    this.step += 1;
    const arrays: Record<string, TensorData> = { step: Float32Array.of(this.step) };
    const trained = [...this.weights].filter(([name]) => this.shapes.has(name));
    for (const [name, data] of [...trained, ...this.moments]) {
      arrays[name] = data;
      arrays[next(name)] = data;
    }
    for (const [name, data] of this.gradients) arrays[name] = data;
    const call = program.bind(arrays);
    await call.run();
    for (const data of this.gradients.values()) data.fill(0);
    return { gradNorm: call.floats('grad_norm')[0], lr: call.floats('lr')[0] };
  }

  /** The state of the optimizer; the arrays are the live ones. */
  optimizerState(): OptimizerState {
    return { step: this.step, moments: this.moments };
  }

  /** Goes on from a stored state. Throws when a moment is missing or has another size. */
  restoreOptimizer(state: OptimizerState): void {
    for (const [name, data] of this.moments) {
      const stored = state.moments.get(name);
      if (stored?.length !== data.length) throw new Error(`the stored optimizer lacks ${name}`);
      data.set(stored);
    }
    this.step = state.step;
  }

  /** Frees the compiled graphs. */
  async release(): Promise<void> {
    await this.scorer.release();
    await (await this.updater)?.release();
    this.updater = undefined;
  }

  private async accumulate(
    kind: string,
    sequences: readonly Sequence[],
    build: (extent: MicroBatch) => Graph,
  ): Promise<LossSums> {
    const sums: LossSums = { loss: 0, clipped: 0, kl: 0 };
    for (const { members, ...extent } of this.scorer.plan(sequences)) {
      const program = await this.scorer.program(kind, extent, build);
      const arrays: Record<string, TensorData> = Object.fromEntries(this.weights);
      for (const [name, data] of this.gradients) {
        arrays[name] = data;
        arrays[next(name)] = data;
      }
      const inputs = feed(
        extent,
        members.map((i) => sequences[i]),
        program.inputNames,
      );
      const call = program.bind({ ...arrays, ...inputs });
      await call.run();
      sums.loss += call.floats('loss')[0];
      if (program.outputNames.includes('clipped')) sums.clipped += call.floats('clipped')[0];
      if (program.outputNames.includes('kl')) sums.kl += call.floats('kl')[0];
    }
    return sums;
  }
}
