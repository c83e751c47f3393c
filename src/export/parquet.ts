// Rows as Parquet with real nested types: lists and structs as pyarrow writes them, no JSON in text columns. The same rows
// give the same bytes. Knows nothing of what the columns mean.
import { parquetWriteBuffer } from 'hyparquet-writer';

type Schema = NonNullable<Parameters<typeof parquetWriteBuffer>[0]['schema']>;
type Element = Schema[number];

/** One column or part of one. */
export type Field =
  | { name: string; type: 'text' | 'int32' | 'int64' | 'double' | 'bool'; optional?: boolean }
  | { name: string; struct: readonly Field[] }
  | { name: string; list: readonly Field[] };

const types = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  int32: { type: 'INT32' },
  int64: { type: 'INT64' },
  double: { type: 'DOUBLE' },
  bool: { type: 'BOOLEAN' },
} as const satisfies Record<string, Partial<Element>>;

/** Rows of one group; readers unpack a group at a time. */
const groupRows = 10_000;

/**
 * `rows` as the bytes of a Parquet file; a row holds a value for every field: int64 as bigint, a list as an array of
 * structs, null only where the field is optional.
 */
export function parquetBytes(
  fields: readonly Field[],
  rows: readonly Record<string, unknown>[],
): Uint8Array {
  const schema: Schema = [
    { name: 'root', num_children: fields.length },
    ...fields.flatMap(elementsOf),
  ];
  const columnData = fields.map(({ name }) => ({ name, data: rows.map((row) => row[name]) }));
  return new Uint8Array(
    parquetWriteBuffer({ columnData, schema, rowGroupSize: groupRows, createdBy: 'pivottrace' }),
  );
}

function elementsOf(field: Field): Schema {
  const { name } = field;
  if ('struct' in field) return struct(name, field.struct);
  if ('list' in field) {
    // The three-level list of the format, as other writers make it.
    return [
      { name, repetition_type: 'REQUIRED', converted_type: 'LIST', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      ...struct('element', field.list),
    ];
  }
  const repetition = field.optional === true ? 'OPTIONAL' : 'REQUIRED';
  return [{ name, ...types[field.type], repetition_type: repetition }];
}

function struct(name: string, fields: readonly Field[]): Schema {
  return [
    { name, repetition_type: 'REQUIRED', num_children: fields.length },
    ...fields.flatMap(elementsOf),
  ];
}
