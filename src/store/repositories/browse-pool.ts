/** The pool, its plans and its labels as sums and pages: what a dashboard reads. */
import { type Kysely, type Selectable, sql } from 'kysely';
import type {
  Browse,
  LabelEntry,
  PromptOrigin,
  ScoreHistogram,
  TransitionEntry,
} from '../browse-types.ts';
import type { Database, TransitionRow } from '../schema.ts';
import { evidenceSchema, transitionOf } from './transitions.ts';

type BrowsePool = Omit<
  Browse,
  'tracedRounds' | 'traced' | 'tracedSamples' | 'trace' | 'scoresOf' | 'sampledRounds'
>;

export function browsePool(db: Kysely<Database>): BrowsePool {
  return {
    async planRevision(name) {
      const row = await db
        .selectFrom('plans')
        .select('revision')
        .where('name', '=', name)
        .executeTakeFirst();
      return row?.revision ?? null;
    },

    planWithoutDecisions: (name) =>
      db
        .selectFrom('plans')
        .select(['revision', 'body'])
        .where('name', '=', name)
        .executeTakeFirst(),

    origins: () => origins(db),

    sources: () =>
      db
        .selectFrom('prompts')
        .select(['source', sql<number>`count(*)::int4`.as('prompts')])
        .groupBy('source')
        .orderBy(sql`min(position)`)
        .execute(),

    async stateOf(plan, promptId) {
      const row = await db
        .selectFrom('routes')
        .select('state')
        .where('plan', '=', plan)
        .where('prompt_id', '=', promptId)
        .executeTakeFirst();
      return row?.state ?? null;
    },

    states: (plan) =>
      db
        .selectFrom('routes')
        .select(['state', sql<number>`count(*)::int4`.as('prompts')])
        .where('plan', '=', plan)
        .groupBy('state')
        .orderBy('state')
        .execute(),

    histogram: (...args) => histogram(db, ...args),

    async probes(plan, round, estimator, limit) {
      const rows = await db
        .selectFrom('probes')
        .innerJoin('scores', 'scores.prompt_id', 'probes.prompt_id')
        .leftJoin('routes', (join) =>
          join
            .onRef('routes.prompt_id', '=', 'probes.prompt_id')
            .onRef('routes.plan', '=', 'probes.plan'),
        )
        .select(['probes.prompt_id', 'pass_rate', 'vote_right', 'value', 'state'])
        .where('probes.plan', '=', plan)
        .where('scores.round', '=', round)
        .where('scores.estimator', '=', estimator)
        .orderBy('value')
        .orderBy('probes.prompt_id')
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        promptId: row.prompt_id,
        score: row.value,
        passRate: row.pass_rate,
        voteRight: row.vote_right,
        state: row.state,
      }));
    },

    moved: (...args) => moved(db, ...args),

    async transitions({ plan, promptId, rule, from, order, limit }) {
      const newest = order === 'newest';
      let query = db
        .selectFrom('transitions')
        .selectAll()
        .orderBy('ordinal', newest ? 'desc' : 'asc')
        .limit(limit);
      if (plan !== null) query = query.where('plan', '=', plan);
      if (promptId !== null) query = query.where('prompt_id', '=', promptId);
      if (rule !== null) query = query.where('rule', '=', rule);
      if (from !== null) query = query.where('ordinal', newest ? '<' : '>', from);
      return (await query.execute()).map(entryOf);
    },

    async rules(plan) {
      let query = db
        .selectFrom('transitions')
        .select(['rule', sql<number>`count(*)::int4`.as('moves')])
        .groupBy('rule')
        .orderBy('rule');
      if (plan !== null) query = query.where('plan', '=', plan);
      return await query.execute();
    },

    async transitionPlans() {
      const rows = await db
        .selectFrom('transitions')
        .select('plan')
        .distinct()
        .orderBy('plan')
        .execute();
      return rows.map((row) => row.plan);
    },

    async labelUse(account) {
      return await db
        .selectFrom('labels')
        .select([
          'bought_run as run',
          'bought_step as step',
          'source',
          sql<number>`count(*)::int4`.as('labels'),
          sql<number>`sum(cost)::float8`.as('cost'),
        ])
        .where('account', '=', account)
        .where('withdrawn_at', 'is', null)
        .groupBy(['bought_run', 'bought_step', 'source'])
        .orderBy('bought_run', (order) => order.nullsFirst())
        .orderBy('bought_step', (order) => order.nullsFirst())
        .orderBy('source')
        .execute();
    },

    async answersByTime(account, since, width) {
      const { rows } = await sql<{ at: number; answers: number }>`
        select floor(at / ${width}::float8) * ${width}::float8 as at, count(*)::int4 as answers
        from annotations where account = ${account} and at >= ${since} and not undone and kind <> 'skip'
        group by 1 order by 1`.execute(db);
      return rows;
    },

    async labels(account, after, limit) {
      const rows = await db
        .selectFrom('labels')
        .selectAll()
        .where('account', '=', account)
        .where('withdrawn_at', 'is', null)
        .where('ordinal', '>', after)
        .orderBy('ordinal')
        .limit(limit)
        .execute();
      return rows.map(
        (row): LabelEntry => ({
          ordinal: row.ordinal,
          promptId: row.prompt_id,
          answer: row.answer,
          source: row.source,
          cost: row.cost,
          run: row.bought_run,
          step: row.bought_step,
        }),
      );
    },
  };
}

