/** Traced responses by page, and single traces: what a viewer reads. */
import { type Kysely, type Selectable, sql } from 'kysely';
import { float32Of } from '../batches.ts';
import type { Browse, TracedPage, TracedQuery, TracedRow } from '../browse-types.ts';
import type { Database, RolloutRow } from '../schema.ts';
import { traceOf } from './traces.ts';

type BrowseTraces = Pick<
  Browse,
  'tracedRounds' | 'traced' | 'tracedSamples' | 'trace' | 'scoresOf' | 'sampledRounds'
>;

export function browseTraces(db: Kysely<Database>): BrowseTraces {
  return {
    async tracedRounds() {
      return await db
        .selectFrom('traces')
        .select([
          'round',
          sql<number>`count(*)::int4`.as('traces'),
          sql<number>`sum(tokens)::float8`.as('tokens'),
        ])
        .groupBy('round')
        .orderBy('round')
        .execute();
    },

    traced: (query) => tracedPage(db, query),

    async tracedSamples(round, promptId) {
      const rows = await db
        .selectFrom('traces')
        .select('sample')
        .where('round', '=', round)
        .where('prompt_id', '=', promptId)
        .orderBy('sample')
        .execute();
      return rows.map((row) => row.sample);
    },

    async trace(round, promptId, sample) {
      const row = await db
        .selectFrom('traces')
        .selectAll()
        .where('round', '=', round)
        .where('prompt_id', '=', promptId)
        .where('sample', '=', sample)
        .executeTakeFirst();
      return row === undefined ? undefined : traceOf(row);
    },

    scoresOf: (round, promptId) =>
      db
        .selectFrom('scores')
        .select(['estimator', 'value'])
        .where('round', '=', round)
        .where('prompt_id', '=', promptId)
        .orderBy('estimator')
        .execute(),

    sampledRounds: () =>
      db
        .selectFrom('rollouts')
        .select([
          'round',
          sql<number>`count(distinct prompt_id)::int4`.as('prompts'),
          sql<number>`count(*)::int4`.as('rollouts'),
          sql<number>`sum(length)::float8`.as('tokens'),
        ])
        .groupBy('round')
        .orderBy('round')
        .execute(),
  };
}

interface Found {
  scanned: number;
  last_position: number;
  last_sample: number;
  /** null in the one row that tells of a part without a match. */
  position: number | null;
  sample: number;
  prompt_id: string;
  source: string;
  length: number;
  finish: Selectable<RolloutRow>['finish'];
  answer: string | null;
  state: string | null;
  beginning: string;
  changes: Uint8Array | null;
}

/**
 * Texts are looked through in the part that `scan` bounds: they are long, and reading all of them would hold up everybody
 * else who uses the database.
 */
async function tracedPage(db: Kysely<Database>, query: TracedQuery): Promise<TracedPage> {
  const { round, plan, promptId, finish, route, text, after, limit, scan } = query;
  const matched =
    text === null
      ? sql`true`
      : sql`(strpos(lower(p.id), lower(${text})) > 0
          or strpos(lower(r.text), lower(${text})) > 0
          or strpos(lower(p.content::text), lower(${insideJson(text)})) > 0)`;
  const conditions = [
    sql`t.round = ${round}`,
    after === null ? null : sql`(p.position, t.sample) > (${after.position}, ${after.sample})`,
    promptId === null ? null : sql`t.prompt_id = ${promptId}`,
    finish === null ? null : sql`r.finish = ${finish}`,
    route === null ? null : sql`w.state = ${route}`,
  ].filter((condition) => condition !== null);
  const { rows } = await sql<Found>`
    with part as (
      select p.position, t.sample, p.id as prompt_id, p.source, r.length, r.finish, r.answer, w.state,
        r.text, t.changes, ${matched} as matched
      from traces t
      join rollouts r on r.round = t.round and r.prompt_id = t.prompt_id and r.sample = t.sample
      join prompts p on p.id = t.prompt_id
      left join routes w on w.plan = ${plan} and w.prompt_id = t.prompt_id
      where ${sql.join(conditions, sql` and `)}
      order by p.position, t.sample limit ${Math.max(limit, text === null ? limit : scan)}
    ), hits as (
      select position, sample, prompt_id, source, length, finish, answer, state, left(text, 240) as beginning, changes
      from part where matched order by position, sample limit ${limit}
    ), last as (
      select position as last_position, sample as last_sample, (select count(*)::int4 from part) as scanned
      from part order by position desc, sample desc limit 1
    )
    select last.*, hits.* from last left join hits on true order by hits.position, hits.sample
  `.execute(db);
  const hits = rows.flatMap(rowOf);
  const [first] = rows;
  if (first === undefined) return { rows: [], next: null };
  const last = hits.at(-1);
  if (last !== undefined && hits.length === limit) {
    return { rows: hits, next: { position: last.position, sample: last.sample } };
  }
  const whole = Math.max(limit, text === null ? limit : scan);
  const next =
    first.scanned < whole ? null : { position: first.last_position, sample: first.last_sample };
  return { rows: hits, next };
}

/** How a text stands inside a JSON text. */
function insideJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function rowOf(row: Found): TracedRow[] {
  const { position, sample, source, length, finish, answer, state: route, beginning } = row;
  if (position === null) return [];
  const changes = row.changes === null ? null : float32Of(row.changes);
  const promptId = row.prompt_id;
  return [
    { position, sample, promptId, source, length, finish, answer, route, beginning, changes },
  ];
}
