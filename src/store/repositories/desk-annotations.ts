/** What annotators said about prompts. Rows are only ever added, or marked as undone. */
import { type Kysely, type Selectable, sql } from 'kysely';
import { storable } from '../batches.ts';
import type { AnnotationRecord, Desk } from '../desk.ts';
import type { AnnotationRow, Database } from '../schema.ts';
import { nextOrdinal } from './desk-lock.ts';

type AnnotationPart = Pick<
  Desk,
  'annotate' | 'markUndone' | 'latest' | 'recent' | 'standing' | 'annotations'
>;

export function annotationsIn(db: Kysely<Database>): AnnotationPart {
  const newestOf = (account: string, annotator: string) =>
    db
      .selectFrom('annotations')
      .selectAll()
      .where('account', '=', account)
      .where('annotator', '=', annotator)
      .where(sql<boolean>`not undone`)
      .orderBy('ordinal', 'desc');

  return {
    async annotate({ promptId, answer, note, ...rest }) {
      const ordinal = await nextOrdinal(db, 'annotations');
      const texts = {
        answer: answer === null ? null : storable(answer),
        note: storable(note),
      };
      await db
        .insertInto('annotations')
        .values({ ordinal, prompt_id: promptId, ...texts, ...rest })
        .execute();
      return ordinal;
    },

    async markUndone(ordinal) {
      await db
        .updateTable('annotations')
        .set({ undone: true })
        .where('ordinal', '=', ordinal)
        .execute();
    },

    async latest(account, annotator) {
      const row = await newestOf(account, annotator).limit(1).executeTakeFirst();
      return row && annotationOf(row);
    },

    async recent(account, annotator, limit) {
      const rows = await newestOf(account, annotator)
        .where(sql<boolean>`not adjudicates`)
        .limit(limit)
        .execute();
      return rows.map(({ gold, checks }) =>
        gold ? 'gold' : checks === null ? 'question' : 'check',
      );
    },

    async standing(account, promptIds) {
      let query = db
        .selectFrom('annotations')
        .selectAll()
        .where('account', '=', account)
        .where(sql<boolean>`not undone`);
      if (promptIds !== undefined) {
        query = query.where(sql<boolean>`prompt_id = any(${promptIds}::text[])`);
      }
      return (await query.orderBy('ordinal').execute()).map(annotationOf);
    },

    async annotations(account) {
      const rows = await db
        .selectFrom('annotations')
        .selectAll()
        .where('account', '=', account)
        .orderBy('ordinal')
        .execute();
      return rows.map(annotationOf);
    },
  };
}

function annotationOf({
  prompt_id: promptId,
  ...row
}: Selectable<AnnotationRow>): AnnotationRecord {
  return { ...row, promptId };
}
