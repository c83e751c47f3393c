/** Label Studio's JSON as its server exports it. */
import { expect, test } from 'vitest';
import { labelStudio } from './label-studio.ts';
import { entriesOf, fileOf, fileWith } from './testing/files.ts';

const region = (text: unknown, more = {}) => ({
  ...{ id: 'x1', type: 'textarea', from_name: 'answer', to_name: 'question' },
  ...{ value: { text }, ...more },
});
const annotation = (result: unknown[], more = {}) => ({
  ...{ id: 5, task: 9, was_cancelled: false, ground_truth: false, lead_time: 7.1, result },
  ...{ created_at: '2026-01-02T03:04:05Z', completed_by: 1, ...more },
});
const task = (annotations: unknown[], more = {}) => ({
  ...{ id: 9, data: { question: 'q', pt_id: 'p1' }, annotations, drafts: [], predictions: [] },
  ...{ meta: {}, project: 2, total_annotations: annotations.length, ...more },
});

async function read(...tasks: unknown[]) {
  return (await entriesOf(fileWith(JSON.stringify(tasks)))).map(({ entry }) => entry);
}
const answer = (text: string, by: object | null) => ({
  ...{
    kind: 'answer',
    promptId: 'p1',
    answer: text,
    by,
    cost: null,
    at: Date.UTC(2026, 0, 2, 3, 4, 5),
  },
});

test('annotations come with whoever made them, by number, address or object', async () => {
  const people = [1, 'm@x.org', { id: 4, email: 'j@x.org', first_name: 'J' }, { id: 6 }, null];
  const given = people.map((by, i) => annotation([region([`${i}`])], { completed_by: by }));
  expect(await read(task(given))).toEqual([
    answer('0', { text: '1', isName: false }),
    answer('1', { text: 'm@x.org', isName: true }),
    answer('2', { text: 'j@x.org', isName: true }),
    answer('3', { text: '6', isName: false }),
    answer('4', null),
  ]);
});

test('skipped tasks, drafts and predictions make no labels', async () => {
  const guess = { model_version: 'x', score: 1, result: [region(['999'])] };
  const draft = { id: 1, result: [region(['888'])] };
  const entries = await read(
    task([annotation([region(['777'])], { was_cancelled: true })], { predictions: [guess] }),
    task([], { predictions: [guess], drafts: [draft] }),
    task([annotation([], { prediction: guess })]),
    task([annotation([region([' '])])]),
  );
  expect(entries).toEqual([
    { kind: 'skipped' },
    { kind: 'blank' },
    { kind: 'blank' },
    { kind: 'blank' },
  ]);
});

test('other regions of a project are left aside; text may be bare; ids may be numbers', async () => {
  const flag = {
    type: 'choices',
    from_name: 'flag',
    to_name: 'question',
    value: { choices: ['a'] },
  };
  const data = { question: 'q', pt_id: 7 };
  const [entry] = await read(task([annotation([flag, region(' 5 ')])], { data }));
  expect(entry).toEqual({ ...answer('5', { text: '1', isName: false }), promptId: '7' });
});

test('a label that went out and was changed there belongs to whoever changed it', async () => {
  const [item] = labelStudio.labelItems([
    {
      ...{ id: 'p1', prompt: 'q', source: 's', answer: '5', annotator: 'mara', cost: 0.25 },
      ...{ run: null, step: null, at: null },
    },
  ]);
  const same = JSON.parse(JSON.stringify({ ...item, id: 3 }));
  same.annotations[0].completed_by = 1;
  const by = { text: 'mara', isName: true };
  expect(await read(same)).toEqual([{ ...answer('5', by), cost: 0.25, at: null }]);
  same.annotations[0].result[0].value.text = ['6'];
  expect(await read(same)).toEqual([{ ...answer('6', { text: '1', isName: false }), at: null }]);
});

test('a file laid out over many lines is read task by task, and a bad one is named', async () => {
  const good = task([annotation([region(['5'])])]);
  const wrong = [
    [task([annotation([region(['5', '6'])])]), /:\d+ \(task 2\): .*2 different texts/],
    [task([annotation([region(['5'], { from_name: 'reply' })])]), /task 2\): .*named 'reply'/],
    [task([annotation([region([5])])]), /task 2\): .*no text area/],
    [{ data: { question: 'q' }, annotations: [] }, /task 2\): .*no "pt_id"/],
    [{ annotations: [] }, /task 2\): .*data/],
    ['x', /item 2\): .*no JSON object/],
  ] as const;
  for (const [bad, message] of wrong) {
    const path = fileWith(JSON.stringify([good, bad], undefined, 2));
    await expect(entriesOf(path)).rejects.toThrow(message);
  }
  const path = fileOf(labelStudio, [good, good]);
  expect((await entriesOf(path)).map(({ place }) => place.item)).toEqual(['task 1', 'task 2']);
});