const originRows = 5_000;

async function* origins(db: Kysely<Database>): AsyncGenerator<PromptOrigin[]> {
  for (let after = -1; ; ) {
    const rows = await db
      .selectFrom('prompts')
      .select(['id', 'source', 'metadata', 'position'])
      .where('position', '>', after)
      .orderBy('position')
      .limit(originRows)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = last.position;
  }
}

interface BinRow {
  low: number;
  high: number;
  bin: number;
  state: string;
  prompts: number;
}

/**
 * Bins end at the 99.5th percentile: scores have long tails, and one far prompt would squeeze all others into one bin.
 * The ends are materialized, or they would be found anew for every row.
 */
async function histogram(
  db: Kysely<Database>,
  plan: string,
  round: number,
  estimator: string,
  bins: number,
): Promise<ScoreHistogram | null> {
  const { rows } = await sql<BinRow>`
    with pool as (
      select s.value, coalesce(w.state, 'new') as state
      from scores s left join routes w on w.plan = ${plan} and w.prompt_id = s.prompt_id
      where s.round = ${round} and s.estimator = ${estimator}
    ), ends as materialized (
      select min(value) as low, percentile_disc(0.995) within group (order by value) as high from pool
    )
    select low, high, state, count(*)::int4 as prompts,
      (case when high > low then least(width_bucket(value, low, high, ${bins}::int4), ${bins}::int4) else 1 end) - 1 as bin
    from pool, ends group by low, high, state, bin order by bin, state
  `.execute(db);
  const [first] = rows;
  if (first === undefined) return null;
  return {
    low: first.low,
    high: first.high,
    bins: rows.map(({ bin, state, prompts }) => ({ bin, state, prompts })),
  };
}

interface MovedRow {
  prompt_id: string;
  step: number;
  evidence: unknown;
  value: number;
  state: string | null;
}

async function moved(
  db: Kysely<Database>,
  plan: string,
  round: number,
  estimator: string,
  limit: number,
) {
  const { rows } = await sql<MovedRow>`
    select latest.*, s.value, w.state from (
      select distinct on (prompt_id) prompt_id, step, evidence, ordinal from transitions
      where plan = ${plan} and step >= 0 order by prompt_id, ordinal desc
    ) latest
    join scores s on s.prompt_id = latest.prompt_id and s.round = ${round} and s.estimator = ${estimator}
    left join routes w on w.plan = ${plan} and w.prompt_id = latest.prompt_id
    order by latest.ordinal desc limit ${limit}
  `.execute(db);
  return rows.map((row) => ({
    promptId: row.prompt_id,
    score: row.value,
    step: row.step,
    evidence: evidenceSchema.parse(row.evidence),
    state: row.state,
  }));
}

function entryOf(row: Selectable<TransitionRow>): TransitionEntry {
  return { ordinal: row.ordinal, revision: row.revision, ...transitionOf(row) };
}
