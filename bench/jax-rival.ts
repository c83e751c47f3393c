/** Train step and generation of the bench model in jax-js, compiled with `jit`. */
import { jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import type { OptimizerSettings } from '../src/engine/adamw.ts';
import type { TensorData } from '../src/engine/tensor.ts';
import type { DecoderConfig } from '../src/model/config.ts';
import type { MicroBatch } from '../src/train/loss.ts';
import {
  type JaxWeights,
  jaxDecoder,
  jaxInputs,
  jaxLikelihood,
  jaxRotary,
  jaxWeights,
} from '../test/reference/jax-decoder.ts';

type TrainState = {
  weights: JaxWeights;
  m: JaxWeights;
  v: JaxWeights;
};
type Inputs = ReturnType<typeof jaxInputs>;

/** Calls make one AdamW step with clipping and give the loss. */
export function jaxTrainer(
  config: DecoderConfig,
  start: ReadonlyMap<string, Float32Array>,
  extent: MicroBatch,
  settings: OptimizerSettings,
): (inputs: Readonly<Record<string, TensorData>>) => Promise<number> {
  const { lr, beta1, beta2, eps, weightDecay, maxGradNorm } = settings;
  const zeros = () =>
    jaxWeights(config, new Map([...start].map(([name, w]) => [name, new Float32Array(w.length)])));
  let state: TrainState = { weights: jaxWeights(config, start), m: zeros(), v: zeros() };
  let steps = 0;

  const step = jit((old: TrainState, inputs: Inputs, rates: np.Array) => {
    const loss = (w: JaxWeights, x: Inputs) => jaxLikelihood(config, extent, w, x);
    const [value, gradients] = valueAndGrad(loss)(tree.ref(old.weights), inputs);
    const [rate, debias] = np.split(rates, 2);
    const squares = Object.values(gradients).map((g) => np.sum(np.square(g.ref)));
    const norm = np.sqrt(squares.reduce((a, b) => a.add(b)));
    const clip = np.minimum(np.reciprocal(norm.add(1e-6)).mul(maxGradNorm), 1);
    const next: TrainState = { weights: {}, m: {}, v: {} };
    for (const [name, gradient] of Object.entries(gradients)) {
      const g = gradient.mul(clip.ref);
      const m = old.m[name].mul(beta1).add(g.ref.mul(1 - beta1));
      const v = old.v[name].mul(beta2).add(np.square(g).mul(1 - beta2));
      const scale = np.sqrt(v.ref.mul(debias.ref)).add(eps);
      const update = m.ref.mul(rate.ref).div(scale);
      const decay = old.weights[name].ndim > 1 ? 1 - lr * weightDecay : 1;
      next.weights[name] = old.weights[name].mul(decay).sub(update);
      next.m[name] = m;
      next.v[name] = v;
    }
    for (const rest of [clip, rate, debias]) rest.dispose();
    return { next, value };
  });

  return async (inputs) => {
    steps += 1;
    const rates = np.array([lr / (1 - beta1 ** steps), 1 / (1 - beta2 ** steps)]);
    const { next, value } = step(state, jaxInputs(config, extent, inputs), rates);
    state = next;
    return (await value.data())[0];
  };
}

/** Per layer keys and values, [batch, heads, capacity, headDim]. */
type Cache = { keys: np.Array[]; values: np.Array[] };

/** Temperature-1 sampling in JavaScript, from logits [batch * vocabSize]. */
function draw(logits: ArrayLike<number>, vocabSize: number, uniform: () => number): Int32Array {
  const out = new Int32Array(logits.length / vocabSize);
  const weights = new Float64Array(vocabSize);
  for (let row = 0; row < out.length; row++) {
    const at = row * vocabSize;
    let top = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < vocabSize; i++) top = Math.max(top, logits[at + i]);
    let total = 0;
    for (let i = 0; i < vocabSize; i++) {
      weights[i] = Math.exp(logits[at + i] - top);
      total += weights[i];
    }
    let left = uniform() * total;
    let token = 0;
    while (token < vocabSize - 1) {
      left -= weights[token];
      if (left <= 0) break;
      token += 1;
    }
    out[row] = token;
  }
  return out;
}

