/** Scores of the estimators and the pass rates of the probes. */
import { type Kysely, sql } from 'kysely';
import { atomically, batches, lastPerKey } from '../batches.ts';
import type { Database } from '../schema.ts';
import type { Probes, Scores } from '../types.ts';

export function scoresIn(db: Kysely<Database>): Scores {
  return {
    put: (round, estimator, scores) =>
      atomically(db, async (tx) => {
        for (const batch of batches(
          lastPerKey(scores, (s) => s.promptId),
          4,
        )) {
          const rows = batch.map(({ promptId, value }) => ({
            prompt_id: promptId,
            round,
            estimator,
            value,
          }));
          await tx
            .insertInto('scores')
            .values(rows)
            .onConflict((conflict) =>
              conflict
                .columns(['round', 'estimator', 'prompt_id'])
                .doUpdateSet((eb) => ({ value: eb.ref('excluded.value') })),
            )
            .execute();
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

    async estimators(round) {
      const rows = await db
        .selectFrom('scores')
        .select('estimator')
        .where('round', '=', round)
        .groupBy('estimator')
        .orderBy(sql`estimator collate "C"`)
        .execute();
      return rows.map((row) => row.estimator);
    },
  };
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
