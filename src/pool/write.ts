// Writes prompts as JSONL or Parquet so that reading them gives the same prompts. There is no place for an answer here.
import { parquetWriteBuffer } from 'hyparquet-writer';
import { writeWhole } from '../core/files.ts';
import { WholeFile } from './output.ts';
import type { PoolPrompt, Prompt } from './types.ts';

type ParquetSchema = NonNullable<Parameters<typeof parquetWriteBuffer>[0]['schema']>;

/** One row a prompt: the columns id, prompt, source, then those of its metadata that do not have one of these names. */
function flat({ id, prompt, source, metadata }: PoolPrompt): Record<string, unknown> {
  return { ...metadata, id, prompt, source };
}

/** Writes `prompts` as JSONL, one at a time; the file appears whole or not at all. */
export async function writeJsonl(
  path: string,
  prompts: Iterable<PoolPrompt> | AsyncIterable<PoolPrompt>,
): Promise<void> {
  const file = new WholeFile(path);
  try {
    for await (const prompt of prompts) file.line(flat(prompt));
    file.commit();
  } catch (error) {
    file.abort();
    throw error;
  }
}

/**
 * Writes `prompts` as one Parquet file (in memory first). Prompts are all strings, or else all are written as
 * list<struct<role, content>>, a string as one user message. Metadata goes into one JSON column per key.
 */
export function writeParquet(path: string, prompts: readonly Prompt[]): void {
  const plain = prompts.every(({ prompt }) => typeof prompt === 'string');
  const keys = [...new Set(prompts.flatMap(({ metadata }) => Object.keys(metadata)))];
  const names = keys.filter((key) => !['id', 'prompt', 'source'].includes(key));
  const schema: ParquetSchema = [
    { name: 'root', num_children: 3 + names.length },
    textColumn('id', 'REQUIRED'),
    ...(plain ? [textColumn('prompt', 'REQUIRED')] : messageColumns),
    textColumn('source', 'REQUIRED'),
    ...names.map((name) => ({ ...textColumn(name, 'OPTIONAL'), converted_type: 'JSON' }) as const),
  ];
  const columnData = [
    { name: 'id', data: prompts.map(({ id }) => id) },
    { name: 'prompt', data: prompts.map(({ prompt }) => (plain ? prompt : messages(prompt))) },
    { name: 'source', data: prompts.map(({ source }) => source) },
    ...names.map((name) => ({ name, data: prompts.map(({ metadata }) => metadata[name]) })),
  ];
  writeWhole(
    path,
    new Uint8Array(parquetWriteBuffer({ columnData, schema, rowGroupSize: 10_000 })),
  );
}

function messages(prompt: Prompt['prompt']) {
  return typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
}

function textColumn(name: string, repetition: 'REQUIRED' | 'OPTIONAL') {
  const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;
  return { name, ...text, repetition_type: repetition } as const;
}

/** The three-level list of the Parquet format, as other writers make it. */
const messageColumns: ParquetSchema = [
  { name: 'prompt', repetition_type: 'REQUIRED', converted_type: 'LIST', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', repetition_type: 'REQUIRED', num_children: 2 },
  textColumn('role', 'REQUIRED'),
  textColumn('content', 'REQUIRED'),
];
