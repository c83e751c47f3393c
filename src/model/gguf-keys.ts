/** The metadata of one architecture in a GGUF file, read key by key with errors that name the key. */
import { UserError } from '../core/errors.ts';
import type { GgufFile, GgufValue } from './gguf-file.ts';

/** Reads the keys of one architecture, with errors that name the key. */
export class GgufKeys {
  readonly architecture: string;
  private readonly file: GgufFile;

  constructor(file: GgufFile, architecture: string) {
    this.file = file;
    this.architecture = architecture;
  }

  /** A key without the architecture before it. */
  get(key: string): GgufValue | undefined {
    return this.file.metadata.get(`${this.architecture}.${key}`);
  }

  refuse(key: string, wanted: string, found: unknown): never {
    const text = JSON.stringify(found) ?? 'nothing';
    const where = `${this.file.path}, ${this.architecture}.${key}`;
    throw new UserError({ wanted, found: text.slice(0, 80), where });
  }

  number(key: string): number | undefined {
    const value = this.get(key);
    if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
    return this.refuse(key, 'a number', value);
  }

  /** A positive whole number; one for every layer is taken where all are the same. */
  count(key: string): number | undefined {
    const given = this.get(key);
    const each = Array.isArray(given) ? given : [given];
    if (given === undefined) return undefined;
    const [first] = each;
    if (each.some((one) => one !== first)) this.refuse(key, 'the same for all layers', given);
    if (typeof first === 'number' && Number.isSafeInteger(first) && first > 0) return first;
    return this.refuse(key, 'a positive whole number', given);
  }

  required(key: string): number {
    return this.count(key) ?? this.refuse(key, 'a positive whole number', undefined);
  }
}

/** The decimal number with fewest digits that is the same in float32: 1e-5, not 0.000009999999747. */
export function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
}
