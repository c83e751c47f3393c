/**
 * Tasks and leases of the annotation queue.
 *
 * Why nothing is handed out twice when many servers share a database. Every transaction that decides something (who
 * gets a question, whether a place or the budget has room, whether a task has its label) begins with `lock`, the same
 * advisory lock per account under which labels are added. PostgreSQL frees it only after the commit can be seen, and
 * under READ COMMITTED each later statement looks at the database anew. So such a transaction sees all that others of
 * the account have done, and nobody changes it while it lasts. Invariant after each commit, at the time of its caller:
 *   - answers that count plus leases in force of a task <= its overlap (for gold: leases alone; a check wants one);
 *   - an annotator has one lease, and one standing annotation per prompt;
 *   - prompts with a label, answered but undecided, or in hands <= budget, as long as labels come from the queue alone;
 *   - no task that wants answers has a label, but for those that check one.
 * A snapshot kept over the wait for the lock would break this, so other isolation levels are refused.
 */
import { type Kysely, type Selectable, sql } from 'kysely';
import { batches, storable } from '../batches.ts';
import type { Asked, Candidate, Desk, LeaseRecord, TaskRecord, Wanted } from '../desk.ts';
import type { Database, LeaseRow, TaskRow } from '../schema.ts';
import { annotationsIn } from './desk-annotations.ts';
import { countsIn } from './desk-counts.ts';
import { lockAccount } from './desk-lock.ts';

export function deskIn(db: Kysely<Database>): Desk {
  return {
    lock: (account) => lockAccount(db, account),
    ...tasksIn(db),
    ...leasesIn(db),
    ...annotationsIn(db),
    ...countsIn(db),
  };
}

type TaskPart = Pick<
  Desk,
  | 'task'
  | 'tasks'
  | 'putTasks'
  | 'raise'
  | 'withdraw'
  | 'change'
  | 'candidate'
  | 'openKinds'
  | 'disputed'
  | 'putGolds'
  | 'gold'
>;

/** The order of being handed out. */
const byUtility = sql.raw('t.utility desc, t.created_at, t.prompt_id collate "C"');

