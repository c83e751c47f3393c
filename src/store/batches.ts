/**
 * What all repositories share: batches that fit a statement, transactions that nest, numbers as bytes.
 *
 * Knows nothing of any table.
 */
import type { Kysely } from 'kysely';
import { errorCode } from '../core/files.ts';
import type { Database } from './schema.ts';

// The wire protocol counts parameters in 16 bits.
const maxParameters = 30_000;
// Text and bytes travel as text; a statement of this size stays far below the engine's buffers.
const maxBytes = 4 * 2 ** 20;

/** Splits `rows` so that each batch fits one statement with `columns` parameters per row. */
export function* batches<T>(
  rows: Iterable<T>,
  columns: number,
  bytesOf: (row: T) => number = () => 0,
): Generator<T[]> {
  const most = Math.floor(maxParameters / columns);
  let batch: T[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = bytesOf(row);
    if (batch.length > 0 && (batch.length >= most || bytes + size > maxBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(row);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

const attempts = 5;
const deadlock = '40P01';

/**
 * `work` in a transaction of its own, or in the one that `db` already is. Two writers of the same rows may wait for
 * each other in a circle: a server then ends one of them, and its `work`, which must read and write nothing but the
 * database, is done again.
 */
export async function atomically<T>(
  db: Kysely<Database>,
  work: (db: Kysely<Database>) => Promise<T>,
): Promise<T> {
  if (db.isTransaction) return await work(db);
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (attempt === attempts || errorCode(error) !== deadlock) throw error;
    }
  }
}

/**
 * The last of the rows with the same key, in order of first appearance: one statement must not
 * write a row twice.
 */
export function lastPerKey<T>(rows: readonly T[], keyOf: (row: T) => string): T[] {
  return [...new Map(rows.map((row) => [keyOf(row), row])).values()];
}

/** PostgreSQL has no NUL in texts, but a byte-level tokenizer can produce one. */
export function storable(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD');
}

/** The bytes of `numbers`, without a copy. */
export function bytesOf(numbers: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** Back from `bytesOf`; copies, because bytes from the database need not be aligned. */
export function int32Of(bytes: Uint8Array): Int32Array {
  return new Int32Array(aligned(bytes));
}

/** Back from `bytesOf`; copies, because bytes from the database need not be aligned. */
export function float32Of(bytes: Uint8Array): Float32Array {
  return new Float32Array(aligned(bytes));
}

function aligned(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
