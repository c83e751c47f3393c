/** Collects what a traced batch says about one response, token by token. */
import type { GraphSignal, TraceRequest } from '../model/attention-trace.ts';
import type { RawTrace } from '../model/signals.ts';
import type { DecoderBatch } from './decoder-batch.ts';

export class TraceRecorder {
  private readonly request: TraceRequest;
  private readonly perToken: GraphSignal[];
  private readonly values: Map<GraphSignal, number[]>;
  private tokens = 0;

  constructor(request: TraceRequest) {
    this.request = request;
    this.perToken = request.signals.filter((signal) => signal !== 'received');
    this.values = new Map(this.perToken.map((signal) => [signal, []]));
  }

  /** Takes the summaries of the response token that `row` has just fed. */
  record(batch: DecoderBatch, row: number): void {
    const heads = this.request.heads.length;
    for (const [signal, values] of this.values) {
      const all = batch.signal(signal);
      for (let head = 0; head < heads; head++) values.push(all[row * heads + head]);
    }
    this.tokens += 1;
  }

  /** The trace of the response, whose first token is at position `promptLength`. */
  finish(batch: DecoderBatch, row: number, promptLength: number): RawTrace {
    const signals: RawTrace['signals'] = {};
    for (const [signal, values] of this.values) signals[signal] = Float32Array.from(values);
    if (this.request.signals.includes('received')) {
      const { heads, delta } = this.request;
      const sums = batch.received(row);
      signals.received = receivedPerToken(sums, heads.length, promptLength, this.tokens, delta);
    }
    return { heads: [...this.request.heads], tokens: this.tokens, signals };
  }
}

/**
 * Mean attention that each response token received from later response queries t > j + delta: NaN where
 * there is no such query. `sums` is the graph's received state, [heads * capacity]; the result is
 * token-major [tokens * heads].
 */
export function receivedPerToken(
  sums: Float32Array,
  heads: number,
  promptLength: number,
  tokens: number,
  delta: number,
): Float32Array {
  const capacity = sums.length / heads;
  const out = new Float32Array(tokens * heads);
  for (let i = 0; i < tokens; i++) {
    const queries = tokens - 1 - i - delta;
    for (let head = 0; head < heads; head++) {
      const sum = sums[head * capacity + promptLength + i];
      out[i * heads + head] = queries > 0 ? sum / queries : Number.NaN;
    }
  }
  return out;
}
