// A strict JSON reader (RFC 8259) that keeps numbers exact and refuses a key that comes twice. `JSON.parse` does neither:
// it rounds 12345678901234567890, and the last of two keys wins.

/** A number in canonical spelling: "0", or a sign, digits without outer zeros and a power of ten ("-15e-1" is -1.5). */
export interface JsonNumber {
  number: string;
}

export type Json = null | boolean | string | JsonNumber | Json[] | Map<string, Json>;

/** The value, or what is wrong with the text and where. */
export type Parsed = { value: Json } | { fault: string };

const maxDepth = 100;

export function parseJson(text: string): Parsed {
  const reader = new Reader(text);
  try {
    return { value: reader.whole() };
  } catch (error) {
    if (error instanceof Fault) return { fault: `${error.message} at character ${reader.at + 1}` };
    throw error;
  }
}

/** Equal exactly for equal values. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!(value instanceof Map)) return value.number;
  const entries = [...value].map(([key, item]) => [JSON.stringify(key), canonicalJson(item)]);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${key}:${item}`).join(',')}}`;
}

/** Where two values differ first ("items[2].name"; "" is the whole), or undefined where they are equal. */
export function differenceAt(a: Json, b: Json, path = ''): string | undefined {
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let at = 0; at < Math.min(a.length, b.length); at++) {
      const inner = differenceAt(a[at], b[at], `${path}[${at}]`);
      if (inner !== undefined) return inner;
    }
    return a.length === b.length ? undefined : `${path}[${Math.min(a.length, b.length)}]`;
  }
  if (a instanceof Map && b instanceof Map) {
    // Sorted, so that the same place is named whichever side comes first.
    for (const key of [...new Set([...a.keys(), ...b.keys()])].sort()) {
      const here = path === '' ? key : `${path}.${key}`;
      const [left, right] = [a.get(key), b.get(key)];
      if (left === undefined || right === undefined) return here;
      const inner = differenceAt(left, right, here);
      if (inner !== undefined) return inner;
    }
    return undefined;
  }
  return canonicalJson(a) === canonicalJson(b) ? undefined : path;
}

class Fault extends Error {}

class Reader {
  at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  whole(): Json {
    this.blank();
    const value = this.value(0);
    this.blank();
    if (this.at < this.text.length) throw new Fault('text after the value');
    return value;
  }

  private value(depth: number): Json {
    if (depth > maxDepth) throw new Fault(`deeper than ${maxDepth}`);
    const char = this.text[this.at];
    if (char === '{') return this.object(depth);
    if (char === '[') return this.array(depth);
    if (char === '"') return this.string();
    for (const [word, value] of words) if (this.take(word)) return value;
    return this.number();
  }

  private object(depth: number): Map<string, Json> {
    const members = new Map<string, Json>();
    this.at++;
    this.blank();
    if (this.take('}')) return members;
    do {
      this.blank();
      const start = this.at;
      const key = this.string();
      if (members.has(key)) {
        this.at = start;
        throw new Fault('a key that was there before');
      }
      this.blank();
      this.expect(':');
      this.blank();
      members.set(key, this.value(depth + 1));
      this.blank();
    } while (this.take(','));
    this.expect('}');
    return members;
  }

  private array(depth: number): Json[] {
    const items: Json[] = [];
    this.at++;
    this.blank();
    if (this.take(']')) return items;
    do {
      this.blank();
      items.push(this.value(depth + 1));
      this.blank();
    } while (this.take(','));
    this.expect(']');
    return items;
  }

  private string(): string {
    const literal = this.match(/"[^"\\]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*)*"/y);
    if (literal === undefined) throw new Fault('no string');
    // Control characters below U+0020 must be escaped.
    if (/[^\P{Cc}\u007f-\u009f]/u.test(literal))
      throw new Fault('a control character in a string before');
    // Strict by the pattern, so that this decodes escapes and nothing else.
    return String(JSON.parse(literal));
  }

  private number(): JsonNumber {
    const literal = this.match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?/iy);
    if (literal === undefined) throw new Fault('no value');
    return { number: canonicalNumber(literal) };
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private blank(): void {
    this.match(/[ \t\r\n]*/y);
  }

  private expect(sign: string): void {
    if (!this.take(sign)) throw new Fault(`no "${sign}"`);
  }

  private take(sign: string): boolean {
    if (!this.text.startsWith(sign, this.at)) return false;
    this.at += sign.length;
    return true;
  }
}

const words: readonly (readonly [string, Json])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
];

/** Digits and a power of ten, never a double and never written out: 1e400 and 1e-400 are what they say. */
function canonicalNumber(literal: string): string {
  const [mantissa = '', power = '0'] = literal.toLowerCase().split('e');
  const [whole = '', part = ''] = mantissa.replace('-', '').split('.');
  const digits = `${whole}${part}`.replace(/^0+/, '');
  const significant = trimmedZeros(digits);
  if (significant === '') return '0';
  const exponent = BigInt(power) + BigInt(digits.length - significant.length - part.length);
  return `${literal.startsWith('-') ? '-' : ''}${significant}e${exponent}`;
}

/** By hand: /0+$/ takes quadratic time on long runs of zeros inside. */
function trimmedZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}
