/**
 * Reads the header of a GGUF file value by value, a part of the file at a time: a file of many gigabytes
 * has a header of a few megabytes.
 *
 * Nothing that the file says about a length is believed before it is compared with the bytes that are left.
 */
import { fstatSync } from 'node:fs';
import { UserError } from '../core/errors.ts';
import { readFully } from './weight-files.ts';

/** A metadata value. 64-bit integers beyond 2^53 are rounded. */
export type GgufValue = number | boolean | string | readonly GgufValue[];

const CHUNK = 1 << 20;
/** More entries than any vocabulary or list of merges has. */
const MAX_ITEMS = 4_000_000;
const MAX_TEXT = 1 << 24;
const MAX_DEPTH = 3;

/** Kinds of metadata values by their number in the file. */
const TEXT = 8;
const ARRAY = 9;
const BYTES: Record<number, number> = {
  ...{ 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 },
};

export class GgufCursor {
  /** Bytes of the whole file. */
  readonly size: number;
  private readonly file: number;
  private readonly path: string;
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  private buffer: Buffer = Buffer.alloc(0);
  /** Where the buffer starts in the file, and where in the buffer the next value starts. */
  private base = 0;
  private at = 0;
  /** What is being read, for errors. */
  private what = 'the header';

  constructor(file: number, path: string) {
    this.file = file;
    this.path = path;
    this.size = fstatSync(file).size;
  }

  /** Offset of the next value in the file. */
  get position(): number {
    return this.base + this.at;
  }

  /** Names what is read from here on, for errors. */
  label(what: string): void {
    this.what = what;
  }

  refuse(wanted: string, found: string): never {
    throw new UserError({
      wanted,
      found,
      where: `${this.path}, ${this.what}`,
      fix: 'The file is truncated, damaged or of another format: get it again.',
    });
  }

  bytes(count: number): Buffer {
    const start = this.need(count);
    return this.buffer.subarray(start, start + count);
  }

  u32(): number {
    const start = this.need(4);
    return this.buffer.readUInt32LE(start);
  }

  /** A length or count; refused beyond `most`. */
  length(most: number): number {
    const start = this.need(8);
    const value = this.buffer.readBigUInt64LE(start);
    if (value > BigInt(most)) this.refuse(`a length of at most ${most}`, String(value));
    return Number(value);
  }

  text(): string {
    const length = this.length(Math.min(MAX_TEXT, this.size - this.position));
    const bytes = this.bytes(length);
    try {
      return this.decoder.decode(bytes);
    } catch {
      return this.refuse('a text in UTF-8', 'broken UTF-8');
    }
  }

  value(kind: number, depth = 0): GgufValue {
    if (kind === TEXT) return this.text();
    if (kind === ARRAY) return this.array(depth);
    return this.scalar(kind);
  }

  private array(depth: number): GgufValue {
    if (depth >= MAX_DEPTH) return this.refuse('lists of plain values', 'lists nested too deeply');
    const kind = this.u32();
    const smallest = BYTES[kind] ?? 8;
    const left = Math.floor((this.size - this.position) / smallest);
    const count = this.length(Math.min(MAX_ITEMS, left));
    const items: GgufValue[] = [];
    for (let i = 0; i < count; i++) items.push(this.value(kind, depth + 1));
    return items;
  }

  private scalar(kind: number): number | boolean {
    const size = BYTES[kind];
    if (size === undefined) return this.refuse('a kind of value from 0 to 12', String(kind));
    const start = this.need(size);
    const { buffer } = this;
    switch (kind) {
      case 0:
        return buffer.readUInt8(start);
      case 1:
        return buffer.readInt8(start);
      case 2:
        return buffer.readUInt16LE(start);
      case 3:
        return buffer.readInt16LE(start);
      case 4:
        return buffer.readUInt32LE(start);
      case 5:
        return buffer.readInt32LE(start);
      case 6:
        return buffer.readFloatLE(start);
      case 7:
        return buffer.readUInt8(start) !== 0;
      case 10:
        return Number(buffer.readBigUInt64LE(start));
      case 11:
        return Number(buffer.readBigInt64LE(start));
      default:
        return buffer.readDoubleLE(start);
    }
  }

  /** Makes `count` bytes available and steps over them; their start in the buffer. */
  private need(count: number): number {
    if (this.at + count > this.buffer.length) this.refill(count);
    const start = this.at;
    this.at += count;
    return start;
  }

  private refill(count: number): void {
    const from = this.position;
    if (from + count > this.size) {
      this.refuse(`${count} more bytes`, `the end of the file, at byte ${this.size}`);
    }
    const wanted = Math.min(Math.max(count, CHUNK), this.size - from);
    const next = Buffer.allocUnsafe(wanted);
    readFully(this.file, next, from, `${this.path}, ${this.what}`);
    this.buffer = next;
    this.base = from;
    this.at = 0;
  }
}
