/** Traces: per-token attention summaries of rollouts, as float32 bytes. */
import { type Insertable, type Kysely, type Selectable, sql } from 'kysely';
import { z } from 'zod';
import { type RawTrace, type SignalName, signalNames } from '../../trace/types.ts';
import { atomically, batches, bytesOf, float32Of, lastPerKey } from '../batches.ts';
import type { Database, TraceRow } from '../schema.ts';
import type { StoredTrace, Traces } from '../types.ts';

const headsSchema = z.array(z.object({ layer: z.int(), head: z.int() }));

export function tracesIn(db: Kysely<Database>): Traces {
  return {
    put: (round, traces) =>
      atomically(db, async (tx) => {
        const rows = lastPerKey(traces, (t) => JSON.stringify([t.promptId, t.sample]));
        for (const batch of batches(rows, 13, sizeOf)) {
          await upsert(
            tx,
            batch.map((trace) => rowOf(round, trace)),
          );
        }
      }),

    async of(round, promptIds) {
      const rows = await db
        .selectFrom('traces')
        .innerJoin('prompts', 'prompts.id', 'traces.prompt_id')
        .selectAll('traces')
        .where('round', '=', round)
        .where(sql<boolean>`prompt_id = any(${promptIds}::text[])`)
        .orderBy('position')
        .orderBy('sample')
        .execute();
      return rows.map(traceOf);
    },

    async changes(round) {
      const rows = await db
        .selectFrom('traces')
        .innerJoin('prompts', 'prompts.id', 'traces.prompt_id')
        .select(['prompt_id', 'sample', 'changes'])
        .where('round', '=', round)
        .where('changes', 'is not', null)
        .orderBy('position')
        .orderBy('sample')
        .$narrowType<{ changes: Uint8Array }>()
        .execute();
      return rows.map((row) => ({
        promptId: row.prompt_id,
        sample: row.sample,
        changes: float32Of(row.changes),
      }));
    },

    async counts(round) {
      const rows = await db
        .selectFrom('traces')
        .select(['prompt_id', sql<number>`count(*)::int4`.as('count')])
        .where('round', '=', round)
        .groupBy('prompt_id')
        .execute();
      return new Map(rows.map((row) => [row.prompt_id, row.count]));
    },

    async samples(round, promptIds) {
      const rows = await db
        .selectFrom('traces')
        .select(['prompt_id', 'sample'])
        .where('round', '=', round)
        .where(sql<boolean>`prompt_id = any(${promptIds}::text[])`)
        .execute();
      const found = new Map<string, Set<number>>();
      for (const { prompt_id: id, sample } of rows)
        found.set(id, (found.get(id) ?? new Set()).add(sample));
      return found;
    },
  };
}

async function upsert(db: Kysely<Database>, rows: Insertable<TraceRow>[]): Promise<void> {
  await db
    .insertInto('traces')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['round', 'prompt_id', 'sample']).doUpdateSet((eb) => ({
        tokens: eb.ref('excluded.tokens'),
        heads: eb.ref('excluded.heads'),
        far_mass: eb.ref('excluded.far_mass'),
        distance: eb.ref('excluded.distance'),
        entropy: eb.ref('excluded.entropy'),
        change: eb.ref('excluded.change'),
        received: eb.ref('excluded.received'),
        agreement: eb.ref('excluded.agreement'),
        layer_far_mass: eb.ref('excluded.layer_far_mass'),
        changes: eb.ref('excluded.changes'),
      })),
    )
    .execute();
}

function sizeOf({ trace, changes }: StoredTrace): number {
  let numbers = (changes?.length ?? 0) + (trace.layerFarMass?.length ?? 0);
  for (const name of signalNames) numbers += trace.signals[name]?.length ?? 0;
  return 8 * numbers;
}

function rowOf(round: number, { promptId, sample, trace, changes }: StoredTrace) {
  const signal = (name: SignalName) => packed(trace.signals[name]);
  return {
    prompt_id: promptId,
    round,
    sample,
    tokens: trace.tokens,
    heads: JSON.stringify(trace.heads),
    far_mass: signal('far_mass'),
    distance: signal('distance'),
    entropy: signal('entropy'),
    change: signal('change'),
    received: signal('received'),
    agreement: signal('agreement'),
    layer_far_mass: packed(trace.layerFarMass),
    changes: packed(changes ?? undefined),
  };
}

function packed(numbers: Float32Array | undefined): Uint8Array | null {
  return numbers === undefined ? null : bytesOf(numbers);
}

export function traceOf(row: Selectable<TraceRow>): StoredTrace {
  const signals: RawTrace['signals'] = {};
  for (const name of signalNames) {
    const bytes = row[name];
    if (bytes !== null) signals[name] = float32Of(bytes);
  }
  const trace: RawTrace = { heads: headsSchema.parse(row.heads), tokens: row.tokens, signals };
  if (row.layer_far_mass !== null) trace.layerFarMass = float32Of(row.layer_far_mass);
  return {
    promptId: row.prompt_id,
    sample: row.sample,
    trace,
    changes: row.changes === null ? null : float32Of(row.changes),
  };
}
