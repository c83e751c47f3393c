/**
 * bfloat16 and IEEE half precision to and from float32, and plain float32, as little-endian bytes.
 *
 * Narrowing rounds to nearest, ties to even; widening is exact. All work is on bit patterns, so that
 * a NaN keeps its payload. Typed-array views are taken in the machine's byte order, which is
 * little-endian on every platform that the runtime supports.
 */
import type { WeightDtype } from './config.ts';

/** Bytes per value. */
export const BYTES_PER: Record<WeightDtype, number> = { float32: 4, bfloat16: 2, float16: 2 };

/** The largest finite magnitude that half precision rounds to a finite value lies below this. */
export const FLOAT16_OVERFLOW = 65520;

/**
 * Writes the values stored in `bytes` into `target` from index `at`. `bytes` holds whole values; its
 * offset in its buffer is a multiple of the value size.
 */
export function widen(
  bytes: Uint8Array,
  dtype: WeightDtype,
  target: Float32Array,
  at: number,
): void {
  const count = bytes.byteLength / BYTES_PER[dtype];
  const out = new Uint32Array(target.buffer, target.byteOffset + 4 * at, count);
  if (dtype === 'float32') {
    out.set(new Uint32Array(bytes.buffer, bytes.byteOffset, count));
    return;
  }
  const stored = new Uint16Array(bytes.buffer, bytes.byteOffset, count);
  if (dtype === 'bfloat16') {
    for (let i = 0; i < count; i += 1) out[i] = (stored[i] ?? 0) << 16;
    return;
  }
  const table = halfTable();
  for (let i = 0; i < count; i += 1) out[i] = table[stored[i] ?? 0] ?? 0;
}

/** The bytes that store `values`. Beyond the range of half precision a value becomes infinite. */
export function narrow(values: Float32Array, dtype: WeightDtype): Uint8Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  if (dtype === 'float32') return new Uint8Array(bits.slice().buffer);
  const out = new Uint16Array(values.length);
  const round = dtype === 'bfloat16' ? bfloatBits : halfBits;
  for (let i = 0; i < bits.length; i += 1) out[i] = round(bits[i] ?? 0);
  return new Uint8Array(out.buffer);
}

function bfloatBits(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) {
    const upper = bits >>> 16;
    return (upper & 0x7f) === 0 ? upper | 0x40 : upper; // a NaN must not become infinite
  }
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) {
    const payload = (magnitude >>> 13) & 0x3ff;
    return sign | 0x7c00 | (payload === 0 ? 0x200 : payload);
  }
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and above, infinity included
  if (magnitude >= 0x38800000) {
    const rebased = magnitude - 0x38000000; // exponent bias 127 to 15
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
  }
  if (magnitude <= 0x33000000) return sign; // 2^-25 ties to zero
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - (magnitude >>> 23); // to units of 2^-24
  const half = 1 << (shift - 1);
  const kept = mantissa >>> shift;
  const dropped = mantissa & ((1 << shift) - 1);
  return sign | (kept + (dropped > half || (dropped === half && (kept & 1) === 1) ? 1 : 0));
}

/** The value of every half-precision bit pattern. */
export function halves(): Float32Array {
  halfValues ??= new Float32Array(halfTable().buffer);
  return halfValues;
}

let table: Uint32Array | undefined;
let halfValues: Float32Array | undefined;

/** float32 bits of every half-precision bit pattern. */
function halfTable(): Uint32Array {
  if (table !== undefined) return table;
  const values = new Float32Array(0x10000);
  const bits = new Uint32Array(values.buffer);
  for (let half = 0; half < 0x10000; half += 1) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const mantissa = half & 0x3ff;
    if (exponent === 0) {
      values[half] = mantissa * 2 ** -24;
      bits[half] = (bits[half] ?? 0) | sign;
    } else {
      bits[half] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (mantissa << 13);
    }
  }
  table = bits;
  return bits;
}
