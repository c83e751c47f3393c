import { parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { expect, it } from 'vitest';
import { type Field, parquetBytes } from './parquet.ts';

const fields: readonly Field[] = [
  {
    name: 'prompt',
    list: [
      { name: 'role', type: 'text' },
      { name: 'content', type: 'text' },
    ],
  },
  {
    name: 'info',
    struct: [
      { name: 'index', type: 'int64' },
      { name: 'labeled', type: 'bool' },
      { name: 'share', type: 'double', optional: true },
    ],
  },
  { name: 'answer', type: 'text', optional: true },
];

const rows = [
  {
    prompt: [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: '1 + 1?\n"\u2028' },
    ],
    info: { index: 0n, labeled: true, share: null },
    answer: '{"a": 1}',
  },
  {
    prompt: [{ role: 'user', content: '' }],
    info: { index: 2n ** 40n, labeled: false, share: 0.75 },
    answer: null,
  },
];

it('writes lists of structs and structs that come back as they were', async () => {
  const file = parquetBytes(fields, rows).slice().buffer;
  expect(await parquetReadObjects({ file, compressors })).toEqual(rows);
});

it('has real nested types in its schema, with the three levels of a list', () => {
  const schema = parquetSchema(parquetMetadata(parquetBytes(fields, rows).slice().buffer));
  const shown = (node: typeof schema): string => {
    const { name, type, repetition_type: repetition, converted_type: logical } = node.element;
    const inner = node.children.map(shown).join(' ');
    return [name, repetition, type, logical, inner === '' ? undefined : `(${inner})`]
      .filter((part) => part !== undefined)
      .join(' ');
  };
  expect(schema.children.map(shown)).toEqual([
    'prompt REQUIRED LIST (list REPEATED (element REQUIRED (role REQUIRED BYTE_ARRAY UTF8 content REQUIRED BYTE_ARRAY UTF8)))',
    'info REQUIRED (index REQUIRED INT64 labeled REQUIRED BOOLEAN share OPTIONAL DOUBLE)',
    'answer OPTIONAL BYTE_ARRAY UTF8',
  ]);
});

it('gives the same bytes for the same rows', () => {
  expect(parquetBytes(fields, rows)).toEqual(parquetBytes(fields, structuredClone(rows)));
});
