/**
 * Tensor types of GGUF files, as float32.
 *
 * A type stores blocks of values that share a scale; all of a block lies together. The formulas are those of
 * ggml's block layouts. Scales are half precision and steps are small integers, so that every product is
 * exact in float64 and a value is rounded once, to float32, as in the reference (the Python package gguf).
 */
import { halves, widen } from './dtype.ts';

export interface Quantisation {
  /** Values of a block. */
  block: number;
  /** Bytes of a block. */
  bytes: number;
  /** Writes the values of whole blocks; `into` has as many places as `from` has values. */
  widen(from: Uint8Array, into: Float32Array): void;
}

const NAMES: Record<number, string> = {
  ...{ 0: 'F32', 1: 'F16', 2: 'Q4_0', 3: 'Q4_1', 6: 'Q5_0', 7: 'Q5_1', 8: 'Q8_0', 9: 'Q8_1' },
  ...{ 10: 'Q2_K', 11: 'Q3_K', 12: 'Q4_K', 13: 'Q5_K', 14: 'Q6_K', 15: 'Q8_K', 16: 'IQ2_XXS' },
  ...{ 17: 'IQ2_XS', 18: 'IQ3_XXS', 19: 'IQ1_S', 20: 'IQ4_NL', 21: 'IQ3_S', 22: 'IQ2_S' },
  ...{ 23: 'IQ4_XS', 24: 'I8', 25: 'I16', 26: 'I32', 27: 'I64', 28: 'F64', 29: 'IQ1_M' },
  ...{ 30: 'BF16', 34: 'TQ1_0', 35: 'TQ2_0', 39: 'MXFP4' },
};

/** Name of a tensor type, `type 99` where it has none. */
export const typeName = (type: number): string => NAMES[type] ?? `type ${type}`;

const HALVES = halves();

/** Half precision at byte `at`. */
function half(bytes: Uint8Array, at: number): number {
  return HALVES[bytes[at] | (bytes[at + 1] << 8)];
}

interface Nibbles {
  bytes: number;
  /** The step that stands for 0. */
  zero: number;
  /** A second half-precision number, the minimum, follows the scale. */
  hasMinimum: boolean;
  /** Then 32 fifth bits, one per value. */
  hasFifth: boolean;
}

/** 32 values scale * (step - zero) + minimum; the last 16 bytes hold low nibbles first, then high ones. */
function nibbles({ bytes, zero, hasMinimum, hasFifth }: Nibbles): Quantisation {
  return blocks(32, bytes, (from, at, into, to) => {
    const scale = half(from, at);
    const minimum = hasMinimum ? half(from, at + 2) : -0;
    const steps = at + bytes - 16;
    const fifth = hasFifth
      ? from[steps - 4] | (from[steps - 3] << 8) | (from[steps - 2] << 16) | (from[steps - 1] << 24)
      : 0;
    for (let i = 0; i < 16; i++) {
      const byte = from[steps + i];
      const low = (byte & 15) | (((fifth >>> i) & 1) << 4);
      const high = (byte >> 4) | (((fifth >>> (i + 16)) & 1) << 4);
      into[to + i] = scale * (low - zero) + minimum;
      into[to + i + 16] = scale * (high - zero) + minimum;
    }
  });
}

const q8: Quantisation = blocks(32, 34, (from, at, into, to) => {
  const scale = half(from, at);
  for (let i = 0; i < 32; i++) into[to + i] = scale * signed(from[at + 2 + i]);
});

/** Six-bit scale and minimum of sub-block `j` of 8, packed into 12 bytes. */
function scaleAndMinimum(from: Uint8Array, at: number, j: number): [number, number] {
  if (j < 4) return [from[at + j] & 63, from[at + 4 + j] & 63];
  const low = from[at + 4 + j];
  return [(low & 15) | ((from[at + j - 4] >> 6) << 4), (low >> 4) | ((from[at + j] >> 6) << 4)];
}

/** 256 values in 8 sub-blocks with a scale and a minimum each: Q4_K, and Q5_K with a plane of fifth bits. */
function superBlocks(bytes: number): Quantisation {
  const five = bytes === 176;
  const steps = five ? 48 : 16;
  return blocks(256, bytes, (from, at, into, to) => {
    const scale = half(from, at);
    const minimum = half(from, at + 2);
    for (let j = 0; j < 8; j++) {
      const [factor, offset] = scaleAndMinimum(from, at + 4, j);
      const step = scale * factor;
      const least = minimum * offset;
      const group = at + steps + (j >> 1) * 32;
      for (let i = 0; i < 32; i++) {
        const low = (j & 1) === 0 ? from[group + i] & 15 : from[group + i] >> 4;
        const high = five ? ((from[at + 16 + i] >> j) & 1) << 4 : 0;
        into[to + j * 32 + i] = step * (low | high) - least;
      }
    }
  });
}

/** 256 values of six bits, 16 to a scale. */
const q6: Quantisation = blocks(256, 210, (from, at, into, to) => {
  const scale = half(from, at + 208);
  for (let i = 0; i < 256; i++) {
    const side = i >> 7;
    const within = i & 127;
    const low = (from[at + side * 64 + (within & 63)] >> ((within >> 6) * 4)) & 15;
    const high = (from[at + 128 + side * 32 + (within & 31)] >> ((within >> 5) * 2)) & 3;
    const factor = scale * signed(from[at + 192 + (i >> 4)]);
    into[to + i] = factor * ((low | (high << 4)) - 32);
  }
});

const signed = (byte: number): number => (byte << 24) >> 24;

function blocks(
  block: number,
  bytes: number,
  one: (from: Uint8Array, at: number, into: Float32Array, to: number) => void,
): Quantisation {
  return {
    block,
    bytes,
    widen: (from, into) => {
      for (let at = 0, to = 0; at < from.length; at += bytes, to += block) one(from, at, into, to);
    },
  };
}

function plain(dtype: 'float32' | 'float16' | 'bfloat16', bytes: number): Quantisation {
  return { block: 1, bytes, widen: (from, into) => widen(from, dtype, into, 0) };
}

/** The types that are read, by their number in the file. */
export const quantisations: ReadonlyMap<number, Quantisation> = new Map([
  [0, plain('float32', 4)],
  [1, plain('float16', 2)],
  [30, plain('bfloat16', 2)],
  [2, nibbles({ bytes: 18, zero: 8, hasMinimum: false, hasFifth: false })],
  [3, nibbles({ bytes: 20, zero: 0, hasMinimum: true, hasFifth: false })],
  [6, nibbles({ bytes: 22, zero: 16, hasMinimum: false, hasFifth: true })],
  [7, nibbles({ bytes: 24, zero: 0, hasMinimum: true, hasFifth: true })],
  [8, q8],
  [12, superBlocks(144)],
  [13, superBlocks(176)],
  [14, q6],
]);
