/**
 * From a trace to one number per token: the signal over the kept heads, and how much it changed
 * (METHOD, section 3, steps 2 and 3).
 */
import { type Head, layersOf, type RawTrace, type SignalName } from './types.ts';

/**
 * s_t: the mean of `signal` over the heads `kept` (all traced heads when left out), [T].
 *
 * `agreement` has one column per layer, so there it is the mean over the kept heads' layers. Undefined
 * values (NaN) are left out of a mean; a token where all are undefined is NaN. RangeError when the
 * trace lacks the signal or a kept head.
 */
export function signalSeries(
  trace: RawTrace,
  signal: SignalName,
  kept: readonly Head[] = trace.heads,
): Float64Array {
  const values = trace.signals[signal];
  if (values === undefined) throw new RangeError(`the trace holds no signal '${signal}'`);
  const width = signal === 'agreement' ? layersOf(trace.heads).length : trace.heads.length;
  if (values.length !== trace.tokens * width) {
    throw new RangeError(
      `signal '${signal}' has ${values.length} values, not ${trace.tokens} tokens x ${width}`,
    );
  }
  const columns = signal === 'agreement' ? layerColumns(trace, kept) : headColumns(trace, kept);
  return Float64Array.from({ length: trace.tokens }, (_, t) => {
    let sum = 0;
    let defined = 0;
    for (const column of columns) {
      const value = values[t * width + column];
      if (Number.isNaN(value)) continue;
      sum += value;
      defined++;
    }
    return sum / defined;
  });
}

/**
 * Mean of `signal` over the response's tokens and the traced heads, in the signal's unit. Undefined values are left
 * out; where all are (nothing is received before a query lies far enough behind), it is 0.
 */
export function signalMean(trace: RawTrace, signal: SignalName): number {
  const defined = signalSeries(trace, signal).filter((value) => !Number.isNaN(value));
  return defined.length === 0 ? 0 : defined.reduce((sum, value) => sum + value, 0) / defined.length;
}

/** Whether the trace has a column for each of the heads. */
export function holdsHeads(trace: RawTrace, heads: readonly Head[]): boolean {
  return heads.every((head) => columnOf(trace, head) >= 0);
}

function columnOf(trace: RawTrace, { layer, head }: Head): number {
  return trace.heads.findIndex((traced) => traced.layer === layer && traced.head === head);
}

function headColumns(trace: RawTrace, kept: readonly Head[]): number[] {
  return kept.map((head) => {
    const column = columnOf(trace, head);
    if (column < 0) {
      throw new RangeError(`layer ${head.layer}, head ${head.head} was not traced`);
    }
    return column;
  });
}

function layerColumns(trace: RawTrace, kept: readonly Head[]): number[] {
  const layers = layersOf(trace.heads);
  return layersOf(kept).map((layer) => {
    const column = layers.indexOf(layer);
    if (column < 0) throw new RangeError(`layer ${layer} was not traced`);
    return column;
  });
}

/**
 * d_t = | s_t - mean(s_{t-delta} .. s_{t-1}) |, [T], in the signal's unit.
 *
 * Tokens with fewer than `delta` predecessors are compared with those there are; the first token has
 * none and gets 0. Undefined predecessors (NaN) are left out; an undefined s_t, or one without a single
 * defined predecessor after the first token, has an undefined change (NaN), which no threshold counts.
 */
export function changes(series: ArrayLike<number>, delta: number): Float64Array {
  const out = new Float64Array(series.length);
  for (let t = 1; t < series.length; t++) {
    let sum = 0;
    let defined = 0;
    // Summed anew for every token: a running sum would carry rounding from token to token.
    for (let u = Math.max(0, t - delta); u < t; u++) {
      if (Number.isNaN(series[u])) continue;
      sum += series[u];
      defined++;
    }
    out[t] = Math.abs(series[t] - sum / defined);
  }
  return out;
}

/** The changes of one trace: `changes` of `signalSeries`, over the heads `kept`, [T]. */
export function traceChanges(
  trace: RawTrace,
  settings: { signal: SignalName; delta: number },
  kept: readonly Head[] = trace.heads,
): Float64Array {
  return changes(signalSeries(trace, settings.signal, kept), settings.delta);
}
