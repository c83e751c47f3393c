/**
 * Log-probabilities of given sequences under given weights, and how sequences are fed to the graphs of training.
 *
 * Knows nothing of gradients. It runs on the thread that it is called on.
 */
import type { Graph } from '../engine/graph.ts';
import { type EngineSettings, Program } from '../engine/program.ts';
import { sizeOf, type TensorData } from '../engine/tensor.ts';
import { planByLength, type TextBatch } from '../model/batches.ts';
import type { DecoderConfig } from '../model/config.ts';
import { logprobGraph, type MicroBatch } from './loss.ts';

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

export class Scorer {
  readonly config: DecoderConfig;
  /** Read in place: a learner may change them between calls. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly engine: EngineSettings;
  private readonly tokensPerMicroBatch: number;
  private readonly programs = new Map<string, Promise<Program>>();

  /** A micro-batch holds about `tokensPerMicroBatch` tokens. */
  constructor(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    engine: EngineSettings,
    tokensPerMicroBatch: number,
  ) {
    this.config = config;
    this.weights = weights;
    this.engine = engine;
    this.tokensPerMicroBatch = tokensPerMicroBatch;
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

  /** Micro-batches. They depend on the lengths alone, so that a resumed run adds up its gradients in the same order. */
  plan(sequences: readonly Sequence[]): TextBatch[] {
    const fed = sequences.map(({ tokens }) => tokens.length - 1);
    return planByLength(fed, this.tokensPerMicroBatch);
  }

  /** The program of one kind for micro-batches of this extent, compiled once. */
  async program(
    kind: string,
    extent: MicroBatch,
    build: (extent: MicroBatch) => Graph,
  ): Promise<Program> {
    const key = `${kind} ${extent.batch}x${extent.length}`;
    const found = this.programs.get(key);
    if (found !== undefined) return await found;
    const made = Program.compile(build(extent), this.engine, { transient: true });
    this.programs.set(key, made);
    return await made;
  }

  /** Frees the compiled graphs. */
  async release(): Promise<void> {
    for (const program of this.programs.values()) await (await program).release();
    this.programs.clear();
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
