/**
 * The way of a response through the layers: how far and in which direction its mean hidden state moves.
 *
 * Lengths and angles only; the hidden states themselves are not kept. Knows nothing of scores.
 */
import type { LayerPath } from './types.ts';

/**
 * The path of `means`, [(L + 1) * hiddenSize]: the mean hidden state over the response's tokens of the
 * embeddings and of each of the L layers. RangeError when that is not two or more states.
 */
export function layerPath(means: ArrayLike<number>, hiddenSize: number): LayerPath {
  const steps = means.length / hiddenSize - 1;
  if (!Number.isInteger(steps) || steps < 1) {
    throw new RangeError(`${means.length} values are no two or more states of ${hiddenSize}`);
  }
  const all = Float64Array.from(means);
  const state = (layer: number) => all.subarray(layer * hiddenSize, (layer + 1) * hiddenSize);
  const moves = Array.from({ length: steps }, (_, layer) =>
    difference(state(layer + 1), state(layer)),
  );
  const wholeMove = norm(difference(state(steps), state(0)));
  const wholeAngle = angle(state(0), state(steps));
  return {
    magnitudes: Float32Array.from(moves, (move) => share(norm(move), wholeMove)),
    angles: Float32Array.from(moves, (_, l) => share(angle(state(l), state(l + 1)), wholeAngle)),
    turns: Float32Array.from(moves.slice(1), (move, l) => angle(moves[l], move)),
  };
}

/** A path that ends where it began has no length to measure its steps by: its steps count as 0. */
function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]);
}

function norm(a: Float64Array): number {
  return Math.sqrt(a.reduce((sum, value) => sum + value * value, 0));
}

/**
 * Angle between two vectors, 0..pi; 0 where one of them is zero. From half-angles (Kahan): the arc cosine of a
 * product near 1 would lose half the digits.
 */
function angle(a: Float64Array, b: Float64Array): number {
  const [lengthA, lengthB] = [norm(a), norm(b)];
  if (lengthA === 0 || lengthB === 0) return 0;
  const [u, v] = [a.map((value) => value / lengthA), b.map((value) => value / lengthB)];
  const sum = u.map((value, i) => value + v[i]);
  return 2 * Math.atan2(norm(difference(u, v)), norm(sum));
}
