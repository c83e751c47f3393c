/** The transitions that carried plans out, and where every prompt stands. */
import { type Insertable, type Kysely, type RawBuilder, type Selectable, sql } from 'kysely';
import { z } from 'zod';
import type { Evidence, PromptState, Transition } from '../../triage/types.ts';
import { atomically, batches } from '../batches.ts';
import { textList, wholeList } from '../lists.ts';
import type { Database, TransitionRow } from '../schema.ts';
import type { Transitions } from '../types.ts';
import { nextOrdinal } from './desk-lock.ts';

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

/** Transitions read and written in one statement; lists travel as one text each. */
const batchRows = 5_000;

export function transitionsIn(db: Kysely<Database>): Transitions {
  return {
    append: (transitions) =>
      atomically(db, async (tx) => {
        // First, because it waits for other writers: what is read after it holds.
        const first = await nextOrdinal(tx, 'transitions');
        const logs = new Logs(tx, await revisionsOf(tx));
        let added = 0;
        for (const batch of batches(transitions, 30_000 / batchRows)) {
          const rows = await unknownOf(batch, logs, first + added);
          await insert(tx, rows);
          added += rows.length;
        }
        await settle(tx, first, added);
        return added;
      }),

    move: (transitions) =>
      atomically(db, async (tx) => {
        const first = await nextOrdinal(tx, 'transitions');
        const revisions = await revisionsOf(tx);
        let added = 0;
        for (const batch of batches(transitions, 30_000 / batchRows)) {
          const rows = await movesOf(tx, batch, revisions, first + added);
          await insert(tx, rows);
          // A later batch may move a prompt on from where this one left it.
          await settle(tx, first + added, rows.length);
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

    lines: (plan) => linesOf(db, plan),

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

async function revisionsOf(db: Kysely<Database>): Promise<Map<string, number>> {
  const rows = await db.selectFrom('plans').select(['name', 'revision']).execute();
  return new Map(rows.map((row) => [row.name, row.revision]));
}

type NewRow = Insertable<TransitionRow>;

/** The logs that transitions are appended to, by the name of their plan: what is in them already. */
class Logs {
  private readonly db: Kysely<Database>;
  private readonly revisions: ReadonlyMap<string, number>;
  /** Prompts whose transitions were asked for; null where the log was there before, and every prompt may have some. */
  private readonly begun = new Map<string, Set<string> | null>();

  constructor(db: Kysely<Database>, revisions: ReadonlyMap<string, number>) {
    this.db = db;
    this.revisions = revisions;
  }

  revisionOf({ plan }: Pick<Transition, 'plan'>): number {
    // A run that routes without a plan files its changes under a name of its own, revision 0.
    return this.revisions.get(plan) ?? 0;
  }

  /** Keys of what the prompts of `batch` have in this log, at least those that `batch` might repeat. */
  async keys(plan: string, batch: readonly Transition[]): Promise<string[]> {
    const begun = await this.begunOf(plan);
    // To look a million keys up that cannot be there would take as long as to write them.
    const asked = begun === null ? batch : batch.filter(({ promptId }) => begun.has(promptId));
    for (const { promptId } of batch) begun?.add(promptId);
    if (asked.length === 0) return [];
    return await knownKeys(this.db, plan, this.revisionOf({ plan }), asked);
  }

  private async begunOf(plan: string): Promise<Set<string> | null> {
    const known = this.begun.get(plan);
    if (known !== undefined) return known;
    const row = await this.db
      .selectFrom('transitions')
      .select('ordinal')
      .where('plan', '=', plan)
      .where('revision', '=', this.revisionOf({ plan }))
      .limit(1)
      .executeTakeFirst();
    const begun = row === undefined ? new Set<string>() : null;
    this.begun.set(plan, begun);
    return begun;
  }
}

/** The rows of `batch` that were not there, with ordinals from `first`. */
async function unknownOf(
  batch: readonly Transition[],
  logs: Logs,
  first: number,
): Promise<NewRow[]> {
  const known = new Set<string>();
  for (const plan of new Set(batch.map((one) => one.plan))) {
    const own = batch.filter((one) => one.plan === plan);
    for (const key of await logs.keys(plan, own)) known.add(key);
  }
  const rows: NewRow[] = [];
  for (const transition of batch) {
    const row = rowOf(first + rows.length, logs.revisionOf(transition), transition);
    const key = keyOf(row);
    if (known.has(key)) continue;
    known.add(key);
    rows.push(row);
  }
  return rows;
}

/** Rows for those of `batch` whose prompt stands where the change begins, however often it was recorded before. */
async function movesOf(
  db: Kysely<Database>,
  batch: readonly Transition[],
  revisions: ReadonlyMap<string, number>,
  first: number,
): Promise<NewRow[]> {
  const ids = batch.map(({ promptId }) => promptId);
  const rows: NewRow[] = [];
  for (const plan of new Set(batch.map((one) => one.plan))) {
    const revision = revisions.get(plan) ?? 0;
    const routes = await db
      .selectFrom('routes')
      .select(['prompt_id', 'state'])
      .where('plan', '=', plan)
      .where(sql<boolean>`prompt_id = any(${ids}::text[])`)
      .execute();
    const states = new Map(routes.map(({ prompt_id: id, state }) => [id, state]));
    const before = new Map<string, number>();
    for (const key of await knownKeys(db, plan, revision, batch)) {
      before.set(key, (before.get(key) ?? 0) + 1);
    }
    for (const one of batch) {
      if (one.plan !== plan || (states.get(one.promptId) ?? 'new') !== one.from) continue;
      states.set(one.promptId, one.to);
      const row = rowOf(first + rows.length, revision, one);
      const again = before.get(keyOf(row)) ?? 0;
      before.set(keyOf(row), again + 1);
      rows.push({ ...row, again });
    }
  }
  return rows;
}

async function knownKeys(
  db: Kysely<Database>,
  plan: string,
  revision: number,
  batch: readonly Transition[],
): Promise<string[]> {
  const rows = await db
    .selectFrom('transitions')
    .select(['plan', 'revision', 'prompt_id', 'round', 'step', 'to_state'])
    .where('plan', '=', plan)
    .where('revision', '=', revision)
    .where(sql<boolean>`prompt_id = any(${batch.map((one) => one.promptId)}::text[])`)
    .execute();
  return rows.map(keyOf);
}

type Keyed = Pick<NewRow, 'plan' | 'revision' | 'prompt_id' | 'round' | 'step' | 'to_state'>;

function keyOf(row: Keyed): string {
  return JSON.stringify([row.plan, row.revision, row.prompt_id, row.round, row.step, row.to_state]);
}

/** None of the rows is there: to have the database make sure takes it a third longer. */
async function insert(db: Kysely<Database>, rows: readonly NewRow[]): Promise<void> {
  if (rows.length === 0) return;
  const list = (values: string[]) => sharedOr(values, 'text', textList);
  const text = (name: 'plan' | 'to_state' | 'rule') => list(rows.map((row) => row[name]));
  const whole = (name: 'revision' | 'round' | 'step' | 'again') =>
    sharedOr(
      rows.map((row) => row[name] ?? 0),
      'int4',
      wholeList,
    );
  await sql`
    with given as (
      select ${wholeList(rows.map((row) => row.ordinal))} as ordinal,
        ${textList(rows.map((row) => row.prompt_id))} as prompt_id,
        ${textList(rows.map((row) => row.evidence))} as evidence,
        ${text('plan')} as plan, ${whole('revision')} as revision, ${whole('round')} as round, ${whole('step')} as step,
        ${list(rows.map((row) => row.from_state ?? ''))} as from_state, ${text('to_state')} as to_state,
        ${text('rule')} as rule, ${whole('again')} as again
    )
    insert into transitions
      (ordinal, plan, revision, prompt_id, round, step, from_state, to_state, rule, evidence, again)
    select ordinal, plan, revision, prompt_id, round, step, nullif(from_state, ''), to_state, rule,
      evidence::json, again
    -- Neighbours in the index are written together: their pages are read and written back once.
    from given order by prompt_id
  `.execute(db);
}

/** A column: the one value that all rows share, or the list of them, which takes the database a second per million. */
function sharedOr<T extends string | number>(
  values: readonly T[],
  type: 'text' | 'int4',
  list: (values: readonly T[]) => RawBuilder<T>,
): RawBuilder<T> {
  const [first] = values;
  return values.every((value) => value === first)
    ? sql<T>`${first}::${sql.raw(type)}`
    : list(values);
}

/**
 * Once for all `added` rows from the ordinal `first` on: are their prompts there, and then every prompt stands where its
 * last change left it. A foreign key looks every row up by itself, which takes longer than writing it, and routes that are
 * moved batch by batch take twice as long.
 */
async function settle(db: Kysely<Database>, first: number, added: number): Promise<void> {
  if (added === 0) return;
  // Until the end of the transaction: else a million ids are put into files and read back.
  await sql`select set_config('work_mem', '64MB', true)`.execute(db);
  // Else the planner takes the table for as small as it was before, and looks a million prompts up one by one.
  if (added > batchRows) await sql`analyze transitions`.execute(db);
  const { rows } = await sql<{ prompt_id: string }>`
    select prompt_id from transitions t
    where ordinal >= ${first} and not exists (select from prompts p where p.id = t.prompt_id) limit 1
  `.execute(db);
  if (rows.length > 0) throw new Error('a change of state of a prompt that is not in the pool');
  const last = sql`
    select distinct on (plan, prompt_id) plan, prompt_id, to_state from transitions
    where ordinal >= ${first} order by plan, prompt_id, ordinal desc
  `;
  await sql`
    update routes set state = to_state from (${last}) l
    where routes.plan = l.plan and routes.prompt_id = l.prompt_id
  `.execute(db);
  await sql`
    insert into routes (plan, prompt_id, state)
    select * from (${last}) l
    where not exists (select from routes r where r.plan = l.plan and r.prompt_id = l.prompt_id)
  `.execute(db);
}

function rowOf(ordinal: number, revision: number, t: Transition): NewRow {
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

/**
 * As `transitionToLine` writes them. The database puts the lines together: to read a million rows into objects and write
 * them out again takes ten times as long.
 */
async function* linesOf(db: Kysely<Database>, plan: string): AsyncGenerator<string[]> {
  for (let after = -1; ; ) {
    const { rows } = await sql<{ last: number | null; lines: string | null }>`
      select max(ordinal) as last, string_agg(
        '{"prompt_id":' || to_json(prompt_id)::text ||
        ',"from":' || coalesce(to_json(from_state)::text, 'null') ||
        ',"to":' || to_json(to_state)::text || ',"rule":' || to_json(rule)::text ||
        ',"evidence":' || evidence::text || ',"plan":' || to_json(plan)::text ||
        ',"round":' || round || ',"step":' || case when step = -1 then 'null' else step::text end || '}',
        E'\\n' order by ordinal
      ) as lines
      from (
        select * from transitions where plan = ${plan} and ordinal > ${after} order by ordinal limit ${batchRows}
      ) page
    `.execute(db);
    const [page] = rows;
    if (page?.last == null || page.lines === null) return;
    // JSON has no line ends in it.
    yield page.lines.split('\n');
    after = page.last;
  }
}
