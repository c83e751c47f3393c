/**
 * The six signals in float64 from explicit attention matrices, by definition (METHOD, section 2).
 *
 * Slow and O(N^2) in memory on purpose: the oracle that the traced graphs are tested against. Nothing
 * in the product runs on it.
 */
import { layerAgreement } from './agreement.ts';
import { distanceFloor, type SignalName, type TraceSettings } from './types.ts';

/** All heads of all layers; T = N - promptLength response tokens. */
export interface ReferenceSignals {
  tokens: number;
  /** Token-major [T * layers * heads], heads layer-major; `agreement` is [T * layers]. */
  signals: Record<SignalName, Float64Array>;
  /** Far mass averaged over the heads of a layer, [T * layers]. */
  layerFarMass: Float64Array;
  /** Mean distance over the response tokens, [layers * heads]: what heads are ranked by. */
  meanDistance: Float64Array;
}

type ReferenceSettings = Pick<TraceSettings, 'delta' | 'sinks' | 'window' | 'agreementWindow'>;

/**
 * `attention[layer][head]` is [N * N], row t = query t, keys 0..t (later keys are not read). Signals are
 * those of the response queries `promptLength`..N-1, `received` that of the response keys.
 *
 * Pinned down: distance is 0 when less than `distanceFloor` of the row lies outside the sinks; entropy
 * is over all keys, sinks included, and 0 for the very first token, where ln(t + 1) is 0; change compares
 * with row t - 1 on absolute positions, also when that is a prompt row, and is 0 for t = 0; received is
 * NaN where no query is more than delta behind the key.
 */
export function referenceSignals(
  attention: readonly (readonly Float64Array[])[],
  promptLength: number,
  settings: ReferenceSettings,
): ReferenceSignals {
  const layers = attention.length;
  const heads = attention[0].length;
  const n = Math.sqrt(attention[0][0].length);
  const tokens = n - promptLength;
  const each = (of: (a: Float64Array, n: number, t: number, s: ReferenceSettings) => number) =>
    Float64Array.from({ length: tokens * layers * heads }, (_, i) => {
      const column = i % (layers * heads);
      const t = promptLength + (i - column) / (layers * heads);
      return of(attention[Math.floor(column / heads)][column % heads], n, t, settings);
    });
  const farMass = each(farMassOf);
  const distance = each(distanceOf);
  const layerFarMass = Float64Array.from(
    { length: tokens * layers },
    (_, i) => farMass.subarray(i * heads, (i + 1) * heads).reduce((a, b) => a + b, 0) / heads,
  );
  return {
    tokens,
    signals: {
      far_mass: farMass,
      distance,
      entropy: each(entropyOf),
      change: each(changeOf),
      received: each(receivedOf),
      agreement: layerAgreement(layerFarMass, layers, settings.agreementWindow),
    },
    layerFarMass,
    meanDistance: Float64Array.from({ length: layers * heads }, (_, column) => {
      let sum = 0;
      for (let t = 0; t < tokens; t++) sum += distance[t * layers * heads + column];
      return sum / tokens;
    }),
  };
}

function farMassOf(a: Float64Array, n: number, t: number, s: ReferenceSettings): number {
  let sum = 0;
  for (let j = s.sinks; t - j > s.delta; j++) sum += a[t * n + j];
  return sum;
}

function distanceOf(a: Float64Array, n: number, t: number, s: ReferenceSettings): number {
  let weighted = 0;
  let mass = 0;
  for (let j = s.sinks; j <= t; j++) {
    weighted += a[t * n + j] * Math.min(t - j, s.window);
    mass += a[t * n + j];
  }
  return mass < distanceFloor ? 0 : weighted / mass;
}

function entropyOf(a: Float64Array, n: number, t: number): number {
  if (t === 0) return 0;
  let sum = 0;
  for (let j = 0; j <= t; j++) {
    const p = a[t * n + j];
    if (p > 0) sum -= p * Math.log(p);
  }
  return sum / Math.log(t + 1);
}

function changeOf(a: Float64Array, n: number, t: number): number {
  if (t === 0) return 0;
  let sum = a[t * n + t];
  for (let j = 0; j < t; j++) sum += Math.abs(a[t * n + j] - a[(t - 1) * n + j]);
  return sum / 2;
}

function receivedOf(a: Float64Array, n: number, key: number, s: ReferenceSettings): number {
  let sum = 0;
  for (let t = key + s.delta + 1; t < n; t++) sum += a[t * n + key];
  return sum / Math.max(0, n - 1 - key - s.delta);
}
