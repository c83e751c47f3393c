/**
 * Means of the attention signals (METHOD, section 2) over response tokens, kept heads and the prompt's traces.
 *
 * No source says which way they point. The signs below are assumptions, chosen by what was measured on the bundled
 * pool (docs/guide/choosing-the-estimator.md); on another model the probes decide: a score that points the wrong way
 * shows an AUROC below one half and is not taken.
 */
import type { SignalName } from '../trace/types.ts';
import { mean, scoreEach } from './observe.ts';
import type { Estimator } from './types.ts';

function signalMeanEstimator(name: string, signal: SignalName, sign: 1 | -1): Estimator {
  const needs = { samples: 0, meanOf: signal };
  return {
    name,
    needs,
    tieBreakers: ['mean_entropy'],
    score: (observations) =>
      scoreEach(
        { name, needs },
        observations,
        ({ signalMeans }) => sign * mean(signalMeans?.[signal] ?? []),
      ),
  };
}

/** Entropy of the attention rows, 0..1: attention that is spread out knows less where to look. */
export const attentionEntropy: Estimator = signalMeanEstimator('attention_entropy', 'entropy', 1);

/** Total variation between neighbouring rows, 0..1: attention that jumps about is searching. */
export const attentionChange: Estimator = signalMeanEstimator('attention_change', 'change', 1);

/** Correlation of the layers' far mass, -1..1, negated: layers that look back together agree on what to do. */
export const layerAgreement: Estimator = signalMeanEstimator('layer_agreement', 'agreement', -1);

/** Attention that tokens get from much later ones, 0..1, negated: later steps build on what is settled. */
export const receivedAttention: Estimator = signalMeanEstimator(
  'received_attention',
  'received',
  -1,
);
