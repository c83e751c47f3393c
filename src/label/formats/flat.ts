/** Rows of plain columns, CSV and JSONL, and the flat lists that Label Studio calls JSON_MIN. Knows nothing of files. */
import type { Entry, Format, GivenBy, Item, OutgoingLabel, OutgoingTask } from './types.ts';
import {
  answerOf,
  BadItem,
  blank,
  costOf,
  idOf,
  nameOf,
  onlyAnswer,
  questionText,
  timeOf,
  timeText,
  withoutNulls,
} from './values.ts';

/** What Label Studio's lists have for an annotator that it does not know. */
const NOBODY = new Set(['{}', 'None']);

/** The columns of a worksheet; people fill in `answer`, and `annotator` where several work on one file. */
function* taskRows(tasks: Iterable<OutgoingTask>, withVotes: boolean): Generator<Item> {
  for (const { id, prompt, source, utility, reason, run, step, vote } of tasks) {
    const row = { id, question: questionText(prompt), answer: null, annotator: null };
    const why = { source, utility, reason, run, step };
    yield { ...row, ...why, ...(withVotes ? voteColumns(vote) : {}) };
  }
}

function voteColumns(vote: OutgoingTask['vote']): Item {
  const { answer = null, votes = null, samples = null } = vote ?? {};
  return { policy_answer: answer, policy_votes: votes, policy_samples: samples };
}

function* labelRows(labels: Iterable<OutgoingLabel>): Generator<Item> {
  for (const { id, prompt, answer, annotator, source, cost, run, step, at } of labels) {
    const row = { id, question: questionText(prompt), answer, annotator };
    yield { ...row, source, cost, run, step, at: timeText(at) };
  }
}

/** Messages whole beside the text made of them. */
function* withMessages<T extends OutgoingTask | OutgoingLabel>(
  rows: readonly T[],
  items: Iterable<Item>,
): Generator<Item> {
  let index = 0;
  for (const item of items) {
    const { prompt } = rows[index++];
    yield typeof prompt === 'string' ? item : { ...item, messages: prompt };
  }
}

/** Label Studio's own columns tell its flat rows from ours. */
function isFromLabelStudio(row: Item): boolean {
  return 'pt_id' in row || 'annotation_id' in row;
}

function* rowEntries(row: Item): Generator<Entry> {
  const theirs = isFromLabelStudio(row);
  const promptId = 'pt_id' in row ? idOf(row.pt_id, 'pt_id') : idOf(row.id, 'id');
  if (!('answer' in row) && !theirs) throw new BadItem('no "answer"');
  const answer = theirs ? onlyAnswer(textsOf(row.answer)) : answerOf(row.answer);
  if (answer === null) {
    yield blank;
    return;
  }
  const cost = costOf(row.cost ?? row.pt_cost);
  const at = timeOf(theirs ? row.created_at : row.at);
  yield { kind: 'answer', promptId, answer, by: annotatorOf(row), cost, at };
}

/** `source` names the annotator where labels are listed with their costs, as the server's downloads do. */
function annotatorOf(row: Item): GivenBy | null {
  const isExported = 'annotation_id' in row;
  const value = row.annotator ?? ('cost' in row && !('annotator' in row) ? row.source : undefined);
  const text = nameOf(value, 'annotator');
  if (text === null || (isExported && NOBODY.has(text))) return null;
  const isNumber = typeof value === 'number' || (isExported && /^\d+$/.test(text));
  return { text, isName: !isNumber };
}

/** JSON_MIN writes one text as it is, several as a list or as `{"text": [...]}`. */
function textsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (typeof value === 'object' && value !== null && 'text' in value) return textsOf(value.text);
  return [value];
}

export const csv: Format = {
  name: 'csv',
  title: 'CSV',
  container: 'csv',
  noun: 'row',
  mostItems: null,
  takesVotes: true,
  companion: null,
  taskItems: taskRows,
  labelItems: labelRows,
  fits: () => false,
  entries: rowEntries,
};

export const jsonl: Format = {
  ...csv,
  name: 'jsonl',
  title: 'JSONL',
  container: 'lines',
  *taskItems(tasks, withVotes) {
    const rows = [...tasks];
    yield* withMessages(rows, taskRows(rows, withVotes));
  },
  *labelItems(labels) {
    const rows = [...labels];
    yield* withMessages(rows, labelRows(rows));
  },
  fits: () => true,
};

export const labelStudioMin: Format = {
  name: 'label-studio-min',
  title: 'Label Studio JSON_MIN',
  container: 'array',
  noun: 'row',
  mostItems: null,
  takesVotes: false,
  companion: null,
  *taskItems(tasks) {
    for (const { id, prompt, source, utility, reason, run, step } of tasks) {
      const row = { question: questionText(prompt), pt_id: id, pt_source: source };
      const why = { pt_utility: utility, pt_reason: reason, pt_run: run, pt_step: step };
      yield withoutNulls({ ...row, ...why });
    }
  },
  *labelItems(labels) {
    for (const { id, prompt, answer, annotator, source, cost, run, step, at } of labels) {
      const row = {
        question: questionText(prompt),
        pt_id: id,
        pt_source: source,
        answer,
        annotator,
      };
      const more = { pt_cost: cost, pt_run: run, pt_step: step, created_at: timeText(at) };
      yield withoutNulls({ ...row, ...more });
    }
  },
  fits: (item) => isFromLabelStudio(item) && !('data' in item),
  entries: rowEntries,
};
