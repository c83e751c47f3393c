/**
 * The decoder in float64 and plain loops: what every graph is compared with.
 *
 * Written from the definition of the three families, apart from the graph code on purpose: the only
 * thing both share is the table of rotary frequencies, which has golden values of its own.
 */
import type { DecoderConfig } from '../../src/model/config.ts';
import { ropeFrequencies } from '../../src/model/rope.ts';

export type ReferenceWeights = ReadonlyMap<string, Float32Array | Float64Array>;

export interface ReferenceRun {
  /** Per token the logits of the next one, [tokens][vocabSize]. */
  logits: Float64Array[];
  /** attention[layer][head] is [tokens * tokens], 0 above the diagonal. */
  attention: Float64Array[][];
  /** hidden[0] are the embeddings, hidden[l] the rows after layer l, the last ones after the final norm. */
  hidden: Float64Array[][];
}

type Rows = Float64Array[];

/** Runs one sequence. */
export function referenceDecoder(
  config: DecoderConfig,
  weights: ReferenceWeights,
  tokens: ArrayLike<number>,
): ReferenceRun {
  const get = (name: string): Float64Array => {
    const found = weights.get(name);
    if (found === undefined) throw new Error(`no weight ${name}`);
    return Float64Array.from(found);
  };
  const linear = (x: Rows, name: string): Rows => {
    const bias = weights.get(`${name}.bias`);
    return times(x, get(`${name}.weight`)).map((row) => row.map((v, i) => v + (bias?.[i] ?? 0)));
  };
  const norm = (x: Rows, name: string): Rows => {
    const scale = get(`${name}.weight`);
    return x.map((row) => rmsNorm(row, scale, config.rmsNormEps));
  };
  const table = get('model.embed_tokens.weight');
  const width = config.hiddenSize;
  let x: Rows = Array.from(tokens, (token) => table.slice(token * width, (token + 1) * width));
  const attention: Float64Array[][] = [];
  const hidden: Rows[] = [];
  for (let layer = 0; layer < config.layers; layer++) {
    hidden.push(x);
    const at = `model.layers.${layer}`;
    const seen = norm(x, `${at}.input_layernorm`);
    const side = (projection: string, normName: string): Rows => {
      const rows = linear(seen, `${at}.self_attn.${projection}`);
      const scale = config.qkNorm ? get(`${at}.self_attn.${normName}.weight`) : undefined;
      return rows.map((row, t) => rotateHeads(config, row, t, scale));
    };
    const mixed = attend(
      config,
      side('q_proj', 'q_norm'),
      side('k_proj', 'k_norm'),
      linear(seen, `${at}.self_attn.v_proj`),
    );
    attention.push(mixed.attention);
    x = plus(x, linear(mixed.rows, `${at}.self_attn.o_proj`));
    const inner = norm(x, `${at}.post_attention_layernorm`);
    const up = linear(inner, `${at}.mlp.up_proj`);
    const gated = linear(inner, `${at}.mlp.gate_proj`).map((row, t) =>
      row.map((v, i) => (v / (1 + Math.exp(-v))) * up[t][i]),
    );
    x = plus(x, linear(gated, `${at}.mlp.down_proj`));
  }
  const head = config.tieWordEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  const final = norm(x, 'model.norm');
  return { logits: times(final, get(head)), attention, hidden: [...hidden, final] };
}

/** Log-probabilities of every token of a row of logits divided by `temperature`. */
export function logSoftmax(logits: Float64Array, temperature = 1): Float64Array {
  const scaled = logits.map((v) => v / temperature);
  const top = Math.max(...scaled);
  const total = Math.log(scaled.reduce((sum, v) => sum + Math.exp(v - top), 0)) + top;
  return scaled.map((v) => v - total);
}

/** x W^T with W [out, in]. */
function times(x: Rows, weight: Float64Array): Rows {
  const inner = x[0].length;
  const out = weight.length / inner;
  return x.map((row) =>
    Float64Array.from({ length: out }, (_, o) => {
      let sum = 0;
      for (let i = 0; i < inner; i++) sum += row[i] * weight[o * inner + i];
      return sum;
    }),
  );
}

const plus = (a: Rows, b: Rows): Rows => a.map((row, t) => row.map((v, i) => v + b[t][i]));

function rmsNorm(row: Float64Array, scale: Float64Array, eps: number): Float64Array {
  const mean = row.reduce((sum, v) => sum + v * v, 0) / row.length;
  return row.map((v, i) => (v / Math.sqrt(mean + eps)) * scale[i]);
}

/** Normalises (Qwen3) and turns every head of a row of queries or keys at position `t`. */
function rotateHeads(
  config: DecoderConfig,
  row: Float64Array,
  t: number,
  scale: Float64Array | undefined,
): Float64Array {
  const { headDim } = config;
  const { frequencies, scale: magnitude } = ropeFrequencies(config.rope, headDim);
  const out = new Float64Array(row.length);
  for (let at = 0; at < row.length; at += headDim) {
    const raw = row.slice(at, at + headDim);
    const head = scale === undefined ? raw : rmsNorm(raw, scale, config.rmsNormEps);
    for (const [i, frequency] of frequencies.entries()) {
      const cos = Math.cos(t * frequency) * magnitude;
      const sin = Math.sin(t * frequency) * magnitude;
      const [a, b] = [head[i], head[i + headDim / 2]];
      out[at + i] = a * cos - b * sin;
      out[at + i + headDim / 2] = b * cos + a * sin;
    }
  }
  return out;
}

/** Causal softmax attention; query head h reads key head floor(h / (heads / kvHeads)). */
function attend(
  { heads, kvHeads, headDim }: DecoderConfig,
  q: Rows,
  k: Rows,
  v: Rows,
): { rows: Rows; attention: Float64Array[] } {
  const n = q.length;
  const rows = q.map(() => new Float64Array(heads * headDim));
  const attention = Array.from({ length: heads }, (_, h) => {
    const matrix = new Float64Array(n * n);
    const qAt = h * headDim;
    const kAt = Math.floor(h / (heads / kvHeads)) * headDim;
    for (let t = 0; t < n; t++) {
      const scores = new Float64Array(t + 1);
      for (let j = 0; j <= t; j++) {
        for (let i = 0; i < headDim; i++) scores[j] += q[t][qAt + i] * k[j][kAt + i];
        scores[j] /= Math.sqrt(headDim);
      }
      for (const [j, logp] of logSoftmax(scores).entries()) {
        matrix[t * n + j] = Math.exp(logp);
        for (let i = 0; i < headDim; i++) rows[t][qAt + i] += Math.exp(logp) * v[j][kAt + i];
      }
    }
    return matrix;
  });
  return { rows, attention };
}
