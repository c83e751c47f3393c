/**
 * What the traces' further signals say: a threshold for each pivot signal beside the configured one, and
 * summaries per prompt. Series are read from the store a chunk of prompts at a time and are not kept.
 */
import type { Repositories, StoredTrace } from '../../store/types.ts';
import {
  ChangeSketch,
  pivotSignals,
  type SignalName,
  type SignalThreshold,
  signalMean,
  summarisePivots,
  type TraceManifest,
  type TraceSettings,
  traceChanges,
} from '../../trace/index.ts';
import type { PromptObservation } from '../../uncertainty/types.ts';

export type SignalSummaries = Required<Pick<PromptObservation, 'signalPivots' | 'signalMeans'>>;

/** Prompts whose traces are in memory at a time. */
const CHUNK = 128;

/** The signals that traces hold when `kept` were asked for: agreement is made from far mass. */
export function heldSignals(kept: readonly SignalName[]): SignalName[] {
  const held = kept.flatMap((s): SignalName[] => (s === 'agreement' ? [s, 'far_mass'] : [s]));
  return [...new Set(held)];
}

/** A threshold over the whole round for each pivot signal among `signals` that is not the configured one. */
export async function signalThresholds(
  store: Repositories,
  round: number,
  signals: readonly SignalName[],
  { signal: configured, delta, zeta }: TraceSettings,
): Promise<SignalThreshold[]> {
  const wanted = pivotSignals.filter((one) => one !== configured && signals.includes(one));
  const sketches = new Map(wanted.map((signal) => [signal, new ChangeSketch()]));
  if (wanted.length === 0) return [];
  for await (const { trace } of tracesOf(store, round)) {
    for (const [signal, sketch] of sketches) sketch.add(traceChanges(trace, { signal, delta }));
  }
  return [...sketches].map(([signal, sketch]) => ({
    signal,
    tau: sketch.count === 0 ? null : sketch.tau(zeta),
    sketch: sketch.state(),
  }));
}

/** Per prompt the summaries of its first `samples` traces; empty where no signal but the configured pivots is there. */
export async function signalSummaries(
  store: Repositories,
  round: number,
  manifest: TraceManifest,
  samples: number,
): Promise<Map<string, SignalSummaries>> {
  const found = new Map<string, SignalSummaries>();
  const { signals, thresholds, settings } = manifest;
  const isPivotSignal = (signal: SignalName) => pivotSignals.some((one) => one === signal);
  if (thresholds.length === 0 && signals.every(isPivotSignal)) return found;
  for await (const { promptId, sample, trace } of tracesOf(store, round)) {
    if (sample >= samples) continue;
    const own = found.get(promptId) ?? { signalPivots: {}, signalMeans: {} };
    found.set(promptId, own);
    for (const signal of signals) {
      own.signalMeans[signal] = [...(own.signalMeans[signal] ?? []), signalMean(trace, signal)];
    }
    for (const { signal, tau } of thresholds) {
      if (tau === null) continue;
      const changes = traceChanges(trace, { signal, delta: settings.delta });
      const pivots = summarisePivots(changes, tau, settings.delta);
      own.signalPivots[signal] = [...(own.signalPivots[signal] ?? []), pivots];
    }
  }
  return found;
}

async function* tracesOf(store: Repositories, round: number): AsyncGenerator<StoredTrace> {
  const ids = [...(await store.traces.counts(round)).keys()];
  for (let at = 0; at < ids.length; at += CHUNK) {
    yield* await store.traces.of(round, ids.slice(at, at + CHUNK));
  }
}
