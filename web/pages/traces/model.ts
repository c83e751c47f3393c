/**
 * A trace as the page works with it: numbers per token, colours as levels, pieces of text in chunks, places of a search.
 * Pure: knows nothing of the page.
 */
import {
  floatsOf,
  intsOf,
  type WireSignal,
  type WireTrace,
} from '../../../src/server/wire-traces.ts';
import { changes } from '../../../src/trace/changes.ts';
import { findPivots } from '../../../src/trace/pivots.ts';

export interface Signal {
  name: WireSignal['name'];
  label: string;
  unit: string;
  columns: { key: string; label: string }[];
  tau: number | null;
  /** s_t, one per token; NaN where undefined. */
  values: Float32Array;
  /** d_t; null where a round has no settings to measure it by. */
  changes: ArrayLike<number> | null;
  /** Positions of the pivots by this signal; empty without a threshold. */
  pivots: readonly number[];
}

export interface Trace {
  wire: WireTrace;
  /** Response tokens. */
  tokens: number;
  ids: Int32Array;
  signals: Signal[];
  chunks: Chunk[];
  /** The piece of text of a token. */
  piece(t: number): string;
}

/** Tokens `from` to before `to`. */
export interface Chunk {
  from: number;
  to: number;
}

const labels: Record<WireSignal['name'], string> = {
  far_mass: 'far mass',
  distance: 'distance',
  entropy: 'entropy',
  change: 'change of attention',
  received: 'received',
  agreement: 'agreement of layers',
  layer_far_mass: 'far mass of layers',
};

export function traceOf(wire: WireTrace): Trace {
  const ends = intsOf(wire.ends);
  const piece = (t: number) => wire.text.slice(t === 0 ? 0 : ends[t - 1], ends[t]);
  return {
    wire,
    tokens: ends.length,
    ids: intsOf(wire.ids),
    signals: wire.signals.map((signal) => signalOf(wire, signal)),
    chunks: chunksOf(ends.length, (t) => piece(t).includes('\n')),
    piece,
  };
}

function signalOf(wire: WireTrace, { name, unit, mean, columns, tau }: WireSignal): Signal {
  const values = floatsOf(mean);
  const { settings } = wire;
  const stored = name === settings?.signal ? wire.changes : null;
  const measured = stored !== null ? floatsOf(stored) : settings && changes(values, settings.delta);
  const pivots =
    measured === null || settings === null || tau === null
      ? []
      : findPivots(measured, tau, settings.delta);
  const keys = columns.map(({ layer, head }) => ({
    key: head === null ? `L${layer}` : `L${layer}H${head}`,
    label: head === null ? `layer ${layer}` : `layer ${layer}, head ${head}`,
  }));
  return { name, label: labels[name], unit, columns: keys, tau, values, changes: measured, pivots };
}

const CHUNK = 192;
const LONGEST_CHUNK = 512;

/**
 * Stretches of about 200 tokens that end at a line break where there is one: each is laid out by itself, and those out of
 * sight not at all.
 */
function chunksOf(tokens: number, breaks: (t: number) => boolean): Chunk[] {
  const chunks: Chunk[] = [];
  let from = 0;
  for (let t = 0; t < tokens; t++) {
    const length = t + 1 - from;
    if (length < CHUNK || (length < LONGEST_CHUNK && !breaks(t))) continue;
    chunks.push({ from, to: t + 1 });
    from = t + 1;
  }
  if (from < tokens) chunks.push({ from, to: tokens });
  return chunks;
}

/** Strengths of colour: 0 is none. */
export const LEVELS = 6;

/**
 * Level of each value between the smallest and the 98th percentile, so that one outlier does not make everything else
 * pale; 0 for what is undefined.
 */
export function levelsOf(values: ArrayLike<number>): Uint8Array {
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort();
  const low = sorted[0] ?? 0;
  const high = sorted[Math.floor((sorted.length - 1) * 0.98)] ?? low;
  return Uint8Array.from(values, (value) => {
    if (!Number.isFinite(value) || high <= low) return 0;
    return Math.max(0, Math.min(LEVELS, Math.round(((value - low) / (high - low)) * LEVELS)));
  });
}

const PIVOT = 8;
const HIT = 16;

/** How each token is drawn: its level, whether it is a pivot, whether it belongs to something found. */
export function drawnAs(levels: Uint8Array, pivots: readonly number[], hits: readonly Chunk[]) {
  const drawn = levels.slice();
  for (const t of pivots) drawn[t] |= PIVOT;
  for (const { from, to } of hits) for (let t = from; t < to; t++) drawn[t] |= HIT;
  return drawn;
}

const classes = Array.from({ length: 32 }, (_, bits) => {
  const level = bits & 7;
  return `t${level > 0 ? ` t${level}` : ''}${bits & HIT ? ' hit' : ''}`;
});

export function classOf(bits: number): string {
  return classes[bits & 31] ?? 't';
}

export function isPivot(bits: number): boolean {
  return (bits & PIVOT) !== 0;
}

/** Places that are found at most. */
export const MOST_HITS = 2_000;

/** The tokens of each place of `text` in the response, upper and lower case alike. */
export function placesOf(trace: Trace, text: string): Chunk[] {
  if (text === '') return [];
  // Lower case may have another length than the text itself, and offsets must fit.
  const lower = trace.wire.text.toLowerCase();
  const within = lower.length === trace.wire.text.length ? lower : trace.wire.text;
  const wanted = within === lower ? text.toLowerCase() : text;
  const ends = intsOf(trace.wire.ends);
  const places: Chunk[] = [];
  let t = 0;
  for (let at = within.indexOf(wanted); at >= 0 && places.length < MOST_HITS; ) {
    while (ends[t] <= at) t++;
    const from = t;
    while (ends[t] < at + wanted.length) t++;
    places.push({ from, to: t + 1 });
    t = from;
    at = within.indexOf(wanted, at + wanted.length);
  }
  return places;
}

/** How many tokens at their start two responses share. */
export function sharedStart(a: Trace, b: Trace): number {
  let t = 0;
  while (t < a.tokens && t < b.tokens && a.ids[t] === b.ids[t]) t++;
  return t;
}

/** The first of ascending `positions` behind `t`, or the last before it; undefined where there is none. */
export function neighbour(positions: readonly number[], t: number, step: 1 | -1) {
  return step === 1
    ? positions.find((position) => position > t)
    : positions.findLast((position) => position < t);
}
