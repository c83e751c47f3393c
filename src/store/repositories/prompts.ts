/** The prompts of the pool, in the order in which they came in. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { z } from 'zod';
import type { Content, ContentPart, Message, PoolPrompt } from '../../pool/types.ts';
import { atomically, batches, storable } from '../batches.ts';
import { textList } from '../lists.ts';
import type { Database, PromptRow } from '../schema.ts';
import type { Prompts } from '../types.ts';
import { lockName } from './desk-lock.ts';

const partSchema: z.ZodType<ContentPart> = z.union([
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('image_url'), image_url: z.object({ url: z.string() }) }),
]);
const messageSchema: z.ZodType<Message<Content>> = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.union([z.string(), z.array(partSchema)]),
});
const contentSchema = z.union([z.string(), z.array(messageSchema)]);
/**
 * A list of messages with an image: in JSON text the quotes of what a prompt says are escaped, so that no words of it
 * look like this. PostgreSQL's own functions refuse JSON with \u0000 in it.
 */
const imagePattern = '[%"type":"image_url"%';
const metadataSchema = z.record(z.string(), z.unknown());

export function promptsIn(db: Kysely<Database>): Prompts {
  return {
    add: (prompts) =>
      atomically(db, async (tx) => {
        // Two writers on a server would give two prompts one position, or add one prompt twice.
        await lockName(tx, 'prompts');
        const before = await contentsOf(
          tx,
          prompts.map((prompt) => prompt.id),
        );
        const conflicts: string[] = [];
        const fresh = new Map<string, PoolPrompt>();
        for (const prompt of prompts) {
          const content = JSON.stringify(prompt.prompt);
          const found = before.get(prompt.id);
          if (found === undefined) {
            before.set(prompt.id, content);
            fresh.set(prompt.id, prompt);
          } else if (found !== content) conflicts.push(prompt.id);
        }
        await insert(tx, [...fresh.values()]);
        const added = fresh.size;
        return { added, unchanged: prompts.length - added - conflicts.length, conflicts };
      }),

    async list(ids) {
      const some = ids === undefined ? sql<boolean>`true` : sql<boolean>`id = any(${ids}::text[])`;
      const query = db.selectFrom('prompts').selectAll().where(some).orderBy('position');
      if (ids !== undefined && ids.length <= few) return (await query.execute()).map(promptOf);
      const prompts: PoolPrompt[] = [];
      for (const [first, last] of await pages(db, some)) {
        const page = query.where('position', '>=', first).where('position', '<=', last);
        for (const row of await page.execute()) prompts.push(promptOf(row));
      }
      return prompts;
    },

    async unknown(ids) {
      const rows = await db
        .selectFrom('prompts')
        .select('id')
        .where(sql<boolean>`id = any(${ids}::text[])`)
        .execute();
      const known = new Set(rows.map(({ id }) => id));
      return ids.filter((id) => !known.has(id));
    },

    count: () => countOf(db),

    async withImages() {
      const { rows } = await sql<{ id: string }>`
        select id from prompts where content::text like ${imagePattern} order by position
      `.execute(db);
      return rows.map(({ id }) => id);
    },
  };
}

/** Positions follow the ones that are there: nothing depends on how often a job was repeated. */
async function insert(db: Kysely<Database>, prompts: readonly PoolPrompt[]): Promise<void> {
  let position = await nextPosition(db);
  const sizeOf = (prompt: PoolPrompt) => JSON.stringify(prompt).length;
  for (const batch of batches(prompts, 5, sizeOf)) {
    const text = (read: (prompt: PoolPrompt) => string) => textList(batch.map(read));
    await sql`
      insert into prompts (id, position, content, source, metadata)
      select id, ${position - 1}::int4 + n::int4, content::json, source, metadata::json
      from (
        select ${text(({ id }) => id)} as id, ${text(({ prompt }) => JSON.stringify(prompt))} as content,
          ${text(({ source }) => storable(source))} as source,
          ${text(({ metadata }) => JSON.stringify(metadata))} as metadata,
          generate_series(1, ${batch.length}::int4) as n
      ) given
    `.execute(db);
    position += batch.length;
  }
}

/** Bytes that one statement brings back: images make prompts large, and the answer to a statement is one piece. */
const pageBytes = 16 * 2 ** 20;
/** So many prompts are brought back by one statement, however large. */
const few = 4;

/** First and last positions of what `some` chooses, in pages that one statement can bring back. */
async function pages(
  db: Kysely<Database>,
  some: RawBuilder<boolean>,
): Promise<(readonly [number, number])[]> {
  const { rows } = await sql<{ first: number; last: number }>`
    select min(position) as first, max(position) as last from (
      select position,
        sum(pg_column_size(content) + pg_column_size(metadata)) over (order by position) as size
      from prompts where ${some}
    ) sized
    group by floor(size / ${pageBytes}) order by first
  `.execute(db);
  return rows.map(({ first, last }) => [first, last]);
}

/** JSON text of the content of those of `ids` that are there. */
async function contentsOf(
  db: Kysely<Database>,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('prompts')
    .select(['id', 'content'])
    .where(sql<boolean>`id = any(${ids}::text[])`)
    .execute();
  return new Map(rows.map((row) => [row.id, JSON.stringify(row.content)]));
}

/** Not by counting: a pool of a million prompts comes in by the thousand. */
async function nextPosition(db: Kysely<Database>): Promise<number> {
  const { next } = await db
    .selectFrom('prompts')
    .select(sql<number>`coalesce(max(position) + 1, 0)::int4`.as('next'))
    .executeTakeFirstOrThrow();
  return next;
}

async function countOf(db: Kysely<Database>): Promise<number> {
  const { count } = await db
    .selectFrom('prompts')
    .select(sql<number>`count(*)::int4`.as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

function promptOf(
  row: Record<keyof PromptRow, unknown> & { id: string; source: string },
): PoolPrompt {
  return {
    id: row.id,
    prompt: contentSchema.parse(row.content),
    source: row.source,
    metadata: metadataSchema.parse(row.metadata),
  };
}
