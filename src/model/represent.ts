/**
 * Hidden states of whole texts, pooled inside the graph: per text the mean over given positions and the last
 * position leave it, never a row per token. Knows nothing of prompts or of what the vectors are for. Texts are fed whole:
 * while one runs, memory grows with the square of its length, as in training.
 *
 * Runs on the thread that it is called on.
 */
import { Graph } from '../engine/graph.ts';
import { type EngineSettings, Program } from '../engine/program.ts';
import { planByLength, type TextBatch } from './batches.ts';
import type { DecoderConfig } from './config.ts';
import { weightInputs } from './decoder.ts';
import { forward } from './forward.ts';

/**
 * `last`: the final layer. `all`: the embeddings, every layer but the final one, the final one; the final
 * layer always after the model's last norm, as in the `hidden_states` of transformers.
 */
export type Layers = 'last' | 'all';

/** A text; positions `from`.. to its end are averaged. */
export interface Text {
  tokens: Int32Array;
  from: number;
}

/** Pooled hidden states: [hiddenSize], or [(layers + 1) * hiddenSize], layer after layer, for all layers. */
export interface Representation {
  /** At the text's last position. */
  last: Float32Array;
  /** Mean over the positions from `from` on. */
  mean: Float32Array;
}

/**
 * Inputs: the weights; `ids` int64 [batch * length]; `share` [batch, length, 1], the weight of each position in
 * the mean; `end` int64 [batch], the row (in batch * length) of each text's last token. Output
 * `pooled` [batch, 2, width]: last, then mean; width as in `Representation`.
 */
function representGraph(
  config: DecoderConfig,
  { batch, length }: Omit<TextBatch, 'members'>,
  layers: Layers,
): Graph {
  const g = new Graph();
  const weights = weightInputs(g, config);
  const ids = g.input('ids', [batch * length], 'int64');
  const share = g.input('share', [batch, length, 1]);
  const end = g.input('end', [batch], 'int64');
  const residual: ReturnType<typeof forward>[] = [];
  const final = forward(g, config, weights, ids, { batch, queries: length }, (hidden) => {
    residual.push(hidden);
  });
  // The stream after the last layer is left out for its normed form.
  const pooled = [...(layers === 'all' ? residual.slice(0, -1) : []), final].map((hidden) => {
    const last = g.reshape(g.gather(hidden, end), [batch, 1, config.hiddenSize]);
    const rows = g.reshape(hidden, [batch, length, config.hiddenSize]);
    return g.concat([last, g.sum(g.mul(rows, share), [1])], 1);
  });
  g.output('pooled', g.concat(pooled, 2));
  return g;
}

/** Pools the hidden states of texts under the present weights. */
export class Representer {
  private readonly config: DecoderConfig;
  private readonly weights: ReadonlyMap<string, Float32Array>;
  private readonly engine: EngineSettings;
  private readonly tokensPerBatch: number;
  private readonly programs = new Map<string, Promise<Program>>();

  /** `weights` are read in place: a learner may change them between calls. */
  constructor(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    engine: EngineSettings,
    tokensPerBatch = 2048,
  ) {
    this.config = config;
    this.weights = weights;
    this.engine = engine;
    this.tokensPerBatch = tokensPerBatch;
  }

  /** One representation per text, in order. RangeError for one with no token at or after its `from`. */
  async represent(texts: readonly Text[], layers: Layers): Promise<Representation[]> {
    for (const { tokens, from } of texts) {
      if (from < 0 || from >= tokens.length) {
        throw new RangeError(`positions from ${from} of a text of ${tokens.length} tokens`);
      }
    }
    const results: Representation[] = [];
    const lengths = texts.map(({ tokens }) => tokens.length);
    for (const batch of planByLength(lengths, this.tokensPerBatch)) {
      const program = await this.program(batch, layers);
      const call = program.bind({
        ...Object.fromEntries(this.weights),
        ...feed(batch, texts),
      });
      await call.run();
      const pooled = call.floats('pooled');
      const width = pooled.length / (2 * batch.batch);
      for (const [row, index] of batch.members.entries()) {
        const at = 2 * row * width;
        results[index] = {
          last: pooled.slice(at, at + width),
          mean: pooled.slice(at + width, at + 2 * width),
        };
      }
    }
    return results;
  }

  /** Frees the compiled graphs. */
  async release(): Promise<void> {
    for (const program of this.programs.values()) await (await program).release();
    this.programs.clear();
  }

  private async program(extent: TextBatch, layers: Layers): Promise<Program> {
    const key = `${layers} ${extent.batch}x${extent.length}`;
    const found = this.programs.get(key);
    if (found !== undefined) return await found;
    const graph = representGraph(this.config, extent, layers);
    const made = Program.compile(graph, this.engine, { transient: true });
    this.programs.set(key, made);
    return await made;
  }
}

/** The inputs for a batch; rows that hold no text point at their own first token and average nothing. */
function feed({ batch, length, members }: TextBatch, texts: readonly Text[]) {
  const ids = new BigInt64Array(batch * length);
  const share = new Float32Array(batch * length);
  const end = BigInt64Array.from({ length: batch }, (_, row) => BigInt(row * length));
  for (const [row, index] of members.entries()) {
    const { tokens, from } = texts[index];
    const at = row * length;
    for (let t = 0; t < tokens.length; t++) ids[at + t] = BigInt(tokens[t]);
    share.fill(1 / (tokens.length - from), at + from, at + tokens.length);
    end[row] = BigInt(at + tokens.length - 1);
  }
  return { ids, share, end };
}
