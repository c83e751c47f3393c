/** Has anything changed? And what one annotator has done. Cheap enough to be asked twice a second. */
import { type Kysely, sql } from 'kysely';
import type { Database } from '../schema.ts';
import type { OwnWork, Watch, WatchedTopics } from '../users.ts';

export function watchIn(db: Kysely<Database>): Watch {
  return {
    async topics(account, now) {
      const { rows } = await sql<WatchedTopics>`
        select
          (
            select concat_ws(' ', count(*), sum(revision)) from tasks where account = ${account}
          ) || ' ' || (
            select count(*) from leases where account = ${account} and expires_at > ${now}
          ) || ' ' || (
            select concat_ws(' ', max(ordinal), count(*) filter (where undone))
            from annotations where account = ${account}
          ) as queue,
          (select concat_ws(' ', max(ordinal), count(withdrawn_at)) from labels) as labels,
          (
            select concat_ws(' ', count(*), md5(string_agg(concat_ws(' ', name, status, md5(summary::text)), ' ' order by name)))
            from runs
          ) || ' ' || (
            select coalesce(max(ordinal), -1) from transitions
          ) || ' ' || (
            select concat_ws(' ', count(*), sum(revision)) from plans
          ) as runs,
          (
            select concat_ws(' ', count(*), md5(string_agg(concat_ws(' ', id, name, role, disabled), ' ' order by id)))
            from users
          ) as users
      `.execute(db);
      return rows[0] ?? { queue: '', labels: '', runs: '', users: '' };
    },

    async own(account, annotator, since) {
      const { rows } = await sql<OwnWork>`
        select
          (count(*) filter (where at >= ${since}))::int4 as today,
          percentile_cont(0.5) within group (order by seconds) as "medianSeconds"
        from annotations
        where account = ${account} and annotator = ${annotator}
          and not undone and not adjudicates and kind <> 'skip'
      `.execute(db);
      return rows[0] ?? { today: 0, medianSeconds: null };
    },
  };
}
