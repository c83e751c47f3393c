/**
 * The JSON header of a safetensors file, checked against the number of bytes that follow it.
 *
 * The rules are those of the format's reference implementation: ranges start at 0, leave no holes, do
 * not overlap, end with the file; every range is as long as shape and type say; names are unique.
 */
import { z } from 'zod';
import { UserError } from '../core/errors.ts';

export interface TensorEntry {
  /** As in the file: F32, BF16, I64 ... */
  dtype: string;
  shape: readonly number[];
  /** First byte and the byte after the last, counted from the end of the header. */
  begin: number;
  end: number;
}

const BITS: Record<string, number> = {
  ...{ F64: 64, I64: 64, U64: 64, C64: 64, F32: 32, I32: 32, U32: 32 },
  ...{ F16: 16, BF16: 16, I16: 16, U16: 16, I8: 8, U8: 8, BOOL: 8 },
  ...{ F8_E4M3: 8, F8_E5M2: 8, F8_E8M0: 8 },
};

const entrySchema = z.strictObject({
  dtype: z.enum(Object.keys(BITS)),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const metadataSchema = z.record(z.string(), z.string());

/** Checks and reads a header; `path` goes into errors. Tensors come in the order of their bytes. */
export function parseHeader(
  text: string,
  dataBytes: number,
  path: string,
): { tensors: Map<string, TensorEntry>; metadata: Record<string, string> } {
  const json = parseObject(text, path);
  refuseDuplicates(text, path);
  let metadata: Record<string, string> = {};
  const entries: [string, TensorEntry][] = [];
  for (const [name, value] of Object.entries(json)) {
    if (name === '__metadata__') {
      const parsed = metadataSchema.safeParse(value);
      if (!parsed.success) {
        const where = `${path}, __metadata__`;
        throw new UserError({
          wanted: 'texts by name',
          found: z.prettifyError(parsed.error),
          where,
        });
      }
      metadata = parsed.data;
    } else {
      entries.push([name, parseEntry(name, value, path)]);
    }
  }
  entries.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  checkRanges(entries, dataBytes, path);
  return { tensors: new Map(entries), metadata };
}

function parseObject(text: string, path: string): Record<string, unknown> {
  const wanted = 'a JSON object as safetensors header';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError({ wanted, found: String(error), where: path }, { cause: error });
  }
  if (!text.startsWith('{') || typeof json !== 'object' || json === null) {
    throw new UserError({ wanted, found: `${text.slice(0, 20)}...`, where: path });
  }
  return json as Record<string, unknown>;
}

function parseEntry(name: string, value: unknown, path: string): TensorEntry {
  const where = `${path}, tensor ${name}`;
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) {
    throw new UserError({
      wanted: 'dtype, shape and data_offsets',
      found: z.prettifyError(parsed.error),
      where,
    });
  }
  const { dtype, shape, data_offsets } = parsed.data;
  const [begin, end] = data_offsets;
  const bytes = (shape.reduce((a, b) => a * b, 1) * (BITS[dtype] ?? 0)) / 8;
  if (end - begin !== bytes) {
    throw new UserError({
      wanted: `${bytes} bytes for ${dtype} [${shape.join(', ')}]`,
      found: `data_offsets ${begin} to ${end}`,
      where,
    });
  }
  return { dtype, shape, begin, end };
}

function checkRanges(
  entries: readonly (readonly [string, TensorEntry])[],
  dataBytes: number,
  path: string,
): void {
  let at = 0;
  for (const [name, { begin, end }] of entries) {
    const where = `${path}, tensor ${name}`;
    if (begin !== at) {
      const found = `data_offsets that ${begin < at ? 'overlap another tensor' : 'leave a hole'}`;
      throw new UserError({
        wanted: `data from byte ${at} on`,
        found: `${found} (${begin})`,
        where,
      });
    }
    if (end > dataBytes) {
      throw new UserError({
        wanted: `data up to byte ${end}`,
        found: `a file that ends at byte ${dataBytes} of its data`,
        where,
        fix: 'The file is truncated: get it again.',
      });
    }
    at = end;
  }
  if (at !== dataBytes) {
    throw new UserError({
      wanted: `${at} bytes of data`,
      found: `${dataBytes - at} more that belong to no tensor`,
      where: path,
    });
  }
}

/** JSON.parse keeps the last of two equal names without a word, so the names are looked at here. */
function refuseDuplicates(text: string, path: string): void {
  const seen = new Set<string>();
  let depth = 0;
  // Strings (with a colon behind, if any) and brackets are all that matters; the text is valid JSON.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/gs)) {
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (depth === 1 && token.endsWith(':')) {
      const name = String(JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)));
      if (seen.has(name)) {
        const where = `${path}, tensor ${name}`;
        throw new UserError({ wanted: 'every name once', found: 'the name twice', where });
      }
      seen.add(name);
    }
  }
}
