/** Rollouts: what the policy answered, per round, prompt and sample. */
import { type Insertable, type Kysely, type Selectable, sql } from 'kysely';
import type { LayerPath } from '../../uncertainty/types.ts';
import {
  atomically,
  batches,
  bytesOf,
  float32Of,
  int32Of,
  lastPerKey,
  storable,
} from '../batches.ts';
import type { Database, RolloutRow } from '../schema.ts';
import type { RolloutDigest, Rollouts, StoredRollout } from '../types.ts';

const digestColumns = [
  'prompt_id',
  'sample',
  'prompt_length',
  'length',
  'mean_logprob',
  'mean_entropy',
  'max_entropy',
  'mean_self_certainty',
  'answer',
  'answer_class',
  'finish',
  'layer_path',
] as const;

export function rolloutsIn(db: Kysely<Database>): Rollouts {
  return {
    put: (round, rollouts) =>
      atomically(db, async (tx) => {
        const rows = lastPerKey(rollouts, (r) => JSON.stringify([r.promptId, r.sample]));
        const sizeOf = (r: StoredRollout) => r.text.length + 2 * r.tokens.byteLength;
        for (const batch of batches(rows, 15, sizeOf)) {
          await upsert(
            tx,
            batch.map((rollout) => rowOf(round, rollout)),
          );
        }
      }),

    async counts(round) {
      const rows = await db
        .selectFrom('rollouts')
        .select(['prompt_id', sql<number>`count(*)::int4`.as('count')])
        .where('round', '=', round)
        .groupBy('prompt_id')
        .execute();
      return new Map(rows.map((row) => [row.prompt_id, row.count]));
    },

    async totals(round, samples) {
      const { rows } = await sql<{ responses: number; tokens: number }>`
        select count(*)::int4 as responses, coalesce(sum(length), 0)::float8 as tokens
        from rollouts where round = ${round} and sample < ${samples}
      `.execute(db);
      return rows[0] ?? { responses: 0, tokens: 0 };
    },

    async sampled(round) {
      const { rows } = await sql<{ count: number }>`
        select count(*)::int4 as count from (select distinct prompt_id from rollouts where round = ${round}) sampled
      `.execute(db);
      return rows[0]?.count ?? 0;
    },

    async digests(round) {
      const rows = await db
        .selectFrom('rollouts')
        .innerJoin('prompts', 'prompts.id', 'rollouts.prompt_id')
        .select(digestColumns)
        .where('round', '=', round)
        .orderBy('position')
        .orderBy('sample')
        .execute();
      return rows.map(digestOf);
    },

    async of(round, promptIds) {
      const rows = await db
        .selectFrom('rollouts')
        .innerJoin('prompts', 'prompts.id', 'rollouts.prompt_id')
        .select(digestColumns)
        .select(['text', 'tokens'])
        .where('round', '=', round)
        .where(sql<boolean>`prompt_id = any(${promptIds}::text[])`)
        .orderBy('position')
        .orderBy('sample')
        .execute();
      return rows.map((row) => ({
        ...digestOf(row),
        text: row.text,
        tokens: int32Of(row.tokens),
      }));
    },

    clear: (round) =>
      atomically(db, async (tx) => {
        await tx.deleteFrom('rollouts').where('round', '=', round).execute();
        await tx.deleteFrom('scores').where('round', '=', round).execute();
      }),
  };
}

async function upsert(db: Kysely<Database>, rows: Insertable<RolloutRow>[]): Promise<void> {
  await db
    .insertInto('rollouts')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['round', 'prompt_id', 'sample']).doUpdateSet((eb) => ({
        text: eb.ref('excluded.text'),
        tokens: eb.ref('excluded.tokens'),
        prompt_length: eb.ref('excluded.prompt_length'),
        length: eb.ref('excluded.length'),
        mean_logprob: eb.ref('excluded.mean_logprob'),
        mean_entropy: eb.ref('excluded.mean_entropy'),
        max_entropy: eb.ref('excluded.max_entropy'),
        mean_self_certainty: eb.ref('excluded.mean_self_certainty'),
        answer: eb.ref('excluded.answer'),
        answer_class: eb.ref('excluded.answer_class'),
        finish: eb.ref('excluded.finish'),
        layer_path: eb.ref('excluded.layer_path'),
      })),
    )
    .execute();
}

function rowOf(round: number, rollout: StoredRollout): Insertable<RolloutRow> {
  return {
    prompt_id: rollout.promptId,
    round,
    sample: rollout.sample,
    text: storable(rollout.text),
    tokens: bytesOf(rollout.tokens),
    prompt_length: rollout.promptLength,
    length: rollout.length,
    mean_logprob: rollout.meanLogprob,
    mean_entropy: rollout.meanEntropy,
    max_entropy: rollout.maxEntropy,
    mean_self_certainty: rollout.meanSelfCertainty,
    answer: rollout.answer === null ? null : storable(rollout.answer),
    answer_class: rollout.answerClass,
    finish: rollout.finish,
    layer_path: rollout.layerPath === undefined ? null : bytesOfPath(rollout.layerPath),
  };
}

/** Magnitudes, angles and turns after one another: L, L and L - 1 numbers. */
function bytesOfPath({ magnitudes, angles, turns }: LayerPath): Uint8Array {
  return bytesOf(Float32Array.from([...magnitudes, ...angles, ...turns]));
}

function pathOf(bytes: Uint8Array): LayerPath {
  const all = float32Of(bytes);
  const layers = (all.length + 1) / 3;
  return {
    magnitudes: all.slice(0, layers),
    angles: all.slice(layers, 2 * layers),
    turns: all.slice(2 * layers),
  };
}

function digestOf(
  row: Pick<Selectable<RolloutRow>, (typeof digestColumns)[number]>,
): RolloutDigest {
  return {
    promptId: row.prompt_id,
    sample: row.sample,
    promptLength: row.prompt_length,
    length: row.length,
    meanLogprob: row.mean_logprob,
    meanEntropy: row.mean_entropy,
    maxEntropy: row.max_entropy,
    meanSelfCertainty: row.mean_self_certainty,
    answer: row.answer,
    answerClass: row.answer_class,
    finish: row.finish,
    ...(row.layer_path === null ? {} : { layerPath: pathOf(row.layer_path) }),
  };
}
