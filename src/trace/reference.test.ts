import { expect, test } from 'vitest';
import { layerAgreement } from './agreement.ts';
import { referenceSignals } from './reference.ts';

/** Attention rows of growing length as an [N * N] matrix; the part above the diagonal is 0. */
function matrix(rows: number[][]): Float64Array {
  const n = rows.length;
  const out = new Float64Array(n * n);
  for (let t = 0; t < n; t++) out.set(rows[t], t * n);
  return out;
}

const first = matrix([
  [1],
  [0.5, 0.5],
  [0.2, 0.3, 0.5],
  [0.1, 0.4, 0.2, 0.3],
  [0.2, 0.2, 0.2, 0.2, 0.2],
]);
const second = matrix([[1], [1, 0], [1, 0, 0], [0.4, 0.2, 0.2, 0.2], [0.5, 0, 0, 0.25, 0.25]]);
const settings = { delta: 1, sinks: 1, window: 2, agreementWindow: 16 };

function close(found: Float64Array, wanted: number[]): void {
  expect(found.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) expect(found[i]).toBeCloseTo(wanted[i], 12);
}

// One prompt token, so the response queries are t = 1..4.
test('far mass, distance, entropy, change and received, worked by hand', () => {
  const { tokens, signals, meanDistance } = referenceSignals([[first]], 1, settings);
  expect(tokens).toBe(4);
  close(signals.far_mass, [0, 0, 0.4, 0.2 + 0.2]);
  close(signals.distance, [0, 0.3 / 0.8, (0.4 * 2 + 0.2) / 0.9, (0.2 * 2 + 0.2 * 2 + 0.2) / 0.8]);
  const entropy = (row: number[]) => -row.reduce((sum, p) => sum + p * Math.log(p), 0);
  close(signals.entropy, [
    1,
    entropy([0.2, 0.3, 0.5]) / Math.log(3),
    entropy([0.1, 0.4, 0.2, 0.3]) / Math.log(4),
    1,
  ]);
  expect(signals.entropy[1]).toBeCloseTo(0.937231, 5);
  close(signals.change, [
    (0.5 + 0.5) / 2,
    (0.3 + 0.2 + 0.5) / 2,
    (0.1 + 0.1 + 0.3 + 0.3) / 2,
    (0.1 + 0.2 + 0 + 0.1 + 0.2) / 2,
  ]);
  close(signals.received.subarray(0, 2), [(0.4 + 0.2) / 2, 0.2]);
  expect(signals.received[2]).toBeNaN();
  expect(signals.received[3]).toBeNaN();
  close(meanDistance, [(0 + 0.375 + 1 / 0.9 + 1.25) / 4]);
});

test('the window cuts distances, sinks do not count, and a row of sinks alone has no distance', () => {
  const cut = referenceSignals([[first]], 1, { ...settings, window: 1 });
  close(cut.signals.distance.subarray(2, 3), [(0.4 + 0.2) / 0.9]);
  const noSinks = referenceSignals([[first]], 1, { ...settings, sinks: 0 });
  close(noSinks.signals.far_mass, [0, 0.2, 0.5, 0.6]);
  close(noSinks.signals.distance.subarray(0, 2), [0.5, 0.3 + 0.2 * 2]);
  const sinkRows = referenceSignals([[second]], 1, settings);
  close(sinkRows.signals.distance.subarray(0, 2), [0, 0]);
});

test('without a prompt the first token is compared with nothing', () => {
  const { signals } = referenceSignals([[first]], 0, settings);
  expect([signals.entropy[0], signals.change[0]]).toEqual([0, 0]);
});

test('layers agree over the trailing window, worked by hand', () => {
  const { signals, layerFarMass } = referenceSignals([[first], [second]], 1, settings);
  close(layerFarMass, [0, 0, 0, 0, 0.4, 0.2, 0.4, 0]);
  const last = 1 / Math.sqrt(3);
  close(signals.agreement, [0, 0, 0, 0, 1, 1, last, last]);
});

test('a layer has the mean far mass of its heads, heads are columns layer by layer', () => {
  const { signals, layerFarMass } = referenceSignals([[first, second]], 1, settings);
  close(signals.far_mass, [0, 0, 0, 0, 0.4, 0.2, 0.4, 0]);
  close(layerFarMass, [0, 0, 0.3, 0.2]);
  close(signals.agreement, [0, 0, 0, 0]);
});

test('each of three layers is compared with the mean of the other two', () => {
  // Token-major; layer 0: 0 .1 .2, layer 1: 0 .1 .1, layer 2: 0 .3 .1 (the others of 0: 0 .2 .1).
  const agreement = layerAgreement([0, 0, 0, 0.1, 0.1, 0.3, 0.2, 0.1, 0.1], 3, 3);
  close(agreement.subarray(3, 7), [1, 1, 1, 0.5]);
});

test('the window forgets, and what hardly moves agrees with nothing', () => {
  const farMass = [0, 0.5, 0.1, 0.4, 0.2, 0.5, 0.3, 0.6];
  close(layerAgreement(farMass, 2, 2), [0, 0, -1, -1, 1, 1, 1, 1]);
  close(layerAgreement([0, 0.1, 0.0005, 0.2, 0.001, 0.3], 2), [0, 0, 0, 0, 0, 0]);
});