function tasksIn(db: Kysely<Database>): TaskPart {
  return {
    async task(account, promptId) {
      const row = await db
        .selectFrom('tasks')
        .selectAll()
        .where('account', '=', account)
        .where('prompt_id', '=', promptId)
        .executeTakeFirst();
      return row && taskOf(row);
    },

    async tasks(account, promptIds) {
      const some =
        promptIds === undefined ? sql`true` : sql`t.prompt_id = any(${promptIds}::text[])`;
      const { rows } = await sql<Selectable<TaskRow>>`
        select * from tasks t where t.account = ${account} and ${some} order by ${byUtility}
      `.execute(db);
      return rows.map(taskOf);
    },

    putTasks: (tasks) => putTasks(db, tasks),

    async raise(account, utilities) {
      for (const batch of batches(utilities, 2)) {
        await sql`
          update tasks t set utility = o.utility
          from unnest(
            ${batch.map((one) => one.promptId)}::text[], ${batch.map((one) => one.utility)}::float8[]
          ) as o (prompt_id, utility)
          where t.account = ${account} and t.prompt_id = o.prompt_id and t.utility < o.utility
        `.execute(db);
      }
    },

    async withdraw(account, promptIds) {
      const { numUpdatedRows } = await db
        .updateTable('tasks')
        .set({ state: 'withdrawn', revision: sql<number>`revision + 1` })
        .where('account', '=', account)
        .where('state', 'in', ['open', 'adjudicate'])
        .where(sql<boolean>`prompt_id = any(${promptIds}::text[])`)
        .executeTakeFirst();
      return Number(numUpdatedRows);
    },

    async change(account, promptId, { state, outcome, checks, answers, labelSource, decidedAt }) {
      await db
        .updateTable('tasks')
        .set({ state, outcome, checks, answers, label_source: labelSource, decided_at: decidedAt })
        .set({ revision: sql<number>`revision + 1` })
        .where('account', '=', account)
        .where('prompt_id', '=', promptId)
        .execute();
    },

    candidate: (wanted) => candidate(db, wanted),

    async openKinds(account) {
      const open = sql`from tasks t where t.account = ${account} and t.state = 'open'`;
      const { rows } = await sql<{ kind: Asked }>`
        (select 'question' as kind ${open} and not t.gold and t.checks is null limit 1)
        union all (select 'gold' ${open} and t.gold limit 1)
        union all (select 'check' ${open} and t.checks is not null limit 1)
      `.execute(db);
      return rows.map(({ kind }) => kind);
    },

    async disputed(account, limit) {
      const { rows } = await sql<Selectable<TaskRow>>`
        select * from tasks t where t.account = ${account} and t.state = 'adjudicate'
        order by ${byUtility} limit ${limit}
      `.execute(db);
      const { count } = await db
        .selectFrom('tasks')
        .select(sql<number>`count(*)::int4`.as('count'))
        .where('account', '=', account)
        .where(sql<boolean>`state = 'adjudicate'`)
        .executeTakeFirstOrThrow();
      return { tasks: rows.map(taskOf), total: count };
    },

    async putGolds(account, known) {
      const rows = known.map(({ promptId, answer }) => ({
        account,
        prompt_id: promptId,
        answer: storable(answer),
      }));
      for (const batch of batches(rows, 3, (row) => row.answer.length)) {
        await db
          .insertInto('golds')
          .values(batch)
          .onConflict((conflict) =>
            conflict
              .columns(['account', 'prompt_id'])
              .doUpdateSet((put) => ({ answer: put.ref('excluded.answer') })),
          )
          .execute();
      }
    },

    async gold(account, promptId) {
      const row = await db
        .selectFrom('golds')
        .select('answer')
        .where('account', '=', account)
        .where('prompt_id', '=', promptId)
        .executeTakeFirst();
      return row?.answer;
    },
  };
}

async function putTasks(db: Kysely<Database>, tasks: readonly TaskRecord[]): Promise<void> {
  for (const batch of batches(tasks.map(rowOf), 16)) {
    await db
      .insertInto('tasks')
      .values(batch)
      .onConflict((conflict) =>
        conflict.columns(['account', 'prompt_id']).doUpdateSet((put) => ({
          utility: put.ref('excluded.utility'),
          run: put.ref('excluded.run'),
          step: put.ref('excluded.step'),
          reason: put.ref('excluded.reason'),
          state: put.ref('excluded.state'),
          outcome: put.ref('excluded.outcome'),
          overlap: put.ref('excluded.overlap'),
          gold: put.ref('excluded.gold'),
          checks: put.ref('excluded.checks'),
          answers: put.ref('excluded.answers'),
          revision: sql<number>`tasks.revision + 1`,
          label_source: put.ref('excluded.label_source'),
          created_at: put.ref('excluded.created_at'),
          decided_at: put.ref('excluded.decided_at'),
        })),
      )
      .execute();
  }
}

const ofKind = {
  question: sql`not t.gold and t.checks is null`,
  gold: sql`t.gold`,
  // A label that was taken back meanwhile needs no check.
  check: sql`t.checks is not null and exists (
    select 1 from labels o
    where o.account = t.account and o.prompt_id = t.prompt_id and o.source = t.checks
      and o.withdrawn_at is null
  )`,
} as const;

