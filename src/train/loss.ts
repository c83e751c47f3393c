/**
 * Losses as graphs: forward, loss and the gradient added to an accumulator.
 *
 * A micro-batch is `batch` sequences of `length` tokens, padded on the right. Weights per token carry
 * everything about masks and normalisation, so that gradients of micro-batches simply add up.
 */
import { gradientOf, next } from '../engine/adamw.ts';
import { gradients } from '../engine/autodiff.ts';
import { Graph } from '../engine/graph.ts';
import type { Tensor } from '../engine/tensor.ts';
import type { DecoderConfig } from '../model/config.ts';
import { logits, weightInputs } from '../model/decoder.ts';
import { forward } from '../model/forward.ts';
import { trainableShapes } from '../model/lora.ts';

export interface MicroBatch {
  batch: number;
  /** Tokens per sequence that are fed; the targets are these shifted by one. */
  length: number;
}

export interface SurrogateSettings {
  /** Clip range of the probability ratio: [1 - clipLow, 1 + clipHigh]. */
  clipLow: number;
  clipHigh: number;
  /** beta of the KL term to the reference; 0 leaves it out of the graph. */
  kl: number;
  /** The temperature that responses were sampled with. */
  temperature: number;
}

/**
 * Log-probabilities [rows, 1] of `target` int64 [rows, 1] after `ids` int64 [rows]; `parameters` are the weights
 * that training changes. Of all others no gradient is computed.
 */
function targetLogprobs(
  g: Graph,
  config: DecoderConfig,
  { batch, length }: MicroBatch,
  temperature: number,
): { logprobs: Tensor; parameters: ReadonlyMap<string, Tensor> } {
  const rows = batch * length;
  const weights = weightInputs(g, config);
  const ids = g.input('ids', [rows], 'int64');
  const target = g.input('target', [rows, 1], 'int64');
  const hidden = forward(g, config, weights, ids, { batch, queries: length });
  const scores = g.scale(logits(g, config, weights, hidden), 1 / temperature);
  const trained = trainableShapes(config);
  const parameters = new Map([...weights].filter(([name]) => trained.has(name)));
  return { logprobs: g.gatherElements(g.logSoftmax(scores), target), parameters };
}

/** Outputs the loss and, per parameter, accumulator + gradient (bind both to one array). */
function accumulate(g: Graph, loss: Tensor, parameters: ReadonlyMap<string, Tensor>): Graph {
  g.output('loss', loss);
  const names = [...parameters.keys()];
  const parts = gradients(g, loss, [...parameters.values()]);
  for (const [i, name] of names.entries()) {
    const accumulator = g.input(gradientOf(name), parts[i].shape);
    g.output(next(gradientOf(name)), g.add(accumulator, parts[i]));
  }
  return g;
}

/**
 * Weighted negative log-likelihood: loss [1, 1] = - sum w log p(target).
 * Inputs: weights; `ids` int64 [rows]; `target` int64 [rows, 1]; `weight` [rows, 1]; `grad.NAME` per weight
 * that training changes.
 */
export function likelihoodGraph(config: DecoderConfig, extent: MicroBatch): Graph {
  const g = new Graph();
  const { logprobs, parameters } = targetLogprobs(g, config, extent, 1);
  const weight = g.input('weight', logprobs.shape);
  return accumulate(g, g.neg(g.sum(g.mul(weight, logprobs), [0, 1])), parameters);
}

/**
 * GRPO's clipped surrogate (Shao et al., arXiv 2402.03300, eq. 3; separate bounds as DAPO's clip-higher,
 * arXiv 2503.14476, eq. 10), with the k3 estimate of the KL divergence to a reference.
 *
 * loss [1, 1] = - sum w (min(r A, clip(r) A) - beta kl), r = exp(log p - old). Inputs as
 * `likelihoodGraph` plus `advantage`, `old` and (with kl > 0) `reference`, [rows, 1] each. Further
 * outputs, [1, 1]: `clipped` = sum of w where the clip took the gradient away, `kl` = sum w kl.
 */
export function surrogateGraph(
  config: DecoderConfig,
  extent: MicroBatch,
  settings: SurrogateSettings,
): Graph {
  const g = new Graph();
  const { logprobs, parameters } = targetLogprobs(g, config, extent, settings.temperature);
  const rows = logprobs.shape;
  const weight = g.input('weight', rows);
  const advantage = g.input('advantage', rows);
  const ratio = g.exp(g.sub(logprobs, g.input('old', rows)));
  const bounded = g.min(
    g.max(ratio, g.scalar(1 - settings.clipLow)),
    g.scalar(1 + settings.clipHigh),
  );
  const free = g.mul(ratio, advantage);
  const held = g.mul(bounded, advantage);
  const gain = g.min(free, held);
  g.output('clipped', g.sum(g.mul(weight, g.float(g.greater(free, held))), [0, 1]));
  if (settings.kl === 0) {
    return accumulate(g, g.neg(g.sum(g.mul(weight, gain), [0, 1])), parameters);
  }
  // Padding has a reference of 0: exp(0 - log p) could overflow, and 0 times infinity is no number.
  const counted = g.float(g.greater(g.abs(weight), g.scalar(0)));
  const gap = g.mul(g.sub(g.input('reference', rows), logprobs), counted);
  const kl = g.sub(g.exp(gap), g.add(gap, g.scalar(1)));
  g.output('kl', g.sum(g.mul(weight, kl), [0, 1]));
  const objective = g.sub(gain, g.scale(kl, settings.kl));
  return accumulate(g, g.neg(g.sum(g.mul(weight, objective), [0, 1])), parameters);
}

/**
 * Log-probabilities of given tokens, without a gradient: output `logprobs` [rows, 1].
 * Inputs: weights, `ids`, `target`.
 */
export function logprobGraph(
  config: DecoderConfig,
  extent: MicroBatch,
  temperature: number,
): Graph {
  const g = new Graph();
  g.output('logprobs', targetLogprobs(g, config, extent, temperature).logprobs);
  return g;
}
