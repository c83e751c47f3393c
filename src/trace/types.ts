/**
 * What a trace is: per-token attention summaries of one response, the settings they were made with,
 * and the manifest that makes later shards and rounds comparable.
 *
 * Knows nothing of how the summaries were computed (decode or prefill) or of which prompt they are.
 */

import type { Head, SignalName } from '../model/signals.ts';

export { type Head, type RawTrace, type SignalName, signalNames } from '../model/signals.ts';

/** The distinct layers of `heads`, ascending: the columns of per-layer signals. */
export function layersOf(heads: readonly Head[]): number[] {
  return [...new Set(heads.map((head) => head.layer))].sort((a, b) => a - b);
}

/** How a trace is made and read (METHOD, sections 2 and 3). */
export interface TraceSettings {
  /** The signal whose changes are looked at. */
  signal: SignalName;
  /** Share of all heads that is kept, above 0 and up to 1. */
  psi: number;
  /** Delta, tokens: how far back a change is measured and how far away "far" begins; at least 1. */
  delta: number;
  /** Percentile of the pool's changes that is the threshold; between 0 and 100. */
  zeta: number;
  /** The first `sinks` positions are attention sinks: distance and far mass leave them out. */
  sinks: number;
  /** W, tokens: longer distances count as this much; at least 1. */
  window: number;
  /** Heads kept at least, however small psi is. */
  minHeads: number;
  /** Trailing tokens over which the agreement of layers is correlated; at least 2. */
  agreementWindow: number;
}

/** The published defaults of psi, Delta and zeta; the others are our own. */
export const defaultTraceSettings: Readonly<TraceSettings> = {
  signal: 'distance',
  psi: 0.05,
  delta: 10,
  zeta: 95,
  sinks: 1,
  window: 128,
  minHeads: 2,
  agreementWindow: 16,
};

/**
 * Below this attention mass outside the sinks a row has no mean distance: 0 is reported. Dividing by
 * less would show the rounding of float32 as a signal.
 */
export const distanceFloor = 1e-6;

/** A quantile sketch as plain data. */
export interface SketchState {
  /** Quantiles are right to this relative error. */
  relativeAccuracy: number;
  /** Values too small to have a bin; 0 is one of them. */
  zeroCount: number;
  /** Non-empty bins as [key, count], keys ascending. */
  bins: [number, number][];
}

/** The signals whose pivots are scored beside those of the configured one, where traces kept them. */
export const pivotSignals = ['far_mass', 'distance'] as const satisfies readonly SignalName[];

/** The threshold of a signal beside the configured one. */
export interface SignalThreshold {
  signal: SignalName;
  /** null until a change of this signal was defined. */
  tau: number | null;
  /** Changes of this signal over all response tokens so far. */
  sketch: SketchState;
}

/** Everything that later shards and rounds need to be comparable with this one. */
export interface TraceManifest {
  /** Identity of the policy that was traced: a hash of its files. */
  model: string;
  settings: TraceSettings;
  /** The kept heads. */
  heads: Head[];
  /** The threshold on changes; null until there was a token. */
  tau: number | null;
  /** Changes of all response tokens so far. */
  sketch: SketchState;
  /** Every signal that the traces hold, the configured one first. */
  signals: SignalName[];
  /** Thresholds of the other pivot signals among them, each over its own changes. */
  thresholds: SignalThreshold[];
  /** Responses traced. */
  traces: number;
  /** Response tokens over all traces. */
  tokens: number;
}
