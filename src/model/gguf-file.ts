/**
 * The GGUF container: metadata and tensors of a file, read without loading it whole.
 *
 * Versions 2 and 3, little-endian. The header is checked against the file before any tensor is read; a
 * tensor is read and dequantised a few rows at a time. Knows nothing of models; `gguf.ts` does.
 */
import { closeSync } from 'node:fs';
import { UserError } from '../core/errors.ts';
import { GgufCursor, type GgufValue } from './gguf-cursor.ts';
import { quantisations, typeName } from './gguf-quants.ts';
import { openForReading, readFully } from './weight-files.ts';

export type { GgufValue } from './gguf-cursor.ts';

export interface GgufTensor {
  /** Number of the type in the file; `typeName` has its name. */
  type: number;
  /** Row-major: the last dimension is the one that lies together in memory. */
  shape: readonly number[];
  /** First byte, counted from the start of the file. */
  begin: number;
}

export interface GgufFile {
  readonly path: string;
  /** By key. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** In the order of the header. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /**
   * A tensor as float32, row-major. Row r of the file becomes row `rowOf(r)` of the result, which has to be
   * a permutation. UserError naming tensor and type where the type is not read.
   */
  read(name: string, rowOf?: (row: number) => number): Float32Array;
  close(): void;
}

const MAGIC = 'GGUF';
const MAX_ENTRIES = 100_000;
const MAX_DIMENSIONS = 4;
/** Bytes that are read at once, at least one row. */
const CHUNK = 1 << 22;

/** Opens a file and checks its header. UserError where it is no GGUF file, damaged or truncated. */
export function openGguf(path: string): GgufFile {
  const file = openForReading(path, 'GGUF');
  try {
    const { metadata, tensors } = readHeader(new GgufCursor(file, path));
    return {
      ...{ path, metadata, tensors },
      read: (name, rowOf) => readTensor(file, path, name, tensors.get(name), rowOf),
      close: () => closeSync(file),
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function readHeader(cursor: GgufCursor): Pick<GgufFile, 'metadata' | 'tensors'> {
  if (cursor.size < 24) cursor.refuse('a GGUF file', `${cursor.size} bytes`);
  const magic = cursor.bytes(4).toString('latin1');
  if (magic !== MAGIC) cursor.refuse('a GGUF file', `a file that starts with ${quoted(magic)}`);
  const version = cursor.u32();
  if (version !== 2 && version !== 3) {
    const big = version % 0x10000 === 0;
    cursor.refuse('GGUF of version 2 or 3', big ? 'a big-endian file' : `version ${version}`);
  }
  const tensorCount = cursor.length(MAX_ENTRIES);
  const valueCount = cursor.length(MAX_ENTRIES);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < valueCount; i++) {
    cursor.label(`metadata ${i}`);
    const key = cursor.text();
    cursor.label(`metadata ${quoted(key)}`);
    if (metadata.has(key)) cursor.refuse('every key once', 'the key twice');
    metadata.set(key, cursor.value(cursor.u32()));
  }
  const tensors = readTensorList(cursor, tensorCount);
  placeTensors(cursor, tensors, alignmentOf(cursor, metadata));
  return { metadata, tensors };
}

function readTensorList(cursor: GgufCursor, count: number): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (let i = 0; i < count; i++) {
    cursor.label(`tensor ${i}`);
    const name = cursor.text();
    cursor.label(`tensor ${quoted(name)}`);
    if (tensors.has(name)) cursor.refuse('every name once', 'the name twice');
    const dimensions = cursor.u32();
    if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
      cursor.refuse(`1 to ${MAX_DIMENSIONS} dimensions`, String(dimensions));
    }
    const shape = Array.from({ length: dimensions }, () => cursor.length(2 ** 40)).reverse();
    const type = cursor.u32();
    tensors.set(name, { type, shape, begin: cursor.length(Number.MAX_SAFE_INTEGER) });
  }
  return tensors;
}

function alignmentOf(cursor: GgufCursor, metadata: ReadonlyMap<string, GgufValue>): number {
  const given = metadata.get('general.alignment') ?? 32;
  cursor.label('general.alignment');
  const isPower = typeof given === 'number' && given >= 1 && given <= 1 << 20;
  if (!isPower || !Number.isInteger(Math.log2(given))) {
    return cursor.refuse('a power of two', quoted(given));
  }
  return given;
}

/** Offsets count from the end of the header, aligned; every tensor has to lie within the file, alone. */
function placeTensors(
  cursor: GgufCursor,
  tensors: Map<string, GgufTensor>,
  alignment: number,
): void {
  const start = Math.ceil(cursor.position / alignment) * alignment;
  const placed = [...tensors].sort(([, a], [, b]) => a.begin - b.begin);
  let end = 0;
  for (const [name, tensor] of placed) {
    cursor.label(`tensor ${quoted(name)}`);
    if (tensor.begin % alignment !== 0) {
      cursor.refuse(`an offset that is a multiple of ${alignment}`, String(tensor.begin));
    }
    if (tensor.begin < end) cursor.refuse('bytes of its own', 'bytes of the tensor before it');
    const bytes = bytesOf(tensor);
    if (start + tensor.begin + bytes > cursor.size) {
      const found = `a file that ends at byte ${cursor.size}`;
      cursor.refuse(`data up to byte ${start + tensor.begin + bytes}`, found);
    }
    end = tensor.begin + bytes;
    tensor.begin += start;
  }
}

/** Bytes of a tensor; of one whose type is not read, at least one. */
function bytesOf({ type, shape }: GgufTensor): number {
  const values = shape.reduce((a, b) => a * b, 1);
  const format = quantisations.get(type);
  return format === undefined ? 1 : Math.ceil(values / format.block) * format.bytes;
}

function readTensor(
  file: number,
  path: string,
  name: string,
  tensor: GgufTensor | undefined,
  rowOf: (row: number) => number = (row) => row,
): Float32Array {
  const where = `${path}, tensor ${name}`;
  if (tensor === undefined) {
    throw new UserError({ wanted: `tensor ${name}`, found: 'no such tensor', where: path });
  }
  const format = quantisations.get(tensor.type);
  if (format === undefined) {
    throw new UserError({
      wanted: `a tensor of ${[...quantisations.keys()].map(typeName).join(', ')}`,
      found: typeName(tensor.type),
      where,
      fix: 'Use a file of another quantisation of the same model.',
    });
  }
  const width = tensor.shape.at(-1) ?? 1;
  if (width % format.block !== 0) {
    const wanted = `rows of a multiple of ${format.block} values for ${typeName(tensor.type)}`;
    throw new UserError({ wanted, found: String(width), where });
  }
  const rows = tensor.shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const rowBytes = (width / format.block) * format.bytes;
  const values = new Float32Array(rows * width);
  const perChunk = Math.max(1, Math.floor(CHUNK / Math.max(1, rowBytes)));
  const chunk = new Uint8Array(Math.min(rows, perChunk) * rowBytes);
  for (let row = 0; row < rows; row += perChunk) {
    const count = Math.min(perChunk, rows - row);
    readFully(file, chunk.subarray(0, count * rowBytes), tensor.begin + row * rowBytes, where);
    for (let i = 0; i < count; i++) {
      const to = rowOf(row + i) * width;
      const bytes = chunk.subarray(i * rowBytes, (i + 1) * rowBytes);
      format.widen(bytes, values.subarray(to, to + width));
    }
  }
  return values;
}

function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
