// Makes a prompt of the columns of one row, and keeps answers out of it. Knows nothing of file formats.
import { contentHash } from './content.ts';
import { imageFault } from './images.ts';
import type {
  ColumnMap,
  Content,
  ContentPart,
  Message,
  Place,
  PoolEntry,
  PoolPrompt,
} from './types.ts';

/** A row that cannot go in; `message` is the reason for a person. */
export class BadRow extends Error {}

/** Text of an input file whose bytes are no UTF-8 (Parquet: the other formats refuse the whole line). */
export class BrokenText {
  readonly shown: string;

  constructor(bytes: Uint8Array) {
    this.shown = Buffer.from(bytes).toString('utf8');
  }
}

const roles = ['system', 'user', 'assistant', 'tool'] as const satisfies readonly Message['role'][];

/** Columns (at any depth) that usually hold answers: never metadata, whether they are mapped or not. */
const answerNames = new Set([
  ...[
    'answer',
    'answers',
    'final_answer',
    'expected_answer',
    'expected',
    'gold',
    'label',
    'target',
  ],
  ...[
    'ground_truth',
    'groundtruth',
    'solution',
    'solutions',
    'reward_model',
    'reference',
    'correct',
  ],
]);

/** Metadata nested deeper than this is refused. */
const maxDepth = 32;

/** Which column holds what, with the names filled in. */
export interface Columns {
  prompt: string;
  answer: string;
  id: string;
  source: string;
}

export function columnsOf(map: ColumnMap = {}): Columns {
  return { prompt: 'prompt', answer: 'answer', id: 'id', source: 'source', ...map };
}

/** The columns that a file must have: the prompt and whatever was named. */
export function requiredColumns(map: ColumnMap = {}): string[] {
  return [columnsOf(map).prompt, ...Object.values(map).filter((name) => name !== map.prompt)];
}