/** Walks down the index until a question has a place and is new to the annotator. */
async function candidate(
  db: Kysely<Database>,
  { account, annotator, now, kind, started }: Wanted,
): Promise<Candidate | undefined> {
  // Written out, not as parameters: only then does the planner know that a partial index will do.
  const some = started
    ? sql`t.prompt_id in (
        select u.prompt_id from tasks u
        where u.account = ${account} and u.state in ('open', 'adjudicate') and u.answers > 0
        union
        select l.prompt_id from leases l where l.account = ${account} and l.expires_at > ${now}
      )`
    : sql`true`;
  const { rows } = await sql<Selectable<TaskRow> & { hands: number }>`
    select t.*, h.hands from tasks t cross join lateral (
      select count(*)::int4 as hands from leases l
      where l.account = t.account and l.prompt_id = t.prompt_id
        and l.annotator <> ${annotator} and l.expires_at > ${now}
    ) h
    where t.account = ${account} and t.state = 'open' and ${ofKind[kind]} and ${some}
      and t.answers + h.hands < t.overlap
      and not exists (
        select 1 from annotations a
        where a.account = t.account and a.prompt_id = t.prompt_id and a.annotator = ${annotator}
          and not a.undone and not a.adjudicates
      )
    order by ${byUtility} limit 1
  `.execute(db);
  const [row] = rows;
  return row && { ...taskOf(row), hands: row.hands };
}

type LeasePart = Pick<Desk, 'lease' | 'leases' | 'putLease' | 'dropLease' | 'hands'>;

function leasesIn(db: Kysely<Database>): LeasePart {
  return {
    async lease(account, annotator) {
      const row = await db
        .selectFrom('leases')
        .selectAll()
        .where('account', '=', account)
        .where('annotator', '=', annotator)
        .executeTakeFirst();
      return row && leaseOf(row);
    },

    async leases(account) {
      const rows = await db
        .selectFrom('leases')
        .selectAll()
        .where('account', '=', account)
        .orderBy('annotator')
        .execute();
      return rows.map(leaseOf);
    },

    async putLease({ account, annotator, promptId, takenAt, expiresAt }) {
      const question = { prompt_id: promptId, taken_at: takenAt, expires_at: expiresAt };
      await db
        .insertInto('leases')
        .values({ account, annotator, ...question })
        .onConflict((conflict) => conflict.columns(['account', 'annotator']).doUpdateSet(question))
        .execute();
    },

    async dropLease(account, annotator) {
      await db
        .deleteFrom('leases')
        .where('account', '=', account)
        .where('annotator', '=', annotator)
        .execute();
    },

    async hands(account, promptId, annotator, now) {
      const { count } = await db
        .selectFrom('leases')
        .select(sql<number>`count(*)::int4`.as('count'))
        .where('account', '=', account)
        .where('prompt_id', '=', promptId)
        .where('annotator', '<>', annotator)
        .where('expires_at', '>', now)
        .executeTakeFirstOrThrow();
      return count;
    },
  };
}

function taskOf(row: Selectable<TaskRow>): TaskRecord {
  return {
    account: row.account,
    promptId: row.prompt_id,
    utility: row.utility,
    run: row.run,
    step: row.step,
    reason: row.reason,
    state: row.state,
    outcome: row.outcome,
    overlap: row.overlap,
    gold: row.gold,
    checks: row.checks,
    answers: row.answers,
    revision: row.revision,
    labelSource: row.label_source,
    createdAt: row.created_at,
    decidedAt: row.decided_at,
  };
}

function rowOf(task: TaskRecord): TaskRow {
  return {
    account: task.account,
    prompt_id: task.promptId,
    utility: task.utility,
    run: task.run,
    step: task.step,
    reason: storable(task.reason),
    state: task.state,
    outcome: task.outcome,
    overlap: task.overlap,
    gold: task.gold,
    checks: task.checks,
    answers: task.answers,
    revision: task.revision,
    label_source: task.labelSource,
    created_at: task.createdAt,
    decided_at: task.decidedAt,
  };
}

function leaseOf(row: LeaseRow): LeaseRecord {
  return {
    account: row.account,
    promptId: row.prompt_id,
    annotator: row.annotator,
    takenAt: row.taken_at,
    expiresAt: row.expires_at,
  };
}