/** Calls generate `newTokens` per prompt with a key/value cache of fixed capacity. */
export function jaxGenerator(
  config: DecoderConfig,
  start: ReadonlyMap<string, Float32Array>,
  batch: number,
  promptLength: number,
  newTokens: number,
): (prompts: Int32Array, uniform: () => number) => Promise<number> {
  const { heads, headDim, vocabSize } = config;
  const capacity = promptLength + newTokens;
  const weights = jaxWeights(config, start);
  const scale = 1 / Math.sqrt(headDim);
  const first = (x: np.Array) => np.transpose(x, [0, 2, 1, 3]);

  const prefill = jit((w: JaxWeights, ids: np.Array, cos: np.Array, sin: np.Array) => {
    const cache: Cache = { keys: [], values: [] };
    const logits = jaxDecoder(
      config,
      w,
      ids,
      { batch, length: promptLength },
      cos,
      sin,
      (_l, q, k, v) => {
        const [keys, values] = [first(k), first(v)];
        const room = np.zeros([batch, heads, capacity - promptLength, headDim]);
        cache.keys.push(np.concatenate([keys.ref, room.ref], 2));
        cache.values.push(np.concatenate([values.ref, room], 2));
        const mask = np.tril(np.ones([promptLength, promptLength])).astype(np.bool);
        const scores = np.matmul(first(q).mul(scale), np.transpose(keys, [0, 1, 3, 2]));
        return first(np.matmul(nn.softmax(np.where(mask, scores, -1e9), -1), values));
      },
    );
    const rows = logits.reshape([batch, promptLength, vocabSize]);
    return { cache, logits: rows.slice([], promptLength - 1) };
  });

  const decode = jit(
    (w: JaxWeights, cache: Cache, ids: np.Array, at: np.Array, cos: np.Array, sin: np.Array) => {
      const next: Cache = { keys: [], values: [] };
      const columns = np.arange(capacity);
      const here = np.equal(columns.ref, at.ref).reshape([1, 1, capacity, 1]);
      const seen = np.lessEqual(columns, at).reshape([1, 1, 1, capacity]);
      const logits = jaxDecoder(
        config,
        w,
        ids,
        { batch, length: 1 },
        cos,
        sin,
        (layer, q, k, v) => {
          const keys = np.where(here.ref, first(k), cache.keys[layer]);
          const values = np.where(here.ref, first(v), cache.values[layer]);
          next.keys.push(keys.ref);
          next.values.push(values.ref);
          const scores = np.matmul(first(q).mul(scale), np.transpose(keys, [0, 1, 3, 2]));
          return first(np.matmul(nn.softmax(np.where(seen.ref, scores, -1e9), -1), values));
        },
      );
      here.dispose();
      seen.dispose();
      return { cache: next, logits };
    },
  );

  const tables = jaxRotary(config, capacity);
  return async (prompts, uniform) => {
    const rows = (from: number, to: number) => [
      tables.cos.ref.slice([from, to]),
      tables.sin.ref.slice([from, to]),
    ];
    const ids = np.array(new Int32Array(prompts), { dtype: np.int32 });
    const [cos, sin] = rows(0, promptLength);
    let { cache, logits } = prefill(tree.ref(weights), ids, cos, sin);
    let made = 0;
    for (let i = 0; i < newTokens; i++) {
      const tokens = draw(await logits.data(), vocabSize, uniform);
      made += tokens.length;
      if (i === newTokens - 1) break;
      const position = promptLength + i;
      const [c, s] = rows(position, position + 1);
      const at = np.array([position], { dtype: np.int32 });
      ({ cache, logits } = decode(
        tree.ref(weights),
        cache,
        np.array(tokens, { dtype: np.int32 }),
        at,
        c,
        s,
      ));
    }
    tree.dispose(cache);
    return made;
  };
}
