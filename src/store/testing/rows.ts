/** Made-up rows for tests: a function of their index alone. */
import type { Prompt } from '../../pool/types.ts';
import type { StoredRollout, StoredTrace } from '../types.ts';

export function promptRow(index: number): Prompt {
  return {
    id: `p${index}`,
    prompt: `What is ${index} + 1?`,
    source: 'made up',
    metadata: { index },
  };
}

export function rolloutRow(index: number, sample = 0, length = 12): StoredRollout {
  return {
    promptId: `p${index}`,
    sample,
    promptLength: 7,
    length,
    tokens: Int32Array.from({ length }, (_, t) => index * 31 + sample + t - 5),
    text: `So it is ${index + 1}. answer: ${index + 1}`,
    meanLogprob: -0.25 - index / 1024,
    meanEntropy: 0.5,
    maxEntropy: 2,
    meanSelfCertainty: 3,
    answer: String(index + 1),
    answerClass: 0,
    finish: 'stop',
    layerPath: {
      magnitudes: Float32Array.of(0.5, 1.25),
      angles: Float32Array.of(0.25, 1),
      turns: Float32Array.of(2 - index / 8),
    },
  };
}

export function traceRow(index: number, sample = 0, tokens = 12): StoredTrace {
  const heads = [
    { layer: 0, head: 1 },
    { layer: 2, head: 3 },
  ];
  const signal = (columns: number, offset: number) =>
    Float32Array.from({ length: tokens * columns }, (_, i) => offset + index + i / 8);
  return {
    promptId: `p${index}`,
    sample,
    trace: {
      heads,
      tokens,
      signals: {
        distance: signal(2, 0.5),
        agreement: signal(2, -1),
        received: signal(2, Number.NaN),
      },
      layerFarMass: signal(2, 0),
    },
    changes: signal(1, 0.25),
  };
}
