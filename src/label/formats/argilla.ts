/**
 * Argilla 2's records: fields, responses of its users, suggestions of models, metadata. Reads what its Python package
 * writes (`records.to_json`, `records.to_list(flatten=True)`) and what its server sends; writes what `records.from_json`
 * takes. Checked against that package by test/label/foreign.ts.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { argillaSettings } from './argilla-settings.ts';
import type { Entry, Format, GivenBy, Item, OutgoingLabel, OutgoingTask } from './types.ts';
import {
  answerOf,
  BadItem,
  blank,
  byPrompt,
  faultsOf,
  idOf,
  nameOf,
  questionText,
  timeOf,
  timeText,
  withoutNulls,
} from './values.ts';

const ANSWER = 'answer';
const QUESTION = 'question';

/** Most records that its server takes at a time. */
const MOST_RECORDS = 500;

/** Under which an annotator's name makes a UUID, since Argilla knows its users by UUIDs alone. */
const NAMESPACE = Buffer.from('6ac1a21e6f4d4b0c9d5c5b1f0f3f7a52', 'hex');

const statusSchema = z.enum(['submitted', 'discarded', 'draft']).nullish();
/** A user's response to the question. */
interface Response {
  value: unknown;
  user: string | null;
  /** null: the file does not say. */
  status: z.infer<typeof statusSchema>;
}

const user = z.string().nullish();
const byQuestion = z.record(
  z.string(),
  z.array(z.object({ value: z.unknown().optional(), user_id: user, status: statusSchema })),
);
const byUser = z.array(
  z.object({
    user_id: user,
    status: statusSchema,
    values: z.record(z.string(), z.object({ value: z.unknown().optional() })).nullish(),
  }),
);
const recordSchema = z.object({
  id: z.unknown().optional(),
  external_id: z.unknown().optional(),
  status: z.string().nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  responses: z.union([byUser, byQuestion]).nullish(),
  // The flat form has columns instead.
  'answer.responses': z.array(z.unknown()).nullish(),
  'answer.responses.users': z.array(user).nullish(),
  'answer.responses.status': z.array(statusSchema).nullish(),
  pt_labels: z.unknown().optional(),
});
type ArgillaRecord = z.infer<typeof recordSchema>;
/** Ours, with labels that were exported: who is behind the UUIDs, and what the labels cost. */
const labelsSchema = z.array(
  z.object({
    ...{ user_id: z.string(), annotator: z.string(), answer: z.string() },
    ...{ cost: z.number().min(0), at: z.string().optional() },
  }),
);

export const argilla: Format = {
  name: 'argilla',
  title: 'Argilla records',
  container: 'array',
  noun: 'record',
  mostItems: MOST_RECORDS,
  takesVotes: true,
  companion: {
    name: 'settings.json',
    text: `${JSON.stringify(argillaSettings, undefined, 2)}\n`,
    use: 'holds the settings of its dataset',
  },
  *taskItems(tasks, withVotes) {
    for (const task of tasks) {
      const { id, prompt, source, utility, reason, run, step, vote } = task;
      yield {
        id,
        fields: { [QUESTION]: questionText(prompt) },
        metadata: withoutNulls({ source, utility, reason, run, step }),
        responses: {},
        suggestions: withVotes && vote !== null ? suggestion(vote) : {},
      };
    }
  },
  *labelItems(labels) {
    for (const group of byPrompt(labels)) {
      const [{ id, prompt, source }] = group;
      const given = group.map(labelLine);
      yield {
        id,
        fields: { [QUESTION]: questionText(prompt) },
        metadata: { source, pt_labels: JSON.stringify(given) },
        responses: {
          [ANSWER]: given.map(({ answer: value, user_id }) => ({
            value,
            user_id,
            status: 'submitted',
          })),
        },
        suggestions: {},
      };
    }
  },
  fits: (item) => '_server_id' in item || 'answer.responses' in item || isObject(item.fields),
  *entries(item) {
    const parsed = recordSchema.safeParse(item);
    if (!parsed.success) throw new BadItem(faultsOf(parsed.error));
    const record = parsed.data;
    const promptId = idOf(record.external_id ?? record.id, 'id');
    const responses = responsesOf(record);
    if (responses.length === 0) yield blank;
    const known = knownLabels(record);
    const isComplete = record.status === 'completed' && responses.length === 1;
    for (const response of responses) yield entryOf(promptId, response, known, isComplete);
  },
};

function suggestion({ answer, votes, samples }: NonNullable<OutgoingTask['vote']>): Item {
  return { [ANSWER]: { value: answer, score: votes / samples, agent: 'policy', type: 'model' } };
}

function labelLine({ answer, annotator, cost, run, step, at }: OutgoingLabel) {
  const more = withoutNulls({ run, step, at: timeText(at) });
  return { user_id: uuidOf(annotator), annotator, answer, cost, ...more };
}

/** Version 5 of RFC 9562: the same name is always the same user. */
function uuidOf(name: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x50;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function responsesOf(record: ArgillaRecord): Response[] {
  const flat = record['answer.responses'];
  if (flat !== undefined && flat !== null) {
    const users = record['answer.responses.users'] ?? [];
    const statuses = record['answer.responses.status'] ?? [];
    return flat.map((value, i) => ({ value, user: users[i] ?? null, status: statuses[i] }));
  }
  const { responses } = record;
  if (responses === undefined || responses === null) return [];
  if (Array.isArray(responses)) {
    for (const { values } of responses) requireOurs(Object.keys(values ?? {}));
    return responses.map(({ user_id, status, values }) => ({
      ...{ user: user_id ?? null, status },
      value: values?.[ANSWER]?.value,
    }));
  }
  requireOurs(Object.keys(responses));
  return (responses[ANSWER] ?? []).map(({ value, user_id, status }) => ({
    ...{ value, status },
    user: user_id ?? null,
  }));
}

function requireOurs(questions: readonly string[]): void {
  if (questions.length === 0 || questions.includes(ANSWER)) return;
  throw new BadItem(`responses to '${questions[0]}' where settings.json asks for '${ANSWER}'`);
}

function knownLabels({ metadata, pt_labels }: ArgillaRecord): z.infer<typeof labelsSchema> {
  const text = metadata?.pt_labels ?? pt_labels;
  if (typeof text !== 'string') return [];
  try {
    return labelsSchema.parse(JSON.parse(text));
  } catch {
    throw new BadItem('metadata "pt_labels" that was changed');
  }
}

function entryOf(
  promptId: string,
  { value, user: userId, status }: Response,
  known: z.infer<typeof labelsSchema>,
  isComplete: boolean,
): Entry {
  if (status === 'discarded') return { kind: 'skipped' };
  if (status === 'draft') return { kind: 'draft' };
  const answer = answerOf(value);
  if (answer === null) return blank;
  if ((status === undefined || status === null) && !isComplete) return { kind: 'unclear' };
  const theirs = known.find((label) => label.user_id === userId);
  const same = theirs !== undefined && theirs.answer.trim() === answer ? theirs : undefined;
  const [cost, at] = [same?.cost ?? null, timeOf(same?.at)];
  return { kind: 'answer', promptId, answer, by: annotatorOf(userId, theirs?.annotator), cost, at };
}

function annotatorOf(userId: string | null, known: string | undefined): GivenBy | null {
  if (known !== undefined) return { text: nameOf(known, 'annotator') ?? '', isName: true };
  const text = nameOf(userId, 'user_id');
  return text === null ? null : { text, isName: false };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
