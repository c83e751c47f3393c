/**
 * What a pool costs before it is run: tokens, operations, bytes and labels, from the shape of the model alone
 * (docs/cost-model.md). Plain formulas; how fast a machine is comes from outside.
 *
 * Knows nothing of checkpoints, of the database or of what was measured.
 */

/** The shape of a dense decoder of the Llama and Qwen families: gated MLP, RMS norms, grouped-query attention. */
export interface ModelShape {
  layers: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  hidden: number;
  intermediate: number;
  vocab: number;
  /** The head multiplies by the embedding matrix. */
  tied: boolean;
}

/** Multiply-adds count two, as usual. */
const perMultiplyAdd = 2;
/** A backward pass multiplies twice as often as the forward pass. */
const trainingFactor = 3;
/** Operations per attention weight and kept head for its summaries: distances, masses, entropy, and their sums. */
const operationsPerWeight = 12;

const float32 = 4;

/** Weights of one layer's matrices. */
function layerMatrices(m: ModelShape): number {
  const attention = m.hidden * m.headDim * (2 * m.heads + 2 * m.kvHeads);
  return attention + 3 * m.hidden * m.intermediate;
}

/** All weights, norms left out (less than a thousandth). */
export function parameters(m: ModelShape): number {
  return m.layers * layerMatrices(m) + (m.tied ? 1 : 2) * m.vocab * m.hidden;
}

/** FLOPs of a pass of `tokens` tokens through the layers, attention left out; and of the logits of `predicted` of them. */
function matrixFlops(m: ModelShape, tokens: number, predicted: number): number {
  return perMultiplyAdd * (tokens * m.layers * layerMatrices(m) + predicted * m.hidden * m.vocab);
}

/** FLOPs of attention over `pairs` pairs of query and key: scores and weighted values. */
function attentionFlops(m: ModelShape, pairs: number): number {
  return 2 * perMultiplyAdd * m.layers * m.heads * m.headDim * pairs;
}

/** Pairs of query and key of a causal text, each token with itself and those before it. */
export function causalPairs(tokens: number): number {
  return (tokens * (tokens + 1)) / 2;
}

/** FLOPs of one forward pass over `tokens` tokens, with the logits of `predicted` of them. */
export function forwardFlops(
  m: ModelShape,
  tokens: number,
  predicted: number = tokens,
  pairs: number = causalPairs(tokens),
): number {
  return matrixFlops(m, tokens, predicted) + attentionFlops(m, pairs);
}

/**
 * FLOPs of sampling `response` tokens after `prompt` tokens. `pairs`: what attention is computed over where that is not
 * the causal minimum; our cache has a fixed capacity, over all of which every step goes.
 */
export function decodeFlops(
  m: ModelShape,
  prompt: number,
  response: number,
  pairs: number = causalPairs(prompt + response),
): number {
  return forwardFlops(m, prompt + response, response, pairs);
}

/** What a tracer keeps of a text. */
export interface TraceShape {
  /** Heads whose rows are summed up. */
  heads: number;
  /** Signals per head and token. */
  signals: number;
}

/** FLOPs that tracing adds to a pass over `pairs` pairs of query and key per head. */
export function traceFlops({ heads }: TraceShape, pairs: number): number {
  return operationsPerWeight * heads * pairs;
}

/** FLOPs of a training step over `sequences` texts of `tokens` tokens, forward and backward. */
export function trainFlops(
  m: ModelShape,
  sequences: number,
  tokens: number,
  pairs: number = causalPairs(tokens),
): number {
  return trainingFactor * sequences * forwardFlops(m, tokens, tokens, pairs);
}

/** Bytes of the weights. */
export function weightBytes(m: ModelShape, bytesPerNumber: number): number {
  return bytesPerNumber * parameters(m);
}

/** Bytes of the keys and values of one text of `tokens` tokens. */
export function cacheBytes(m: ModelShape, tokens: number, bytesPerNumber: number): number {
  return bytesPerNumber * 2 * m.layers * m.kvHeads * m.headDim * tokens;
}

/**
 * Bytes of what tracing keeps of a text of `tokens` tokens: a number per signal, kept head and token, and the attention
 * that every key has received so far. Grows with the text, not with its square.
 */
export function traceBytes({ heads, signals }: TraceShape, tokens: number): number {
  return float32 * heads * (signals + 1) * tokens;
}

/** Bytes of all attention matrices of one text, as `output_attentions=True` of transformers keeps them. */
export function attentionMatrixBytes(
  m: Pick<ModelShape, 'layers' | 'heads'>,
  tokens: number,
  bytesPerNumber: number,
): number {
  return bytesPerNumber * m.layers * m.heads * tokens * tokens;
}

