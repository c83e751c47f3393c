/** Which graph outputs the settings of a trace need, and what is derived from them afterwards. */
import type { GraphSignal, TraceRequest } from '../model/attention-trace.ts';
import { layerAgreement } from './agreement.ts';
import type { Head, RawTrace, SignalName, TraceSettings } from './types.ts';
import { layersOf } from './types.ts';

/** What the graph is asked for: `agreement` comes from the far mass of the traced heads. */
export function traceRequest(
  heads: readonly Head[],
  signals: readonly SignalName[],
  { delta, window, sinks }: TraceSettings,
): TraceRequest {
  const wanted = signals.map((s): GraphSignal => (s === 'agreement' ? 'far_mass' : s));
  return { heads, signals: [...new Set(wanted)], delta, window, sinks };
}

/** The trace with the signals that are functions of others; `signals` says which were asked for. */
export function completeTrace(
  trace: RawTrace,
  signals: readonly SignalName[],
  { agreementWindow }: TraceSettings,
): RawTrace {
  const far = trace.signals.far_mass;
  if (!signals.includes('agreement') || far === undefined) return trace;
  const layers = layersOf(trace.heads);
  const layerFarMass = new Float32Array(trace.tokens * layers.length);
  for (let t = 0; t < trace.tokens; t++) {
    for (const [column, layer] of layers.entries()) {
      const mine = trace.heads.flatMap((head, h) => (head.layer === layer ? [h] : []));
      const sum = mine.reduce((total, h) => total + far[t * trace.heads.length + h], 0);
      layerFarMass[t * layers.length + column] = sum / mine.length;
    }
  }
  const agreement = Float32Array.from(layerAgreement(layerFarMass, layers.length, agreementWindow));
  return { ...trace, layerFarMass, signals: { ...trace.signals, agreement } };
}

/** Every head of a model, in the order of the graph's outputs. */
export function allHeads(layers: number, heads: number): Head[] {
  return Array.from({ length: layers * heads }, (_, i) => ({
    layer: Math.floor(i / heads),
    head: i % heads,
  }));
}

/** Mean attention distance per head over the tokens of all-head traces, [heads]. NaN without a token. */
export function meanDistances(traces: readonly RawTrace[]): Float64Array {
  const heads = traces[0]?.heads.length ?? 0;
  const sums = new Float64Array(heads);
  let tokens = 0;
  for (const trace of traces) {
    const distance = trace.signals.distance;
    if (distance === undefined) continue;
    tokens += trace.tokens;
    for (let i = 0; i < distance.length; i++) sums[i % heads] += distance[i];
  }
  return sums.map((sum) => sum / tokens);
}
