/** The prompts of the pool, in the order in which they came in. */
import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import type { Message, Prompt } from '../../pool/types.ts';
import { atomically, batches, storable } from '../batches.ts';
import type { Database, PromptRow } from '../schema.ts';
import type { Prompts } from '../types.ts';
import { lockName } from './desk-lock.ts';

const messageSchema: z.ZodType<Message> = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string(),
});
const contentSchema = z.union([z.string(), z.array(messageSchema)]);
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
        const fresh = new Map<string, Prompt>();
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
      let query = db.selectFrom('prompts').selectAll().orderBy('position');
      if (ids !== undefined) query = query.where(sql<boolean>`id = any(${ids}::text[])`);
      return (await query.execute()).map(promptOf);
    },

    async unknown(ids) {
      const known = await contentsOf(db, ids);
      return ids.filter((id) => !known.has(id));
    },

    count: () => countOf(db),
  };
}

/** Positions follow the ones that are there: nothing depends on how often a job was repeated. */
async function insert(db: Kysely<Database>, prompts: readonly Prompt[]): Promise<void> {
  let position = await countOf(db);
  const sizeOf = (prompt: Prompt) => JSON.stringify(prompt).length;
  for (const batch of batches(prompts, 5, sizeOf)) {
    const rows = batch.map((prompt) => ({
      id: prompt.id,
      position: position++,
      content: JSON.stringify(prompt.prompt),
      source: storable(prompt.source),
      metadata: JSON.stringify(prompt.metadata),
    }));
    await db.insertInto('prompts').values(rows).execute();
  }
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

async function countOf(db: Kysely<Database>): Promise<number> {
  const { count } = await db
    .selectFrom('prompts')
    .select(sql<number>`count(*)::int4`.as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

function promptOf(row: Record<keyof PromptRow, unknown> & { id: string; source: string }): Prompt {
  return {
    id: row.id,
    prompt: contentSchema.parse(row.content),
    source: row.source,
    metadata: metadataSchema.parse(row.metadata),
  };
}