/**
 * Bytes that stay for the backward pass of a micro-batch: per token and layer five vectors of the hidden size, queries and
 * attention outputs, keys and values, three of the MLP, and a row of attention weights per head where those are kept (a
 * fused kernel computes them again); at the end the logits and their softmax.
 */
export function activationBytes(
  m: ModelShape,
  sequences: number,
  tokens: number,
  bytesPerNumber: number,
  keepsWeights: boolean,
): number {
  const vectors = 5 * m.hidden + (2 * m.heads + 2 * m.kvHeads) * m.headDim + 3 * m.intermediate;
  const perToken = m.layers * (vectors + (keepsWeights ? 2 * m.heads * tokens : 0)) + 2 * m.vocab;
  return bytesPerNumber * sequences * tokens * perToken;
}

/** Bytes of a trained model beside its activations: weights, gradients and two moments, each as float32. */
export function optimizerBytes(m: ModelShape): number {
  return 4 * weightBytes(m, float32);
}

/** What is done with a pool; the defaults of the method where nothing else is said. */
export interface PoolPlan {
  prompts: number;
  promptTokens: number;
  responseTokens: number;
  /** Traced responses per prompt. */
  traces: number;
  /** Share of the pool that is probed, and responses per probe. */
  probeShare: number;
  probeSamples: number;
  /** Shares of the pool that are trained on: their votes, and labels (probes among them). */
  selfShare: number;
  annotateShare: number;
  /** Passes of training over what is kept, and responses per prompt and pass. */
  epochs: number;
  groupSize: number;
}

/** Work by stage. */
export interface StageWork {
  prompts: number;
  responses: number;
  /** Generated tokens. */
  tokens: number;
  /** FLOPs of sampling, and of training. */
  samplingFlops: number;
  trainingFlops: number;
}

export interface PoolWork {
  /** Sampling and tracing the pool. */
  trace: StageWork;
  probes: StageWork;
  /** Rollouts and updates. */
  train: StageWork;
  /** The same training over the whole pool: what it is compared with. */
  trainWhole: StageWork;
  /** Labels that are bought; all of the pool under full supervision. */
  labels: number;
}

/** Tokens, FLOPs and labels of a pool. */
export function poolWork(m: ModelShape, p: PoolPlan): PoolWork {
  const text = p.promptTokens + p.responseTokens;
  const stage = (prompts: number, responses: number, trains: boolean): StageWork => ({
    prompts,
    responses,
    tokens: responses * p.responseTokens,
    samplingFlops: responses * decodeFlops(m, p.promptTokens, p.responseTokens),
    trainingFlops: trains ? trainFlops(m, responses, text) : 0,
  });
  const perPrompt = p.epochs * p.groupSize;
  const probes = Math.round(p.probeShare * p.prompts);
  const kept = Math.round((p.selfShare + p.annotateShare) * p.prompts);
  return {
    trace: stage(p.prompts, p.traces * p.prompts, false),
    probes: stage(probes, p.probeSamples * probes, false),
    train: stage(kept, perPrompt * kept, true),
    trainWhole: stage(p.prompts, perPrompt * p.prompts, true),
    labels: Math.round(p.annotateShare * p.prompts),
  };
}

/** How fast an accelerator is, as far as the formulas ask. */
export interface Accelerator {
  /** FLOP/s that matrix products reach, and the shares of it that are reached in the passes. */
  peakFlops: number;
  prefillShare: number;
  trainShare: number;
  /** Bytes per second of its memory, and the share of it that decoding reaches. */
  bandwidth: number;
  bandwidthShare: number;
  /** Responses decoded at once. */
  batch: number;
}

/**
 * Seconds of decoding on one accelerator. A step reads all weights once and the keys and values of every text in the
 * batch; it takes what that takes or what its operations take, whichever is longer.
 */
export function decodeSeconds(
  m: ModelShape,
  responses: number,
  promptTokens: number,
  responseTokens: number,
  a: Accelerator,
  bytesPerNumber = 2,
): number {
  const steps = (responses / a.batch) * responseTokens;
  const meanLength = promptTokens + responseTokens / 2;
  const read = weightBytes(m, bytesPerNumber) + a.batch * cacheBytes(m, meanLength, bytesPerNumber);
  const flops = a.batch * (matrixFlops(m, 1, 1) + attentionFlops(m, meanLength));
  return (
    steps *
    Math.max(read / (a.bandwidth * a.bandwidthShare), flops / (a.peakFlops * a.prefillShare))
  );
}

/** Seconds of passes over given texts on one accelerator: prefill tracing. */
export function prefillSeconds(flops: number, a: Accelerator): number {
  return flops / (a.peakFlops * a.prefillShare);
}

/** Seconds of training on one accelerator. */
export function trainSeconds(flops: number, a: Accelerator): number {
  return flops / (a.peakFlops * a.trainShare);
}
