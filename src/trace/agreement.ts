/**
 * Layer agreement L: does a layer look far back when the others do? (METHOD, section 2)
 */
import { pearson } from '../core/ranks.ts';

/**
 * A far mass that varies by less than this (standard deviation over the window) does not move. Below
 * it a correlation would be one of rounding errors, and float32 would not agree with float64.
 */
const stillness = 1e-3;

/**
 * Pearson correlation, over the trailing `window` tokens (the current one included, fewer at the
 * start), between each layer's far mass and the mean of the other layers' far mass.
 *
 * `layerFarMass` is [tokens * layers], token-major; so is the result, -1..1. It is 0 where one side
 * does not move, and everywhere when there is one layer only.
 */
export function layerAgreement(
  layerFarMass: ArrayLike<number>,
  layers: number,
  window = 16,
): Float64Array {
  const out = new Float64Array(layerFarMass.length);
  if (layers < 2) return out;
  const tokens = layerFarMass.length / layers;
  const others = meanOfOthers(layerFarMass, layers);
  for (let t = 1; t < tokens; t++) {
    const start = Math.max(0, t - window + 1);
    for (let l = 0; l < layers; l++) {
      const own = column(layerFarMass, layers, l, start, t);
      const rest = column(others, layers, l, start, t);
      if (moves(own) && moves(rest)) out[t * layers + l] = pearson(own, rest);
    }
  }
  return out;
}

function meanOfOthers(layerFarMass: ArrayLike<number>, layers: number): Float64Array {
  const out = new Float64Array(layerFarMass.length);
  for (let row = 0; row < out.length; row += layers) {
    let sum = 0;
    for (let l = 0; l < layers; l++) sum += layerFarMass[row + l];
    for (let l = 0; l < layers; l++) out[row + l] = (sum - layerFarMass[row + l]) / (layers - 1);
  }
  return out;
}

function column(
  values: ArrayLike<number>,
  layers: number,
  layer: number,
  start: number,
  end: number,
): Float64Array {
  return Float64Array.from(
    { length: end - start + 1 },
    (_, i) => values[(start + i) * layers + layer],
  );
}

function moves(values: Float64Array): boolean {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return variance >= stillness ** 2;
}
