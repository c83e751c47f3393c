/**
 * How much the score depends on zeta, psi and Delta: the rank correlation of the score under other
 * settings with the score under the settings in use (the table of METHOD, section 3).
 *
 * Works on stored traces; runs no model. A row that the traces cannot answer says why.
 */
import { spearman } from '../core/ranks.ts';
import { holdsHeads, traceChanges } from './changes.ts';
import { selectHeads } from './heads.ts';
import { summarisePivots } from './pivots.ts';
import { type PivotScoreName, pivotScore } from './score.ts';
import { exactTau } from './threshold.ts';
import type { Head, RawTrace, TraceSettings } from './types.ts';

type Parameter = 'zeta' | 'psi' | 'delta';

const grid: Record<Parameter, readonly number[]> = {
  zeta: [80, 85, 90, 95],
  psi: [0.05, 0.1, 0.15, 0.2],
  delta: [5, 10, 15, 20],
};

/** What the paper (arXiv 2606.04503) prints as similarity to its default, for comparison. */
const published: Record<Parameter, Readonly<Record<number, number>>> = {
  zeta: { 80: 0.936, 85: 0.94, 90: 0.947 },
  psi: { 0.1: 0.966, 0.15: 0.934, 0.2: 0.812 },
  delta: { 5: 0.951, 15: 0.951, 20: 0.941 },
};

/** Mean attention distance of every head of the model, [layers * heads], layer-major, in tokens. */
export interface HeadDistances {
  layers: number;
  heads: number;
  meanDistance: ArrayLike<number>;
}

export interface SensitivityInput {
  /** The traces of each prompt, at least one each. Rows over psi need traces of enough heads. */
  prompts: readonly (readonly RawTrace[])[];
  /** The settings in use: what the other rows are compared with. */
  settings: TraceSettings;
  distances: HeadDistances;
  score: PivotScoreName;
}

/** One row of the table. */
export interface SensitivityRow {
  parameter: Parameter;
  value: number;
  /** This is the value in use. */
  inUse: boolean;
  /** Heads that the value keeps. */
  heads: number;
  /** The threshold under this value, in the signal's unit; null when the row has no result. */
  tau: number | null;
  /** Spearman correlation with the score in use, -1..1; null with a reason when there is none. */
  spearman: number | null;
  reason: string | null;
  /** The paper's similarity to its own default at this value, where it gives one. */
  published: number | null;
}

/**
 * One row per value of the grid (and the value in use), each with the other settings as they are. The
 * threshold of every row is the exact percentile over the changes of all prompts under its settings.
 * RangeError when the traces lack the signal or the heads in use.
 */
export function sensitivityTable(input: SensitivityInput): SensitivityRow[] {
  const { settings } = input;
  const base = scoresUnder(input, settings, keptHeads(input, settings)).scores;
  const parameters: Parameter[] = ['zeta', 'psi', 'delta'];
  return parameters.flatMap((parameter) =>
    [...new Set([...grid[parameter], settings[parameter]])]
      .sort((a, b) => a - b)
      .map((value) => row(input, base, parameter, value)),
  );
}

function row(
  input: SensitivityInput,
  base: Float64Array,
  parameter: Parameter,
  value: number,
): SensitivityRow {
  const settings = { ...input.settings, [parameter]: value };
  const heads = keptHeads(input, settings);
  const known = {
    parameter,
    value,
    inUse: value === input.settings[parameter],
    heads: heads.length,
    published: published[parameter][value] ?? null,
  };
  const missing = obstacle(input, settings, heads);
  if (missing !== null) return { ...known, tau: null, spearman: null, reason: missing };
  const { scores, tau } = scoresUnder(input, settings, heads);
  const rho = spearman(scores, base);
  if (!Number.isNaN(rho)) return { ...known, tau, spearman: rho, reason: null };
  const reason = 'fewer than two prompts, or all prompts have the same score';
  return { ...known, tau, spearman: null, reason };
}

function keptHeads({ distances }: SensitivityInput, { psi, minHeads }: TraceSettings): Head[] {
  return selectHeads(distances.meanDistance, distances.layers, distances.heads, psi, minHeads);
}

/** Why the stored traces cannot answer for these settings, or null. */
function obstacle(
  { prompts, settings: inUse }: SensitivityInput,
  { signal, delta }: TraceSettings,
  heads: readonly Head[],
): string | null {
  const madeWithDelta = ['far_mass', 'received', 'agreement'].includes(signal);
  if (madeWithDelta && delta !== inUse.delta) {
    return `'${signal}' itself was computed with Delta ${inUse.delta}: trace again to compare`;
  }
  const short = prompts.flat().find((trace) => !holdsHeads(trace, heads));
  if (short === undefined) return null;
  return `needs ${heads.length} heads, the traces hold ${short.heads.length}: trace all heads`;
}

function scoresUnder(
  { prompts, score }: SensitivityInput,
  settings: TraceSettings,
  heads: readonly Head[],
): { scores: Float64Array; tau: number } {
  const changed = prompts.map((traces) =>
    traces.map((trace) => traceChanges(trace, settings, heads)),
  );
  const tau = exactTau(values(changed), settings.zeta);
  const scores = Float64Array.from(
    changed,
    (traces) => pivotScore(traces.map((d) => summarisePivots(d, tau, settings.delta)))[score],
  );
  return { scores, tau };
}

function* values(changed: readonly (readonly Float64Array[])[]): Generator<number> {
  for (const traces of changed) for (const d of traces) yield* d;
}

/** The table as lines of text for people. */
export function sensitivityLines(rows: readonly SensitivityRow[]): string[] {
  const cell = (value: number | null) => (value === null ? '-' : value.toFixed(3)).padStart(9);
  return [
    'setting     heads  spearman   paper',
    ...rows.map((one) => {
      const name = `${one.parameter} ${one.value}${one.inUse ? ' *' : ''}`.padEnd(12);
      const line = `${name}${String(one.heads).padStart(5)} ${cell(one.spearman)}${cell(one.published)}`;
      return one.reason === null ? line : `${line}  ${one.reason}`;
    }),
    '* the setting in use',
  ];
}
