/**
 * Cuts a JSON list into its items without holding more than one of them. Bytes of UTF-8 beyond ASCII are never taken
 * for quotes or brackets. Knows nothing of what an item is; each is parsed by whoever reads it.
 */
import { BadItem } from './values.ts';

export interface CutItem {
  /** From 1. */
  number: number;
  /** Line where it begins, from 1. */
  line: number;
  bytes: Buffer;
}

export interface ArraySettings {
  /** Longest item, in bytes. */
  maxBytes: number;
  /** The list is a value of an object, `{"items": [...]}`: what comes after it is of no interest. */
  wrapped: boolean;
}

const [newline, quote, comma, backslash] = [10, 34, 44, 92];
const opening = new Set([91, 123]);
const closing = new Set([93, 125]);
const listStart = 91;
const spaces = new Set([9, 10, 13, 32]);

/** The items of the first list in `chunks`. BadItem where it does not end, or where an item is missing or too long. */
export async function* cutArray(
  chunks: AsyncIterable<Buffer>,
  settings: ArraySettings,
): AsyncGenerator<CutItem> {
  const cutter = new ArrayCutter(settings);
  for await (const chunk of chunks) yield* cutter.feed(chunk);
  cutter.finish();
}

class ArrayCutter {
  private readonly settings: ArraySettings;
  private phase: 'before' | 'inside' | 'after' = 'before';
  private depth = 0;
  private inString = false;
  private escaped = false;
  private line = 1;
  private count = 0;
  /** Line of the first byte of the item that is no space; null before it. */
  private begun: number | null = null;
  private parts: Buffer[] = [];
  private size = 0;

  constructor(settings: ArraySettings) {
    this.settings = settings;
  }

  *feed(chunk: Buffer): Generator<CutItem> {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.phase !== 'inside') {
        this.outside(byte);
        from = at + 1;
      } else if (this.endsItem(byte)) {
        this.keep(chunk.subarray(from, at));
        yield* this.item(byte !== comma);
        from = at + 1;
      }
      if (byte === newline) this.line++;
    }
    if (this.phase === 'inside') this.keep(chunk.subarray(from));
  }

  finish(): void {
    if (this.phase !== 'after')
      throw new BadItem('a list that does not end: the file is cut short');
  }

  private outside(byte: number): void {
    if (this.phase === 'before') {
      if (byte === listStart) this.phase = 'inside';
    } else if (!this.settings.wrapped && !spaces.has(byte)) {
      throw new BadItem(`something behind the end of the list, in line ${this.line}`);
    }
  }

  /** Does the item end before this byte? */
  private endsItem(byte: number): boolean {
    if (this.inString) {
      if (this.escaped) this.escaped = false;
      else if (byte === backslash) this.escaped = true;
      else if (byte === quote) this.inString = false;
      return false;
    }
    if (this.depth === 0 && (byte === comma || closing.has(byte))) return true;
    if (this.begun === null && !spaces.has(byte)) this.begun = this.line;
    if (byte === quote) this.inString = true;
    else if (opening.has(byte)) this.depth++;
    else if (closing.has(byte)) this.depth--;
    return false;
  }

  private keep(bytes: Buffer): void {
    this.size += bytes.length;
    if (this.size > this.settings.maxBytes) {
      throw new BadItem(
        `item ${this.count + 1} (line ${this.begun ?? this.line}) is longer than ${this.settings.maxBytes} bytes`,
      );
    }
    if (bytes.length > 0) this.parts.push(bytes);
  }

  private *item(isLast: boolean): Generator<CutItem> {
    const { begun, parts } = this;
    this.begun = null;
    this.parts = [];
    this.size = 0;
    if (isLast) this.phase = 'after';
    if (begun === null) {
      if (isLast && this.count === 0) return;
      throw new BadItem(`item ${this.count + 1} of the list is missing, in line ${this.line}`);
    }
    this.count++;
    yield { number: this.count, line: begun, bytes: Buffer.concat(parts) };
  }
}
