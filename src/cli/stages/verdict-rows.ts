/** Rows of a file of answers, checked one by one. Knows nothing of verdicts. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { cutRecords } from '../../pool/lines.ts';

const textOrNumber = z.union([z.string(), z.number().transform(String)]);

/** One line of the input. */
const rowSchema = z.object({
  /** As JSON, in the writing of the input: it goes back as it came. */
  id: z.union([z.string(), z.number()]).transform((id) => JSON.stringify(id)),
  gold: textOrNumber,
  response: z.union([textOrNumber, z.null().transform(() => '')]),
  /** Whose verifier judges it: `verify.sources`. */
  source: z.string().nullish(),
  expected: z.enum(['right', 'wrong', 'undecided']).nullish(),
});

export type Row = z.infer<typeof rowSchema>;

const maxLineBytes = 16 * 2 ** 20;

/** The rows of `input` in order. UserError for a file that is none, and for the first line that is no row, by its number. */
export async function* rowsOf(input: string): AsyncGenerator<Row> {
  if (!existsSync(input) || !statSync(input).isFile()) {
    throw new UserError({
      wanted: 'a JSONL file of {"id","gold","response"}',
      found: existsSync(input) ? 'a folder, or something else that is no file' : 'no such file',
      where: input,
    });
  }
  const settings = { maxBytes: maxLineBytes, quoted: false, delimiter: 44 };
  for await (const { line, bytes, refused } of cutRecords(createReadStream(input), settings)) {
    const where = `${input}, line ${line}`;
    if (refused !== undefined) throw badRow(refused, where);
    yield parsedRow(bytes, where);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parsedRow(bytes: Buffer, where: string): Row {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw badRow('bytes that are not UTF-8', where);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRow(`no JSON: ${JSON.stringify(text.slice(0, 80))}`, where);
  }
  const parsed = rowSchema.safeParse(value);
  if (!parsed.success) throw badRow(faultOf(value, parsed.error.issues[0].path), where);
  return { ...parsed.data, ...writtenNumbers(value, text) };
}

/** What stands in the way at `path` of a line. */
function faultOf(value: unknown, [key]: readonly PropertyKey[]): string {
  if (key === undefined) return JSON.stringify(value).slice(0, 80);
  const found: unknown = Object.entries(Object(value)).find(([name]) => name === key)?.[1];
  const name = `"${String(key)}"`;
  return found === undefined ? `no ${name}` : `${name}: ${JSON.stringify(found).slice(0, 80)}`;
}

/**
 * The numbers of a row as they are written: an id or a gold answer of 20 digits is more than a number of JavaScript can
 * hold, and Python writes such numbers.
 */
function writtenNumbers(
  value: unknown,
  text: string,
): Partial<Pick<Row, 'id' | 'gold' | 'response'>> {
  const { id, gold, response } = keysSchema.parse(value);
  if (![id, gold, response].some((one) => typeof one === 'number')) return {};
  const written = keysSchema.parse(JSON.parse(withQuotedNumbers(text)));
  return {
    ...(typeof id === 'number' ? { id: String(written.id) } : {}),
    ...(typeof gold === 'number' ? { gold: String(written.gold) } : {}),
    ...(typeof response === 'number' ? { response: String(written.response) } : {}),
  };
}

const keysSchema = z.object({ id: z.unknown(), gold: z.unknown(), response: z.unknown() });

/** `json` with its numbers as texts. */
function withQuotedNumbers(json: string): string {
  let isInText = false;
  return json.replace(/\\.|"|-?\d[\d.eE+-]*/gu, (token) => {
    if (token === '"') isInText = !isInText;
    return isInText || !/^[-\d]/.test(token) ? token : `"${token}"`;
  });
}

function badRow(found: string, where: string): UserError {
  return new UserError({
    wanted:
      'one object {"id","gold","response"} a line, "expected" (right, wrong or undecided) and "source" (text) if known',
    found,
    where,
  });
}
