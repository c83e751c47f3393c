/**
 * Triage plans as JSON. The decisions, one per prompt, are kept in pages beside the plan: a plan of a million prompts is
 * longer than a string may be, and nobody needs all of it at once.
 */
import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import { atomically } from '../batches.ts';
import type { Database } from '../schema.ts';
import type { Plans } from '../types.ts';
import { lockName } from './desk-lock.ts';

/** Decisions in a page. */
const pageRows = 1000;

const objectSchema = z.record(z.string(), z.unknown());

export function plansIn(db: Kysely<Database>): Plans {
  return {
    save: (name, body, decisions) =>
      atomically(db, async (tx) => {
        // Two writers on a server must not give two bodies one revision.
        await lockName(tx, `plan ${name}`);
        return await save(tx, name, body, decisions ?? listIn(body));
      }),

    async get(name) {
      const head = await headOf(db, name);
      if (head === undefined) return undefined;
      const { revision, body } = head;
      if (head.decisions === null) return { revision, body };
      const decisions: unknown[] = [];
      for await (const page of pagesOf(db, name)) decisions.push(...page);
      return { revision, body: { ...objectSchema.parse(body), decisions } };
    },

    async names() {
      const rows = await db
        .selectFrom('plans')
        .select('name')
        .orderBy(sql`name collate "C"`)
        .execute();
      return rows.map((row) => row.name);
    },

    decisions: (name) => pagesOf(db, name),

    text: (name) => textOf(db, name),
  };
}

async function save(
  db: Kysely<Database>,
  name: string,
  body: unknown,
  decisions: Iterable<unknown> | null,
): Promise<number> {
  const before = await headOf(db, name);
  // The body keeps the place of its decisions: without them it is a plan as well.
  const head = decisions === null ? body : { ...objectSchema.parse(body), decisions: [] };
  const text = JSON.stringify(head);
  const revision = (before?.revision ?? 0) + 1;
  const row = { revision, body: text, decisions: null };
  if (before === undefined)
    await db
      .insertInto('plans')
      .values({ name, ...row })
      .execute();
  const pages = await savePages(db, name, decisions ?? [], before === undefined);
  const count = decisions === null ? null : pages.decisions;
  const same =
    before !== undefined &&
    !pages.changed &&
    before.decisions === count &&
    JSON.stringify(before.body) === text;
  if (same) return before.revision;
  await db
    .updateTable('plans')
    .set({ ...row, decisions: count })
    .where('name', '=', name)
    .execute();
  return revision;
}

/** The decisions of a body that has them in it. */
function listIn(body: unknown): unknown[] | null {
  const found = objectSchema.safeParse(body).data?.decisions;
  return Array.isArray(found) ? found : null;
}

/** Writes what differs from the pages that are there, and removes those beyond. */
async function savePages(
  db: Kysely<Database>,
  plan: string,
  decisions: Iterable<unknown>,
  isNew: boolean,
): Promise<{ changed: boolean; decisions: number }> {
  let changed = false;
  let page = 0;
  let count = 0;
  for (const list of inPages(decisions)) {
    const text = JSON.stringify(list);
    if (isNew || (await pageText(db, plan, page)) !== text) {
      changed = true;
      await db
        .insertInto('plan_pages')
        .values({ plan, page, decisions: text })
        .onConflict((conflict) =>
          conflict.columns(['plan', 'page']).doUpdateSet({ decisions: text }),
        )
        .execute();
    }
    page++;
    count += list.length;
  }
  const { numDeletedRows } = await db
    .deleteFrom('plan_pages')
    .where('plan', '=', plan)
    .where('page', '>=', page)
    .executeTakeFirst();
  return { changed: changed || numDeletedRows > 0n, decisions: count };
}

function* inPages(decisions: Iterable<unknown>): Generator<unknown[]> {
  let page: unknown[] = [];
  for (const decision of decisions) {
    page.push(decision);
    if (page.length < pageRows) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

function headOf(db: Kysely<Database>, name: string) {
  return db
    .selectFrom('plans')
    .select(['revision', 'body', 'decisions'])
    .where('name', '=', name)
    .executeTakeFirst();
}

async function pageText(
  db: Kysely<Database>,
  plan: string,
  page: number,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('plan_pages')
    .select('decisions')
    .where('plan', '=', plan)
    .where('page', '=', page)
    .executeTakeFirst();
  return row?.decisions;
}

/** The pages in order, each the text of a list that is not empty. */
async function* pageTexts(db: Kysely<Database>, plan: string): AsyncGenerator<string> {
  for (let page = 0; ; page++) {
    const text = await pageText(db, plan, page);
    if (text === undefined) return;
    yield text;
  }
}

async function* pagesOf(db: Kysely<Database>, plan: string): AsyncGenerator<unknown[]> {
  for await (const text of pageTexts(db, plan)) yield z.array(z.unknown()).parse(JSON.parse(text));
}

async function* textOf(db: Kysely<Database>, name: string): AsyncGenerator<string> {
  const head = await headOf(db, name);
  if (head === undefined) return;
  if (head.decisions === null) {
    yield JSON.stringify(head.body);
    return;
  }
  const { decisions: _, ...rest } = objectSchema.parse(head.body);
  const begun = JSON.stringify(rest).slice(0, -1);
  yield `${begun}${begun === '{' ? '' : ','}"decisions":[`;
  let first = true;
  for await (const text of pageTexts(db, name)) {
    yield `${first ? '' : ','}${text.slice(1, -1)}`;
    first = false;
  }
  yield ']}';
}
