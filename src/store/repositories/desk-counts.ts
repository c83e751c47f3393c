/** Sums over the annotation queue. */
import { type Kysely, sql } from 'kysely';
import type { AnnotatorCounts, CheckCounts, Desk, DeskCounts } from '../desk.ts';
import type { Database } from '../schema.ts';

export function countsIn(
  db: Kysely<Database>,
): Pick<Desk, 'spoken' | 'counts' | 'figures' | 'checks'> {
  return {
    async spoken(account, now) {
      const { rows } = await sql<{ count: number }>`
        select count(*)::int4 as count from (
          select prompt_id from labels where account = ${account} and withdrawn_at is null
          union
          select prompt_id from tasks
          where account = ${account} and state in ('open', 'adjudicate') and answers > 0
            and checks is null
          union
          select l.prompt_id from leases l join tasks t using (account, prompt_id)
          where l.account = ${account} and l.expires_at > ${now} and not t.gold
            and t.checks is null
        ) spoken
      `.execute(db);
      return rows[0]?.count ?? 0;
    },

    async counts(account, now) {
      const { rows } = await sql<DeskCounts>`
        select
          (count(*) filter (where state = 'open'))::int4 as open,
          (count(*) filter (where state = 'adjudicate'))::int4 as adjudicate,
          (count(*) filter (where state = 'done'))::int4 as done,
          (
            select count(distinct l.prompt_id)::int4
            from leases l join tasks t using (account, prompt_id)
            where l.account = ${account} and l.expires_at > ${now} and not t.gold
          ) as leased,
          (
            select count(*)::int4 from (
              select distinct prompt_id from labels
              where account = ${account} and withdrawn_at is null
            ) labelled
          ) as labels
        from tasks where account = ${account} and not gold
      `.execute(db);
      return rows[0] ?? { open: 0, leased: 0, adjudicate: 0, done: 0, labels: 0 };
    },

    async figures(account) {
      const { rows } = await sql<AnnotatorCounts>`
        select annotator,
          (count(*) filter (where kind <> 'skip'))::int4 as answers,
          (count(*) filter (where kind = 'skip'))::int4 as skips,
          (count(*) filter (where revealed))::int4 as revealed,
          percentile_cont(0.5) within group (order by seconds)
            filter (where kind <> 'skip') as "medianSeconds",
          (count(*) filter (where gold and correct is not null))::int4 as "goldAnswered",
          (count(*) filter (where gold and correct))::int4 as "goldRight"
        from annotations
        where account = ${account} and not undone and not adjudicates
        group by annotator order by annotator
      `.execute(db);
      return rows;
    },

    async checks(account) {
      const { rows } = await sql<CheckCounts>`
        select source,
          count(*)::int4 as checked,
          (count(*) filter (where not correct))::int4 as differing,
          (count(*) filter (where not correct and ruled))::int4 as ruled,
          (count(*) filter (where not correct and ruled and not stands))::int4 as wrong
        from (
          select a.checks as source, a.correct,
            exists (
              select 1 from annotations r
              where r.account = a.account and r.prompt_id = a.prompt_id
                and r.adjudicates and not r.undone
            ) as ruled,
            exists (
              select 1 from labels l
              where l.account = a.account and l.prompt_id = a.prompt_id
                and l.source = a.checks and l.withdrawn_at is null
            ) as stands
          from annotations a
          where a.account = ${account} and a.checks is not null and a.correct is not null
            and not a.undone and not a.adjudicates and not a.revealed
        ) checked
        group by source order by source collate "C"
      `.execute(db);
      return rows;
    },
  };
}
