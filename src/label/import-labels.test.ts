/** Labels of several people, from files of several formats: all of it, or nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../store/store.ts';
import { promptRow } from '../store/testing/rows.ts';
import { openTask } from '../store/testing/tasks.ts';
import { freshWorkspace } from '../store/testing/workspace.ts';
import type { Store } from '../store/types.ts';
import { type ImportSettings, importLabels } from './import-labels.ts';

let workspace: string;
let store: Store;
beforeEach(async () => {
  workspace = await freshWorkspace();
  store = await openStore(workspace);
  await store.prompts.add([0, 1, 2, 3].map(promptRow));
}, 120_000);
afterEach(() => store.close());

function given(name: string, content: unknown): string {
  const path = join(workspace, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}
const take = (path: ImportSettings['path'], more: Partial<ImportSettings> = {}) =>
  importLabels(store, { path, account: 'arm', ...more });
const owned = async () =>
  (await store.labels.owned('arm')).map(({ promptId, answer, source, cost }) => [
    ...[promptId, answer, source, cost],
  ]);

const answered = (id: string, ...pairs: [string, unknown][]) => ({
  data: { pt_id: id, question: 'q' },
  annotations: pairs.map(([text, by]) => ({
    completed_by: by,
    result: [{ type: 'textarea', from_name: 'answer', value: { text: [text] } }],
  })),
});

test('each annotator gives a label of their own; the first one of a prompt counts, others are told', async () => {
  const path = given('export.json', [
    answered('p1', ['5', { email: 'mara@x.org' }], ['6', 3]),
    answered('p2', ['7', 3], ['7', 4]),
    answered('p3'),
  ]);
  const names = new Map([['3', 'john']]);
  const done = await take(path, { names, source: 'lab' });
  expect(done).toMatchObject({ added: 4, unchanged: 0, ignored: { blank: 1 } });
  expect(done.formats).toEqual(['Label Studio JSON']);
  expect(done.sources).toEqual(['mara@x.org', 'john', 'lab 4']);
  expect(await owned()).toEqual([
    ['p1', '5', 'mara@x.org', 1],
    ['p1', '6', 'john', 1],
    ['p2', '7', 'john', 1],
    ['p2', '7', 'lab 4', 1],
  ]);
  expect(done.contested).toEqual([
    {
      promptId: 'p1',
      given: [
        { source: 'mara@x.org', answer: '5', at: 'task 1' },
        { source: 'john', answer: '6', at: 'task 1' },
      ],
    },
  ]);
  expect(await take(path, { names, source: 'lab' })).toMatchObject({ added: 0, unchanged: 4 });
});

test('of several answers the one that was given first counts, wherever it stands in the file', async () => {
  const row = (answer: string, annotator: number, created_at: string) => ({
    ...{ pt_id: 'p1', question: 'q', answer, annotator, annotation_id: annotator, created_at },
  });
  const rows = [row('7', 2, '2026-03-02T10:00:00Z'), row('5', 1, '2026-03-01T10:00:00Z')];
  const done = await take(given('min.json', rows));
  expect(done.contested[0].given.map(({ answer }) => answer)).toEqual(['5', '7']);
  const [first] = await store.labels.owned('arm', ['p1']);
  expect(first).toMatchObject({ answer: '5', source: 'people 1' });
});

test('what somebody else gave before counts, and is told apart', async () => {
  await take(given('a.csv', 'id,answer\np1,5\n'), { source: 'mara' });
  const done = await take(given('b.csv', 'id,answer,annotator\np1,6,john\n'));
  expect(done.contested[0].given).toEqual([
    { source: 'mara', answer: '5', at: 'the account' },
    { source: 'john', answer: '6', at: 'line 2' },
  ]);
});

test('several files are one import: where one is bad, none is taken', async () => {
  const good = given('a.jsonl', '{"id":"p1","answer":"5"}\n');
  const wrong = [
    [given('b.csv', 'id,answer\np1,6\n'), /b\.csv:2: .*'p1' with another answer than in line 1/],
    [
      given('c.json', [answered('nobody', ['5', 1])]),
      /c\.json:1 \(task 1\): .*'nobody' \(task 1\)/,
    ],
    [given('d.jsonl', '{"id":"p2","answer":"5"}\n{"id'), /d\.jsonl:2: .*no JSON/],
  ] as const;
  for (const [bad, message] of wrong) await expect(take([good, bad])).rejects.toThrow(message);
  expect(await owned()).toEqual([]);
  const other = given('e.csv', 'id,answer,annotator,cost\np1,5,,\np2,7,bot,0.25\n');
  expect(await take([good, other])).toMatchObject({ added: 2, formats: ['JSONL', 'CSV'] });
  expect(await owned()).toEqual([
    ['p1', '5', 'people', 1],
    ['p2', '7', 'bot', 0.25],
  ]);
});

test('the budget counts prompts, however many people answered one', async () => {
  const path = given('x.json', [answered('p1', ['5', 1], ['5', 2]), answered('p2', ['5', 1])]);
  await expect(take(path, { budget: 1 })).rejects.toThrow(/at most 1 labels in all, found 2/);
  expect(await owned()).toEqual([]);
  expect(await take(path, { budget: 2 })).toMatchObject({ added: 3 });
});

test('an id or an answer of any length makes a short message, and none that moves a terminal', async () => {
  const id = `\u001b[2J${'x'.repeat(1_000_000)}`;
  const error = await take(given('x.jsonl', JSON.stringify({ id, answer: '5' }))).catch(
    (caught: unknown) => caught,
  );
  expect(String(error)).toContain('\ufffd[2Jxxx');
  expect(String(error).length).toBeLessThan(600);
});

test('a question of the queue that was answered elsewhere is not asked again', async () => {
  await store.desk.putTasks([openTask('p1', { account: 'arm', utility: 1 })]);
  await take(given('x.jsonl', '{"id":"p1","answer":"5"}\n'));
  expect(await store.desk.openKinds('arm')).toEqual([]);
});
