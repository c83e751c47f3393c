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
import { type EngineSettings, Program } from '../engine/program.ts';
import { sizeOf, type TensorData } from '../engine/tensor.ts';
import { planByLength, type TextBatch } from '../model/batches.ts';
import { type DecoderConfig, parameterShapes } from '../model/config.ts';
import {
  likelihoodGraph,
  logprobGraph,
  type MicroBatch,
  type SurrogateSettings,
  surrogateGraph,
} from './loss.ts';

/** One sequence: prompt and response tokens, with values per response token. */
export interface Sequence {
  tokens: Int32Array;
  /** Index of the first token that is a target of the loss; at least 1. */
  from: number;
  /** Weight of every target token (its share of the loss). */
  weight: number;
  /** GRPO: the group-normalised advantage of the response. */
  advantage?: number;
  /** GRPO: log-probabilities of the targets when they were sampled. */
  old?: Float32Array;
  /** GRPO with KL: log-probabilities of the targets under the reference policy. */
  reference?: Float32Array;
}

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
  private readonly config: DecoderConfig;
  private readonly engine: EngineSettings;
  private readonly optimizer: OptimizerSettings;
  private readonly tokensPerMicroBatch: number;
  private readonly moments = new Map<string, Float32Array>();
  private readonly gradients = new Map<string, Float32Array>();
  private readonly programs = new Map<string, Promise<Program>>();
  private step = 0;

  /** `weights` are updated in place. A micro-batch holds about `tokensPerMicroBatch` tokens. */
  constructor(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    engine: EngineSettings,
    optimizer: OptimizerSettings,
    tokensPerMicroBatch = 2048,
  ) {
    this.config = config;
    this.weights = weights;
    this.engine = engine;
    this.optimizer = optimizer;
    this.tokensPerMicroBatch = tokensPerMicroBatch;
    for (const [name, data] of weights) {
      this.gradients.set(gradientOf(name), new Float32Array(data.length));
      this.moments.set(firstMoment(name), new Float32Array(data.length));
      this.moments.set(secondMoment(name), new Float32Array(data.length));
    }
  }

  /** Adds the gradient of the weighted negative log-likelihood of `sequences`. */
  async addLikelihood(sequences: readonly Sequence[]): Promise<LossSums> {
    return await this.accumulate('likelihood', sequences, (extent) =>
      likelihoodGraph(this.config, extent),
    );
  }

  /** Adds the gradient of GRPO's clipped surrogate. */
  async addSurrogate(
    sequences: readonly Sequence[],
    settings: SurrogateSettings,
  ): Promise<LossSums> {
    return await this.accumulate(`surrogate ${JSON.stringify(settings)}`, sequences, (extent) =>
      surrogateGraph(this.config, extent, settings),
    );
  }

  /** Log-probabilities of each sequence's target tokens under the present weights. */
  async logprobs(sequences: readonly Sequence[], temperature: number): Promise<Float32Array[]> {
    const results = sequences.map((s) => new Float32Array(s.tokens.length - s.from));
    for (const { members, ...extent } of this.plan(sequences)) {
      const program = await this.program(`logprobs ${temperature}`, extent, (e) =>
        logprobGraph(this.config, e, temperature),
      );
      const arrays = feed(
        extent,
        members.map((i) => sequences[i]),
        ['ids', 'target'],
      );
      const call = program.bind({ ...Object.fromEntries(this.weights), ...arrays });
      await call.run();
      const all = call.floats('logprobs');
      for (const [row, index] of members.entries()) {
        const { from, tokens } = sequences[index];
        const at = row * extent.length;
        results[index].set(all.subarray(at + from - 1, at + tokens.length - 1));
      }
    }
    return results;
  }

  /** One AdamW step on the accumulated gradient, which is cleared. */
  async update(): Promise<UpdateReport> {
    const shapes = parameterShapes(this.config);
    const program = await this.compiled('update', async () =>
      Program.compile(adamwGraph(shapes, this.optimizer), this.engine),
    );
    this.step += 1;
    const arrays: Record<string, TensorData> = { step: Float32Array.of(this.step) };
    for (const [name, data] of [...this.weights, ...this.moments]) {
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
    for (const program of this.programs.values()) await (await program).release();
    this.programs.clear();
  }

  private async accumulate(
    kind: string,
    sequences: readonly Sequence[],
    build: (extent: MicroBatch) => ReturnType<typeof likelihoodGraph>,
  ): Promise<LossSums> {
    const sums: LossSums = { loss: 0, clipped: 0, kl: 0 };
    for (const { members, ...extent } of this.plan(sequences)) {
      const program = await this.program(kind, extent, build);
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

  /** Depends on the lengths alone, so that a resumed run adds up its gradients in the same order. */
  private plan(sequences: readonly Sequence[]): TextBatch[] {
    const fed = sequences.map(({ tokens }) => tokens.length - 1);
    return planByLength(fed, this.tokensPerMicroBatch);
  }

  private async program(
    kind: string,
    extent: MicroBatch,
    build: (extent: MicroBatch) => ReturnType<typeof likelihoodGraph>,
  ): Promise<Program> {
    return await this.compiled(`${kind} ${extent.batch}x${extent.length}`, async () =>
      Program.compile(build(extent), this.engine, { transient: true }),
    );
  }

  private async compiled(key: string, compile: () => Promise<Program>): Promise<Program> {
    const found = this.programs.get(key);
    if (found !== undefined) return await found;
    const made = compile();
    this.programs.set(key, made);
    return await made;
  }
}

/** The graph's inputs for `sequences`; rows and tokens that are padding have weight 0 and token 0. */
export function feed(
  { batch, length }: MicroBatch,
  sequences: readonly Sequence[],
  names: readonly string[],
): Record<string, TensorData> {
  const rows = batch * length;
  const ids = new BigInt64Array(rows);
  const target = new BigInt64Array(rows);
  const column = () => new Float32Array(sizeOf([rows, 1]));
  const floats = { weight: column(), advantage: column(), old: column(), reference: column() };
  for (const [row, sequence] of sequences.entries()) {
    const { tokens, from, weight, advantage, old, reference } = sequence;
    for (let t = 0; t + 1 < tokens.length; t++) {
      const at = row * length + t;
      ids[at] = BigInt(tokens[t]);
      target[at] = BigInt(tokens[t + 1]);
      if (t + 1 < from) continue;
      floats.weight[at] = weight;
      floats.advantage[at] = advantage ?? 0;
      floats.old[at] = old?.[t + 1 - from] ?? 0;
      floats.reference[at] = reference?.[t + 1 - from] ?? 0;
    }
  }
  const all: Record<string, TensorData> = { ids, target, ...floats };
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
}
