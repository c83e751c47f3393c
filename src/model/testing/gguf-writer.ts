/** Writes small GGUF files for tests: any metadata, any bytes, damaged ones too. */
import { writeFileSync } from 'node:fs';
import { type DecoderConfig, parameterShapes } from '../config.ts';
import { narrow } from '../dtype.ts';
import { storedName } from '../gguf.ts';

/** Value with its kind as the format names it. */
export type Metadata = Record<
  string,
  { kind: Kind; value: Plain } | { kind: Kind; list: readonly Plain[] }
>;
type Plain = string | number | boolean;
type Kind = 'u8' | 'u32' | 'i32' | 'f32' | 'bool' | 'string' | 'u64';

const KINDS: Record<Kind, number> = { u8: 0, u32: 4, i32: 5, f32: 6, bool: 7, string: 8, u64: 10 };

export const u32 = (value: number) => ({ kind: 'u32', value }) as const;
export const f32 = (value: number) => ({ kind: 'f32', value }) as const;
export const bool = (value: boolean) => ({ kind: 'bool', value }) as const;
export const text = (value: string) => ({ kind: 'string', value }) as const;
export const texts = (list: readonly string[]) => ({ kind: 'string', list }) as const;

export interface StoredTensor {
  name: string;
  /** Number of the type in the file. */
  type: number;
  /** Row-major. */
  shape: readonly number[];
  bytes: Uint8Array;
}

const ALIGNMENT = 32;

/** The bytes of a file of version 3 (or another one). */
export function ggufBytes(
  metadata: Metadata,
  tensors: readonly StoredTensor[],
  version = 3,
): Buffer {
  const parts: Buffer[] = [Buffer.from('GGUF'), int(version), long(tensors.length)];
  parts.push(long(Object.keys(metadata).length));
  for (const [key, entry] of Object.entries(metadata)) {
    parts.push(string(key));
    if ('list' in entry) {
      parts.push(int(9), int(KINDS[entry.kind]), long(entry.list.length));
      for (const one of entry.list) parts.push(plain(entry.kind, one));
    } else {
      parts.push(int(KINDS[entry.kind]), plain(entry.kind, entry.value));
    }
  }
  let offset = 0;
  for (const { name, type, shape, bytes } of tensors) {
    parts.push(string(name), int(shape.length), ...[...shape].reverse().map(long));
    parts.push(int(type), long(offset));
    offset += padded(bytes.length);
  }
  const header = Buffer.concat(parts);
  const data = tensors.flatMap(({ bytes }) => [
    bytes,
    Buffer.alloc(padded(bytes.length) - bytes.length),
  ]);
  return Buffer.concat([header, Buffer.alloc(padded(header.length) - header.length), ...data]);
}

export function writeGguf(
  path: string,
  metadata: Metadata,
  tensors: readonly StoredTensor[],
): void {
  writeFileSync(path, ggufBytes(metadata, tensors));
}

/** The settings of a model under the keys of llama.cpp. */
export function modelMetadata(family: string, config: DecoderConfig): Metadata {
  const own: Metadata = {
    vocab_size: u32(config.vocabSize),
    context_length: u32(config.maxPositions),
    embedding_length: u32(config.hiddenSize),
    block_count: u32(config.layers),
    feed_forward_length: u32(config.intermediateSize),
    'attention.head_count': u32(config.heads),
    'attention.head_count_kv': u32(config.kvHeads),
    'attention.key_length': u32(config.headDim),
    'attention.layer_norm_rms_epsilon': f32(config.rmsNormEps),
    'rope.freq_base': f32(config.rope.theta),
    'rope.dimension_count': u32(config.headDim),
  };
  return {
    'general.architecture': text(family),
    ...Object.fromEntries(Object.entries(own).map(([key, value]) => [`${family}.${key}`, value])),
  };
}

/** The weights as llama.cpp stores them in float32: its names, and for a llama its order of query and key rows. */
export function modelTensors(
  config: DecoderConfig,
  weights: ReadonlyMap<string, Float32Array>,
): StoredTensor[] {
  return [...parameterShapes(config)].map(([name, shape]) => {
    const values = weights.get(name) ?? new Float32Array();
    const isRotated =
      config.architecture === 'LlamaForCausalLM' && /[qk]_proj\.(weight|bias)$/.test(name);
    const stored = isRotated ? interleaved(values, shape[1] ?? 1, config.headDim) : values;
    return { name: storedName(name), type: 0, shape, bytes: narrow(stored, 'float32') };
  });
}

/** Per head, rows 0, h, 1, h + 1, ... where h is half of the head's. */
function interleaved(values: Float32Array, width: number, headDim: number): Float32Array {
  const out = new Float32Array(values.length);
  const row = (i: number) => values.subarray(i * width, (i + 1) * width);
  let to = 0;
  for (let head = 0; head < values.length / width; head += headDim) {
    for (let i = 0; i < headDim / 2; i++) {
      for (const from of [head + i, head + i + headDim / 2]) out.set(row(from), width * to++);
    }
  }
  return out;
}

const padded = (length: number): number => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function long(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function string(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([long(bytes.length), bytes]);
}

function plain(kind: Kind, value: Plain): Buffer {
  if (kind === 'string') return string(String(value));
  if (kind === 'u32') return int(Number(value));
  if (kind === 'u64') return long(Number(value));
  if (kind === 'u8' || kind === 'bool') return Buffer.from([Number(value)]);
  const bytes = Buffer.alloc(4);
  if (kind === 'f32') bytes.writeFloatLE(Number(value));
  else bytes.writeInt32LE(Number(value));
  return bytes;
}
