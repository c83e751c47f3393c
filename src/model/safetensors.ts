/**
 * The safetensors format: a JSON header with names, types, shapes and byte ranges, then the bytes.
 *
 * Reading checks the whole header against the file before any tensor is read; tensors are read one
 * at a time from the open file. Knows nothing of models; `directory.ts` does.
 */
import { closeSync, fstatSync } from 'node:fs';
import { UserError } from '../core/errors.ts';
import { writeWhole } from '../core/files.ts';
import { sizeOf } from '../engine/tensor.ts';
import type { WeightDtype } from './config.ts';
import { BYTES_PER, narrow, widen } from './dtype.ts';
import { parseHeader, type TensorEntry } from './safetensors-header.ts';
import { openForReading, readFully } from './weight-files.ts';

export type { TensorEntry } from './safetensors-header.ts';

const STORED: Record<WeightDtype, string> = { float32: 'F32', bfloat16: 'BF16', float16: 'F16' };
const READABLE: Record<string, WeightDtype> = {
  F32: 'float32',
  BF16: 'bfloat16',
  F16: 'float16',
};
const CHUNK = 1 << 22;
/** The format's own limit on the header. */
const MAX_HEADER = 100_000_000;

export interface SafetensorsFile {
  readonly path: string;
  /** In the order of the bytes. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  /** How a tensor is stored; UserError for anything but F32, BF16 and F16. */
  dtypeOf(name: string): WeightDtype;
  /** The tensor widened to float32, row-major. */
  read(name: string): Float32Array;
  close(): void;
}

/** Opens a file and checks its header; UserError naming file and tensor when something is off. */
export function openSafetensors(path: string): SafetensorsFile {
  const file = openForReading(path, 'safetensors');
  try {
    const { header, dataStart, dataBytes } = readHeader(file, path);
    const { tensors, metadata } = parseHeader(header, dataBytes, path);
    return {
      path,
      tensors,
      metadata,
      dtypeOf: (name) => weightDtype(entryOf(tensors, name, path), name, path),
      read: (name) => readTensor(file, entryOf(tensors, name, path), name, dataStart, path),
      close: () => closeSync(file),
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

export interface TensorToWrite {
  name: string;
  dtype: WeightDtype;
  shape: readonly number[];
  /** Row-major; as many values as the shape says. */
  values: Float32Array;
}

/** Values to be written; a function makes them when their turn comes, so that they are not held all at once. */
export type ValueSource = Float32Array | (() => Float32Array);

export interface TensorSource extends Omit<TensorToWrite, 'values'> {
  values: ValueSource;
}

/**
 * Writes a file as the reference implementation does (tensors by descending type width, then by name;
 * header padded with spaces to 8 bytes): whole or not at all. Values are rounded to each dtype.
 */
export function writeSafetensors(
  path: string,
  tensors: readonly TensorSource[],
  metadata: Record<string, string> = { format: 'pt' },
): void {
  const ordered = [...tensors].sort(
    (a, b) =>
      TYPE_ORDER[a.dtype] - TYPE_ORDER[b.dtype] || Buffer.compare(utf8(a.name), utf8(b.name)),
  );
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  let end = 0;
  for (const { name, dtype, shape, values } of ordered) {
    const size = sizeOf(shape);
    if (values instanceof Float32Array) checkSize(name, values, shape);
    const begin = end;
    end += size * BYTES_PER[dtype];
    entries.push([name, { dtype: STORED[dtype], shape, data_offsets: [begin, end] }]);
  }
  // Not an object: its keys would be reordered where a name looks like a number.
  const json = `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(',')}}`;
  const text = utf8(json);
  const head = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  head.writeBigUInt64LE(BigInt(head.length - 8), 0);
  text.copy(head, 8);
  writeWhole(path, parts(head, ordered));
}

/** The order of the reference implementation's type list, from the end. */
const TYPE_ORDER: Record<WeightDtype, number> = { float32: 0, bfloat16: 1, float16: 2 };

function utf8(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

function* parts(head: Uint8Array, tensors: readonly TensorSource[]): Generator<Uint8Array> {
  yield head;
  for (const { name, values, shape, dtype } of tensors) {
    const made = values instanceof Float32Array ? values : values();
    checkSize(name, made, shape);
    yield narrow(made, dtype);
  }
}

function checkSize(name: string, values: Float32Array, shape: readonly number[]): void {
  if (sizeOf(shape) === values.length) return;
  throw new Error(`${name}: ${values.length} values for shape [${shape.join(', ')}]`);
}

function readHeader(file: number, path: string) {
  const fileBytes = fstatSync(file).size;
  const wanted = 'a safetensors file';
  if (fileBytes < 8) throw new UserError({ wanted, found: `${fileBytes} bytes`, where: path });
  const prefix = Buffer.alloc(8);
  readFully(file, prefix, 0, `${path}, header`);
  const length = prefix.readBigUInt64LE();
  if (length > BigInt(MAX_HEADER) || length > BigInt(fileBytes - 8)) {
    throw new UserError({
      wanted: 'a safetensors header within the file',
      found: `a header of ${length} bytes in a file of ${fileBytes}`,
      where: path,
      fix: 'The file is truncated or of another format: get it again.',
    });
  }
  const bytes = Buffer.alloc(Number(length));
  readFully(file, bytes, 8, `${path}, header`);
  let header: string;
  try {
    header = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new UserError(
      { wanted: 'a safetensors header in UTF-8', found: 'broken UTF-8', where: path },
      { cause: error },
    );
  }
  const dataStart = 8 + Number(length);
  return { header, dataStart, dataBytes: fileBytes - dataStart };
}

function entryOf(
  tensors: ReadonlyMap<string, TensorEntry>,
  name: string,
  path: string,
): TensorEntry {
  const entry = tensors.get(name);
  if (entry === undefined) {
    throw new UserError({ wanted: `tensor ${name}`, found: 'no such tensor', where: path });
  }
  return entry;
}

function weightDtype(entry: TensorEntry, name: string, path: string): WeightDtype {
  const dtype = READABLE[entry.dtype];
  if (dtype === undefined) {
    throw new UserError({
      wanted: `a tensor of ${Object.keys(READABLE).join(', ')}`,
      found: entry.dtype,
      where: `${path}, tensor ${name}`,
    });
  }
  return dtype;
}

function readTensor(
  file: number,
  entry: TensorEntry,
  name: string,
  dataStart: number,
  path: string,
): Float32Array {
  const dtype = weightDtype(entry, name, path);
  const values = new Float32Array((entry.end - entry.begin) / BYTES_PER[dtype]);
  const chunk = new Uint8Array(Math.min(CHUNK, entry.end - entry.begin));
  for (let at = entry.begin; at < entry.end; at += CHUNK) {
    const bytes = chunk.subarray(0, Math.min(CHUNK, entry.end - at));
    readFully(file, bytes, dataStart + at, `${path}, tensor ${name}`);
    widen(bytes, dtype, values, (at - entry.begin) / BYTES_PER[dtype]);
  }
  return values;
}
