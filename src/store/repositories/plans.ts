/** Triage plans as JSON, the transitions that carried them out, and where every prompt stands. */
import { type Insertable, type Kysely, type Selectable, sql } from 'kysely';
import { z } from 'zod';
import type { Evidence, PromptState, Transition } from '../../triage/types.ts';
import { atomically, batches, lastPerKey } from '../batches.ts';
import type { Database, TransitionRow } from '../schema.ts';
import type { Plans, Transitions } from '../types.ts';
import { lockName, nextOrdinal } from './desk-lock.ts';

const stateSchema: z.ZodType<PromptState> = z.enum([
  'new',
  'discard',
  'self',
  'annotate',
  'annotated',
]);
export const evidenceSchema: z.ZodType<Evidence> = z.record(
  z.string(),
  z.union([z.number(), z.string(), z.boolean()]),
);

export function plansIn(db: Kysely<Database>): Plans {
  return {
    save: (name, body) =>
      atomically(db, async (tx) => {
        // Two writers on a server must not give two bodies one revision.
        await lockName(tx, `plan ${name}`);
        const text = JSON.stringify(body);
        const before = await savedPlan(tx, name);
        if (before !== undefined && JSON.stringify(before.body) === text) return before.revision;
        const revision = (before?.revision ?? 0) + 1;
        await tx
          .insertInto('plans')
          .values({ name, revision, body: text })
          .onConflict((conflict) => conflict.column('name').doUpdateSet({ revision, body: text }))
          .execute();
        return revision;
      }),

    get: (name) => savedPlan(db, name),

    async names() {
      const rows = await db
        .selectFrom('plans')
        .select('name')
        .orderBy(sql`name collate "C"`)
        .execute();
      return rows.map((row) => row.name);
    },
  };
}

export function transitionsIn(db: Kysely<Database>): Transitions {
  return {
    append: (transitions) =>
      atomically(db, async (tx) => {
        // First, because it waits for other writers: what is read after it holds.
        const first = await nextOrdinal(tx, 'transitions');
        const revisions = await revisionsOf(tx);
        let added = 0;
        for (const batch of batches(transitions, 10)) {
          const rows = await insertNew(tx, batch, revisions, first + added);
          await moveRoutes(tx, rows);
          added += rows.length;
        }
        return added;
      }),

    async of(plan) {
      const rows = await db
        .selectFrom('transitions')
        .selectAll()
        .where('plan', '=', plan)
        .orderBy('ordinal')
        .execute();
      return rows.map(transitionOf);
    },

    async routes(plan) {
      const rows = await db
        .selectFrom('routes')
        .innerJoin('prompts', 'prompts.id', 'routes.prompt_id')
        .select(['prompt_id', 'state'])
        .where('plan', '=', plan)
        .orderBy('position')
        .execute();
      return new Map(rows.map((row) => [row.prompt_id, stateSchema.parse(row.state)]));
    },
  };
}

function savedPlan(db: Kysely<Database>, name: string) {
  return db
    .selectFrom('plans')
    .select(['revision', 'body'])
    .where('name', '=', name)
    .executeTakeFirst();
}

async function revisionsOf(db: Kysely<Database>): Promise<Map<string, number>> {
  const rows = await db.selectFrom('plans').select(['name', 'revision']).execute();
  return new Map(rows.map((row) => [row.name, row.revision]));
}

/** Inserts the rows of `batch` that were not there, with ordinals from `first`. */
async function insertNew(
  db: Kysely<Database>,
  batch: readonly Transition[],
  revisions: ReadonlyMap<string, number>,
  first: number,
): Promise<Insertable<TransitionRow>[]> {
  const known = await knownKeys(db, batch);
  const rows: Insertable<TransitionRow>[] = [];
  for (const transition of batch) {
    // A run that routes without a plan files its changes under a name of its own, revision 0.
    const revision = revisions.get(transition.plan) ?? 0;
    const row = rowOf(first + rows.length, revision, transition);
    const key = keyOf(row);
    if (known.has(key)) continue;
    known.add(key);
    rows.push(row);
  }
  if (rows.length > 0) await db.insertInto('transitions').values(rows).execute();
  return rows;
}

async function knownKeys(db: Kysely<Database>, batch: readonly Transition[]): Promise<Set<string>> {
  const rows = await db
    .selectFrom('transitions')
    .select(['plan', 'revision', 'prompt_id', 'round', 'step', 'to_state'])
    .where(sql<boolean>`plan = any(${[...new Set(batch.map((t) => t.plan))]}::text[])`)
    .where(sql<boolean>`prompt_id = any(${batch.map((t) => t.promptId)}::text[])`)
    .execute();
  return new Set(rows.map(keyOf));
}

type Keyed = Pick<
  Insertable<TransitionRow>,
  'plan' | 'revision' | 'prompt_id' | 'round' | 'step' | 'to_state'
>;

function keyOf(row: Keyed): string {
  return JSON.stringify([row.plan, row.revision, row.prompt_id, row.round, row.step, row.to_state]);
}

async function moveRoutes(
  db: Kysely<Database>,
  rows: readonly Insertable<TransitionRow>[],
): Promise<void> {
  const moves = lastPerKey(rows, (row) => JSON.stringify([row.plan, row.prompt_id]));
  if (moves.length === 0) return;
  await db
    .insertInto('routes')
    .values(moves.map((row) => ({ plan: row.plan, prompt_id: row.prompt_id, state: row.to_state })))
    .onConflict((conflict) =>
      conflict
        .columns(['plan', 'prompt_id'])
        .doUpdateSet((eb) => ({ state: eb.ref('excluded.state') })),
    )
    .execute();
}

function rowOf(ordinal: number, revision: number, t: Transition): Insertable<TransitionRow> {
  return {
    ordinal,
    plan: t.plan,
    revision,
    prompt_id: t.promptId,
    round: t.round,
    step: t.step ?? -1,
    from_state: t.from,
    to_state: t.to,
    rule: t.rule,
    evidence: JSON.stringify(t.evidence),
  };
}

export function transitionOf(row: Selectable<TransitionRow>): Transition {
  return {
    promptId: row.prompt_id,
    from: row.from_state === null ? null : stateSchema.parse(row.from_state),
    to: stateSchema.parse(row.to_state),
    rule: row.rule,
    evidence: evidenceSchema.parse(row.evidence),
    plan: row.plan,
    round: row.round,
    step: row.step === -1 ? null : row.step,
  };
}