/** The value at `name`: a column of that name, else a dotted path. */
export function valueAt(row: Record<string, unknown>, name: string): unknown {
  if (Object.hasOwn(row, name)) return row[name];
  let value: unknown = row;
  for (const key of name.split('.')) {
    if (!isRecord(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The entry of one row. BadRow where it cannot go in. */
export function rowEntry(
  row: Record<string, unknown>,
  columns: Columns,
  fileName: string,
  at: Place,
): PoolEntry {
  const prompt = promptOf(valueAt(row, columns.prompt), columns.prompt);
  const answer = scalar(valueAt(row, columns.answer), columns.answer);
  const id = scalar(valueAt(row, columns.id), columns.id) ?? contentHash(prompt).slice(0, 24);
  const source = scalar(valueAt(row, columns.source), columns.source) ?? fileName;
  const withheld: string[] = [];
  const rest = Object.entries(row).filter(([key]) => !Object.values(columns).includes(key));
  const metadata = plain(Object.fromEntries(rest), '', 0, withheld, columns.answer);
  if (!isRecord(metadata)) throw new BadRow('metadata is no object');
  const entry = { kind: 'row', prompt: { id, prompt, source, metadata }, withheld, at } as const;
  return answer === undefined ? entry : { ...entry, answer };
}

function promptOf(value: unknown, name: string): PoolPrompt['prompt'] {
  if (value instanceof BrokenText) throw new BadRow(`${name} is not valid UTF-8`);
  if (typeof value === 'string') return nonEmpty(text(value, name), name);
  if (Array.isArray(value)) {
    if (value.length === 0) throw new BadRow(`${name} has no messages`);
    return value.map((item, index) => messageOf(item, `${name}[${index}]`));
  }
  if (value === undefined || value === null) throw new BadRow(`no ${name}`);
  throw new BadRow(`${name} is neither text nor a list of messages`);
}

function messageOf(value: unknown, where: string): Message<Content> {
  if (!isRecord(value)) throw new BadRow(`${where} is no message`);
  const role = roles.find((known) => known === value.role);
  if (role === undefined) throw new BadRow(`${where}.role is none of ${roles.join(', ')}`);
  refuseOther(value, ['role', 'content'], where);
  return { role, content: contentOf(value.content, `${where}.content`) };
}

/** A text, or a list of parts; a list of texts alone is one text, a line each. */
function contentOf(value: unknown, where: string): Content {
  if (value instanceof BrokenText) throw new BadRow(`${where} is not valid UTF-8`);
  if (typeof value === 'string') return nonEmpty(text(value, where), where);
  if (!Array.isArray(value)) throw new BadRow(`${where} is neither text nor a list of parts`);
  const parts = value.map((part, index) => partOf(part, `${where}[${index}]`));
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  return texts.length === parts.length ? nonEmpty(texts.join('\n'), where) : parts;
}

function partOf(value: unknown, where: string): ContentPart {
  if (!isRecord(value)) throw new BadRow(`${where} is no part of a message`);
  if (value.type === 'text') {
    refuseOther(value, ['type', 'text'], where);
    const said = value.text;
    if (said instanceof BrokenText) throw new BadRow(`${where} is not valid UTF-8`);
    if (typeof said !== 'string') throw new BadRow(`${where}.text is no text`);
    return { type: 'text', text: text(said, where) };
  }
  if (value.type !== 'image_url') {
    throw new BadRow(`${where}.type is neither "text" nor "image_url"`);
  }
  refuseOther(value, ['type', 'image_url'], where);
  const given = value.image_url;
  const url = isRecord(given) ? given.url : given;
  if (isRecord(given)) refuseOther(given, ['url', 'detail'], `${where}.image_url`);
  if (typeof url !== 'string') throw new BadRow(`${where}.image_url has no url`);
  const fault = imageFault(url);
  if (fault !== null) throw new BadRow(`${where} is ${fault}`);
  return { type: 'image_url', image_url: { url } };
}

/** Parquet has all keys in every row: those without a value count as absent. */
function refuseOther(value: Record<string, unknown>, known: readonly string[], where: string) {
  const other = Object.keys(value).find(
    (key) => !known.includes(key) && value[key] !== null && value[key] !== undefined,
  );
  if (other !== undefined) throw new BadRow(`${where} has a key that is not supported: ${other}`);
}

/** Text, number or true/false as text; undefined where there is none. */
function scalar(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (value instanceof BrokenText) throw new BadRow(`${name} is not valid UTF-8`);
  if (typeof value === 'string') return value.trim() === '' ? undefined : text(value, name).trim();
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'number') throw new BadRow(`${name} is no text and no number`);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new BadRow(`${name} is too large to be exact as a number; write it in quotes`);
  }
  return String(value);
}

function nonEmpty(value: string, name: string): string {
  if (value.trim() === '') throw new BadRow(`${name} is empty`);
  return value;
}

/** `value` itself, unless the store or a tokenizer could not take it. */
function text(value: string, name: string): string {
  if (value.includes('\0')) throw new BadRow(`${name || 'metadata'} holds the character U+0000`);
  if (/\p{Surrogate}/u.test(value))
    throw new BadRow(`${name || 'metadata'} holds half a character`);
  return value;
}

/** Metadata as plain JSON, without the columns that may hold the answer. */
function plain(
  value: unknown,
  path: string,
  depth: number,
  withheld: string[],
  answer: string,
): unknown {
  if (depth > maxDepth) throw new BadRow(`metadata is nested deeper than ${maxDepth}`);
  if (typeof value === 'string') return text(value, path);
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  }
  if (value instanceof BrokenText) throw new BadRow(`${path} is not valid UTF-8`);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const items: unknown[] = Array.isArray(value) ? value : Array.from(Object.values(value));
    return items.map((item) => plain(item, path, depth + 1, withheld, answer));
  }
  if (!isRecord(value)) return value ?? null;
  const kept: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    const inner = path === '' ? key : `${path}.${key}`;
    if (answerNames.has(key.toLowerCase()) || inner === answer) withheld.push(inner);
    else kept.push([text(key, path), plain(item, inner, depth + 1, withheld, answer)]);
  }
  return Object.fromEntries(kept);
}
