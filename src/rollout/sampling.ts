/** One token from one row of logits. Knows nothing of batches or caches. */
import type { RandomStream } from '../core/random.ts';
import type { Sampling } from './types.ts';

export interface Draw {
  token: number;
  logprob: number;
  entropy: number;
  selfCertainty: number;
}

/** A sampler of rows with `vocabSize` logits; it owns the scratch space, so that a draw allocates little. */
export class TokenSampler {
  private readonly sampling: Sampling;
  private readonly logp: Float64Array;

  constructor(sampling: Sampling, vocabSize: number) {
    this.sampling = sampling;
    this.logp = new Float64Array(vocabSize);
  }

  /** Draws from `logits[at .. at + vocabSize)`. Greedy takes the first of equal logits. */
  draw(logits: Float32Array, at: number, random: RandomStream): Draw {
    const { temperature } = this.sampling;
    const { logp } = this;
    const size = logp.length;
    const scale = temperature > 0 ? 1 / temperature : 1;
    let best = 0;
    for (let i = 1; i < size; i++) if (logits[at + i] > logits[at + best]) best = i;
    const top = logits[at + best] * scale;
    if (!Number.isFinite(top)) {
      throw new Error('the logits are not finite: the policy has diverged (lower train.lr)');
    }
    let sum = 0;
    for (let i = 0; i < size; i++) {
      logp[i] = logits[at + i] * scale - top;
      sum += Math.exp(logp[i]);
    }
    const logSum = Math.log(sum);
    let entropy = 0;
    let meanLogp = 0;
    for (let i = 0; i < size; i++) {
      logp[i] -= logSum;
      entropy -= Math.exp(logp[i]) * logp[i];
      meanLogp += logp[i];
    }
    meanLogp /= size;
    const token = temperature > 0 ? this.pick(random) : best;
    return { token, logprob: logp[token], entropy, selfCertainty: -meanLogp - Math.log(size) };
  }

  /** Inverse-transform sampling over the kept tokens, in order of their ids. */
  private pick(random: RandomStream): number {
    const { logp } = this;
    const kept = this.kept();
    const at = (i: number) => (kept === undefined ? i : kept[i]);
    const count = kept === undefined ? logp.length : kept.length;
    let mass = 0;
    for (let i = 0; i < count; i++) mass += Math.exp(logp[at(i)]);
    let left = random.uniform() * mass;
    for (let i = 0; i < count; i++) {
      left -= Math.exp(logp[at(i)]);
      if (left < 0) return at(i);
    }
    return at(count - 1);
  }

  /** The token ids that top-k, top-p and min-p leave, or undefined for all. At least one is left. */
  private kept(): number[] | undefined {
    const { topK, topP, minP } = this.sampling;
    if (topK === 0 && topP >= 1 && minP <= 0) return undefined;
    const { logp } = this;
    let ids = Array.from(logp.keys()).sort((a, b) => logp[b] - logp[a] || a - b);
    if (topK > 0) ids = ids.slice(0, topK);
    if (minP > 0) {
      const floor = logp[ids[0]] + Math.log(minP);
      ids = ids.filter((id) => logp[id] >= floor);
    }
    if (topP < 1) {
      let mass = 0;
      const end = ids.findIndex((id) => {
        mass += Math.exp(logp[id]);
        return mass >= topP;
      });
      if (end >= 0) ids = ids.slice(0, end + 1);
    }
    return ids.sort((a, b) => a - b);
  }
}
