/** Scores of the estimators and the pass rates of the probes. */
import { type Kysely, sql } from 'kysely';
import { atomically, batches, lastPerKey } from '../batches.ts';
import { numberList, textList } from '../lists.ts';
import type { Database } from '../schema.ts';
import type { Probes, Scores } from '../types.ts';
import { scoreTable } from './score-table.ts';

export function scoresIn(db: Kysely<Database>): Scores {
  return {
    put: (round, estimator, scores) =>
      atomically(db, async (tx) => {
        for (const batch of batches(scores, 6)) {
          const rows = lastPerKey(batch, (s) => s.promptId);
          await sql`
            insert into scores (prompt_id, round, estimator, value)
            select ${textList(rows.map(({ promptId }) => promptId))}, ${round}::int4, ${estimator}::text,
              ${numberList(rows.map(({ value }) => value))}
            on conflict (round, estimator, prompt_id) do update set value = excluded.value
            where scores.value <> excluded.value
          `.execute(tx);
        }
      }),

    async of(round, estimator) {
      const rows = await db
        .selectFrom('scores')
        .innerJoin('prompts', 'prompts.id', 'scores.prompt_id')
        .select(['prompt_id', 'value'])
        .where('round', '=', round)
        .where('estimator', '=', estimator)
        .orderBy('position')
        .execute();
      return rows.map((row) => ({ promptId: row.prompt_id, value: row.value }));
    },

    estimators: (round) => estimators(db, round),

    async among(round, promptIds) {
      const rows = await db
        .selectFrom('scores')
        .select(['estimator', 'prompt_id', 'value'])
        .where('round', '=', round)
        .where(sql<boolean>`prompt_id = any(${promptIds}::text[])`)
        .where(sql<boolean>`estimator = any(${await estimators(db, round)}::text[])`)
        .execute();
      const found = new Map<string, Map<string, number>>();
      for (const { estimator, prompt_id: promptId, value } of rows) {
        const column = found.get(estimator) ?? new Map<string, number>();
        found.set(estimator, column.set(promptId, value));
      }
      return found;
    },

    table: (round) => scoreTable(db, round),
  };
}

/** By steps through the index: to read every row would take a second per million. */
async function estimators(db: Kysely<Database>, round: number): Promise<string[]> {
  const { rows } = await sql<{ estimator: string }>`
    with recursive step as (
      select min(estimator) as estimator from scores where round = ${round}
      union all
      select (select min(estimator) from scores where round = ${round} and estimator > step.estimator)
      from step where step.estimator is not null
    )
    select estimator from step where estimator is not null order by estimator collate "C"
  `.execute(db);
  return rows.map((row) => row.estimator);
}

export function probesIn(db: Kysely<Database>): Probes {
  return {
    put: (plan, round, probes) =>
      atomically(db, async (tx) => {
        for (const batch of batches(
          lastPerKey(probes, (p) => p.promptId),
          5,
        )) {
          const rows = batch.map(({ promptId, passRate, voteRight }) => ({
            plan,
            prompt_id: promptId,
            round,
            pass_rate: passRate,
            vote_right: voteRight,
          }));
          await tx
            .insertInto('probes')
            .values(rows)
            .onConflict((conflict) =>
              conflict.columns(['plan', 'prompt_id']).doUpdateSet((eb) => ({
                round: eb.ref('excluded.round'),
                pass_rate: eb.ref('excluded.pass_rate'),
                vote_right: eb.ref('excluded.vote_right'),
              })),
            )
            .execute();
        }
      }),

    async of(plan) {
      const rows = await db
        .selectFrom('probes')
        .innerJoin('prompts', 'prompts.id', 'probes.prompt_id')
        .select(['prompt_id', 'round', 'pass_rate', 'vote_right'])
        .where('plan', '=', plan)
        .orderBy('position')
        .execute();
      return rows.map((row) => ({
        promptId: row.prompt_id,
        round: row.round,
        passRate: row.pass_rate,
        voteRight: row.vote_right,
      }));
    },
  };
}
