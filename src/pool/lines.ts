// Cuts a byte stream into lines, or into CSV records that may span lines. Holds at most one record, however long the
// file or the line. Knows nothing of what a record says.

/** One record, without its line end, or the head of one that was refused. */
export interface ByteRecord {
  /** Line where it begins, from 1. */
  line: number;
  bytes: Buffer;
  /** Why there is only a head. */
  refused?: string;
}

export interface CutSettings {
  /** Longest record, in bytes. */
  maxBytes: number;
  /** Line ends inside double quotes that open a field do not end a record (RFC 4180). */
  quoted: boolean;
  /** The byte between fields; matters only with `quoted`. */
  delimiter: number;
}

const newline = 10;
const quote = 34;

/** Bytes of a refused record that are kept. */
const headBytes = 4096;

/**
 * How often a quote that is never closed is taken back (its line refused, the lines behind it read again). Beyond this
 * the rest is refused whole, so that a hostile file costs no more than this many passes over `maxBytes`.
 */
const maxRereads = 100;

/** The records of `chunks` in order. Empty lines outside quotes are left out; a byte order mark too. */
export async function* cutRecords(
  chunks: AsyncIterable<Buffer>,
  settings: CutSettings,
): AsyncGenerator<ByteRecord> {
  const cutter = new Cutter(settings);
  for await (const chunk of chunks) yield* cutter.feed(chunk);
  yield* cutter.finish();
}

class Cutter {
  private readonly settings: CutSettings;
  /** Bytes of the record that has begun. */
  private pending: Buffer = Buffer.alloc(0);
  private scanned = 0;
  private line = 1;
  private inQuotes = false;
  private field: 'start' | 'plain' | 'closed' = 'start';
  /** The pending record has a line end inside quotes. */
  private spans = false;
  /** Text behind a closing quote in a record that spans lines: most likely a quote that was never closed. */
  private malformed = false;
  private skipping = false;
  private rereads = 0;
  private first = true;

  constructor(settings: CutSettings) {
    this.settings = settings;
  }

  *feed(chunk: Buffer): Generator<ByteRecord> {
    if (this.skipping) {
      const end = chunk.indexOf(newline);
      if (end < 0) return;
      this.skipping = false;
      this.line++;
      this.pending = chunk.subarray(end + 1);
    } else {
      this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    }
    yield* this.drain();
  }

  *finish(): Generator<ByteRecord> {
    while (this.inQuotes) {
      yield* this.takeBack('a quote is opened and never closed');
      yield* this.drain();
    }
    yield* this.emit(this.pending);
  }

  private *drain(): Generator<ByteRecord> {
    for (;;) {
      const end = this.recordEnd();
      if (end >= 0) {
        const record = this.pending.subarray(0, end);
        this.pending = this.pending.subarray(end + 1);
        this.restart();
        yield* this.emit(record);
      } else if (this.malformed) {
        yield* this.takeBack('a quote is opened and never closed');
      } else if (this.pending.length > this.settings.maxBytes) {
        yield* this.takeBack(`longer than ${this.settings.maxBytes} bytes`);
        if (this.skipping) return;
      } else return;
    }
  }

  private *emit(record: Buffer): Generator<ByteRecord> {
    const line = this.line;
    this.line += 1 + countLines(record);
    const bytes = this.trimmed(record);
    if (bytes.length > this.settings.maxBytes) {
      const refused = `longer than ${this.settings.maxBytes} bytes`;
      yield { line, bytes: head(bytes), refused };
    } else if (bytes.length > 0) yield { line, bytes };
  }

  /** Refuses the first line of what is pending and begins again behind it. */
  private *takeBack(refused: string): Generator<ByteRecord> {
    const end = this.pending.indexOf(newline);
    const quoting = this.inQuotes || this.malformed;
    const again = quoting && end >= 0 && this.rereads++ < maxRereads;
    const shown = again ? this.pending.subarray(0, end) : this.pending;
    yield { line: this.line, bytes: head(this.trimmed(shown)), refused };
    const atEnd = this.pending.length <= this.settings.maxBytes;
    this.line += again ? 1 : countLines(this.pending);
    this.pending = again ? this.pending.subarray(end + 1) : Buffer.alloc(0);
    this.skipping = !again && !atEnd;
    this.restart();
  }

  private restart(): void {
    this.scanned = 0;
    this.inQuotes = false;
    this.spans = false;
    this.malformed = false;
    this.field = 'start';
  }

  /**
   * Index of the line end that ends the pending record, or -1. Goes on where it stopped before. A quote opens only at
   * the start of a field or behind one that just closed (a doubled quote); a byte order mark starts no field.
   */
  private recordEnd(): number {
    const { pending } = this;
    if (!this.settings.quoted) {
      const end = pending.indexOf(newline, this.scanned);
      this.scanned = pending.length;
      return end;
    }
    for (let at = this.scanned; at < pending.length; at++) {
      const byte = pending[at];
      if (this.inQuotes) {
        if (byte === newline) this.spans = true;
        if (byte !== quote) continue;
        this.inQuotes = false;
        this.field = 'closed';
      } else if (byte === newline) return at;
      else if (byte === this.settings.delimiter) this.field = 'start';
      else if (byte === quote && this.field !== 'plain') this.inQuotes = true;
      else if (this.spans && this.field === 'closed' && byte !== 13 && this.rereads < maxRereads) {
        this.malformed = true;
        return -1;
      } else if (!(this.first && at < 3 && byte >= 0xbb)) this.field = 'plain';
    }
    this.scanned = pending.length;
    return -1;
  }

  private trimmed(record: Buffer): Buffer {
    const mark = this.first && record[0] === 0xef && record[1] === 0xbb && record[2] === 0xbf;
    this.first = false;
    const end = record.at(-1) === 13 ? record.length - 1 : record.length;
    return record.subarray(mark ? 3 : 0, end);
  }
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count++;
  return count;
}

function head(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(0, headBytes));
}
