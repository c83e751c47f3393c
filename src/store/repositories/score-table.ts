/**
 * The scores of a round as columns of numbers. A row per score would be a million objects per estimator; here the database
 * packs an estimator's scores into bytes, with the position of their prompt, and they are unpacked into place.
 */
import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import type { Database } from '../schema.ts';
import type { ScoreTable } from '../types.ts';

/** Ids read at a time. */
const pageRows = 50_000;
/** int4 position and float8 value, both big-endian. */
const entryBytes = 12;

const idsSchema = z.array(z.string());
const positionsSchema = z.array(z.int());

export async function scoreTable(db: Kysely<Database>, round: number): Promise<ScoreTable> {
  const { promptIds, placeOf } = await poolIds(db);
  const { rows } = await sql<{ estimator: string; packed: Uint8Array }>`
    select estimator, string_agg(int4send(p.position) || float8send(s.value), ''::bytea) as packed
    from scores s join prompts p on p.id = s.prompt_id
    where s.round = ${round} group by estimator order by estimator collate "C"
  `.execute(db);
  const columns = new Map<string, Float64Array>();
  for (const { estimator, packed } of rows) {
    columns.set(estimator, unpacked(packed, placeOf, promptIds.length));
  }
  return { promptIds, columns };
}

function unpacked(packed: Uint8Array, placeOf: Int32Array, prompts: number): Float64Array {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const values = new Float64Array(prompts).fill(Number.NaN);
  for (let at = 0; at < packed.byteLength; at += entryBytes) {
    values[placeOf[view.getInt32(at)]] = view.getFloat64(at + 4);
  }
  return values;
}

/** All ids in the order of the pool, and the place in that order of each position. */
async function poolIds(
  db: Kysely<Database>,
): Promise<{ promptIds: string[]; placeOf: Int32Array }> {
  const promptIds: string[] = [];
  const positions: number[] = [];
  for (let after = -1; ; ) {
    // As one text each: a row per id takes three times as long.
    const { rows } = await sql<{ ids: string | null; positions: string | null }>`
      select json_agg(id order by position)::text as ids, json_agg(position order by position)::text as positions
      from (
        select id, position from prompts where position > ${after} order by position limit ${pageRows}
      ) page
    `.execute(db);
    const [page] = rows;
    if (page?.ids == null || page.positions === null) break;
    for (const id of idsSchema.parse(JSON.parse(page.ids))) promptIds.push(id);
    for (const position of positionsSchema.parse(JSON.parse(page.positions))) {
      positions.push(position);
    }
    after = positions[positions.length - 1];
  }
  const placeOf = new Int32Array((positions.at(-1) ?? -1) + 1);
  for (const [place, position] of positions.entries()) placeOf[position] = place;
  return { promptIds, placeOf };
}
