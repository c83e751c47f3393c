/**
 * What the model says of given next tokens, from hidden states: a head of its own, so that logits exist for a
 * few rows at a time and only where somebody asks.
 */
import { Graph } from '../engine/graph.ts';
import { type DecoderConfig, parameterShapes } from './config.ts';
import { headWeight, logits } from './decoder.ts';

/** Inputs of the graph beside the weight. */
export const STATISTICS_HIDDEN = 'hidden';
export const STATISTICS_TARGETS = 'targets';
export const STATISTICS_SCALE = 'scale';

/**
 * Inputs: the weight named by `headWeight`; `hidden` [rows, hiddenSize] after the final norm; `targets` int64
 * [rows, 1]; `scale` [1], one over the temperature.
 *
 * Outputs, [rows] each: `logprobs` of the targets, `entropies` and `self_certainty` (KL(U || p)) of
 * p = softmax(scale * logits), in nats. Memory is about three times [rows, vocabSize] floats. `threads`: the most
 * that the graph will run on.
 */
export function statisticsGraph(config: DecoderConfig, rows: number, threads: number): Graph {
  const g = new Graph(threads);
  const name = headWeight(config);
  const shape = parameterShapes(config).get(name);
  if (shape === undefined) throw new Error(`the model has no parameter ${name}`);
  const weights = new Map([[name, g.input(name, shape)]]);
  const hidden = g.input(STATISTICS_HIDDEN, [rows, config.hiddenSize]);
  const targets = g.input(STATISTICS_TARGETS, [rows, 1], 'int64');
  const scaled = g.mul(hidden, g.input(STATISTICS_SCALE, [1]));
  const logp = g.logSoftmax(logits(g, config, weights, scaled));
  g.output('logprobs', g.reshape(g.gatherElements(logp, targets), [rows]));
  g.output('entropies', g.neg(g.sum(g.mul(g.exp(logp), logp), [1], false)));
  const uniform = g.add(g.mean(logp, [1], false), g.scalar(Math.log(config.vocabSize)));
  g.output('self_certainty', g.neg(uniform));
  return g;
}
