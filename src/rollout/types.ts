/** What sampling takes and gives. */
import type { RawTrace } from '../model/signals.ts';

export interface Sampling {
  /** 0 is greedy; otherwise logits are divided by it. */
  temperature: number;
  /** Keep the k most likely tokens; 0 keeps all. */
  topK: number;
  /** Keep the smallest set of tokens with at least this probability, 0..1; 1 keeps all. */
  topP: number;
  /** Keep tokens with at least this share of the most likely token's probability, 0..1; 0 keeps all. */
  minP: number;
  /** New tokens at most, the stop token included. */
  maxTokens: number;
  /** A response ends as soon as its text contains one of these; the text is cut before it. */
  stop: readonly string[];
  seed: number;
  /** A prompt that leaves no room for maxTokens: refused, or cut to its last tokens. */
  longPrompts: 'refuse' | 'cut';
}

/** One response that is wanted. Random numbers depend on (seed, promptId, sample) alone. */
export interface RolloutRequest {
  promptId: string;
  sample: number;
  promptTokens: readonly number[];
}

/** What a policy says of the tokens of a response, one number per response token each. */
export interface TokenStatistics {
  /** Log-probability under the temperature-scaled distribution, before any cut of it. */
  logprobs: Float32Array;
  /** Entropy of that distribution, nats. */
  entropies: Float32Array;
  /** KL(U || p) of the uniform distribution to it, nats; higher is more certain. */
  selfCertainty: Float32Array;
}

export interface Rollout extends TokenStatistics {
  promptId: string;
  sample: number;
  /** P, in tokens (after a cut). */
  promptLength: number;
  /** Response tokens, the stop token included. */
  tokens: Int32Array;
  /** The response without special tokens. */
  text: string;
  finish: 'stop' | 'length';
  trace?: RawTrace;
}

/** A response with the token ids of its prompt. */
export interface Response extends Rollout {
  promptTokens: readonly number[];
}
