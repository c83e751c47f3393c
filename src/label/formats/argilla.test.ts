/** Argilla's records as its package and its server write them. */
import { expect, test } from 'vitest';
import { argilla } from './argilla.ts';
import { entriesOf, fileWith } from './testing/files.ts';

const [mara, john] = [
  '6f0b9a52-2d0c-4f43-8c0e-0c6c1a3e7b11',
  '0d9b7b1e-8a53-49a6-9a9e-5f1b0a6f7c22',
];
const record = (more: object) => ({
  ...{ id: 'p1', fields: { question: 'q' }, metadata: {}, vectors: {}, status: 'pending' },
  ...{ suggestions: { answer: { value: '999', score: 1, agent: 'policy' } }, ...more },
});
async function read(content: unknown) {
  return (await entriesOf(fileWith(JSON.stringify(content)))).map(({ entry }) => entry);
}
const answer = (text: string, user: string) => ({
  ...{ kind: 'answer', promptId: 'p1', answer: text, cost: null, at: null },
  by: { text: user, isName: false },
});
const all = [
  { value: '5', user_id: mara, status: 'submitted' },
  { value: '6', user_id: john, status: 'discarded' },
  { value: '7', user_id: john, status: 'draft' },
  { value: null, user_id: john, status: 'submitted' },
];
const expected = [answer('5', mara), { kind: 'skipped' }, { kind: 'draft' }, { kind: 'blank' }];

test('only what was submitted is taken, from every shape; suggestions never', async () => {
  expect(await read([record({ responses: { answer: all } })])).toEqual(expected);
  const flat = {
    ...{ id: 'p1', question: 'q', status: 'pending', _server_id: null },
    'answer.responses': all.map(({ value }) => value),
    'answer.responses.users': all.map(({ user_id }) => user_id),
    'answer.responses.status': all.map(({ status }) => status),
    ...{ 'answer.suggestion': '999', 'answer.suggestion.score': 1 },
  };
  expect(await read([flat])).toEqual(expected);
  expect(
    await read([{ id: 'p1', question: 'q', 'answer.suggestion': '9', _server_id: null }]),
  ).toEqual([{ kind: 'blank' }]);
  const served = all.map(({ value, user_id, status }) => ({
    ...{ id: user_id, user_id, status },
    values: value === null ? null : { answer: { value } },
  }));
  const { id: external_id, ...rest } = record({ responses: served, suggestions: [] });
  const page = { items: [{ ...rest, id: john, external_id }], total: 1 };
  expect(await read(page)).toEqual(expected);
});

test('without a status a response is taken only where no other can be the submitted one', async () => {
  const bare = (user_id: string) => ({ value: '5', user_id });
  const status = 'completed';
  expect(await read([record({ status, responses: { answer: [bare(mara)] } })])).toEqual([
    answer('5', mara),
  ]);
  expect(await read([record({ responses: { answer: [bare(mara)] } })])).toEqual([
    { kind: 'unclear' },
  ]);
  const two = [bare(mara), bare(john)];
  expect(await read([record({ status, responses: { answer: two } })])).toEqual([
    { kind: 'unclear' },
    { kind: 'unclear' },
  ]);
});

test('users of labels that went out are UUIDs, the same for a name every time', () => {
  const label = {
    ...{ prompt: 'q', source: 's', answer: '5', annotator: 'mara', cost: 1 },
    ...{ run: null, step: null, at: null },
  };
  const items = [...argilla.labelItems(['p1', 'p2'].map((id) => ({ ...label, id })))];
  const users = items.map((item) => JSON.stringify(item).match(/"user_id":"([0-9a-f-]+)"/)?.[1]);
  expect(users[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(users[1]).toBe(users[0]);
});

test('a record that is none is named', async () => {
  const wrong = [
    [record({ responses: { label: all } }), /record 1\): .*responses to 'label'/],
    [
      record({ responses: { answer: [{ value: '5', user_id: mara, status: 'done' }] } }),
      /record 1/,
    ],
    [record({ responses: { answer: [{ ...all[0], value: ['a'] }] } }), /record 1\): .*no text/],
    [record({ metadata: { pt_labels: 'x' } }), /record 1\): .*"pt_labels" that was changed/],
    [{ ...record({}), id: null }, /record 1\): .*an empty id/],
  ] as const;
  for (const [bad, message] of wrong) await expect(read([bad])).rejects.toThrow(message);
});
