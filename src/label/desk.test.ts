import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UserError } from '../core/errors.ts';
import { openStore } from '../store/store.ts';
import { promptRow } from '../store/testing/rows.ts';
import { freshWorkspace } from '../store/testing/workspace.ts';
import type { Store } from '../store/types.ts';
import { type AnswerFile, openAnswerFile } from './answer-file.ts';
import { type DeskSettings, openDesk } from './desk.ts';
import { importLabels } from './import-labels.ts';

const count = 12;
const all = Array.from({ length: count }, (_, i) => `p${i}`);
/** An answer that could come from nowhere else. */
const marker = (id: string) => `marker-of-${id}.`;
const at = (step: number | null) => ({ run: 'r', step });

let workspace: string;
let store: Store;
let source: AnswerFile;

beforeEach(async () => {
  workspace = await freshWorkspace();
  const answers = join(workspace, 'answers');
  mkdirSync(answers);
  // The source knows nothing of p0.
  const lines = all.slice(1).map((id) => JSON.stringify({ id, answer: marker(id) }));
  writeFileSync(join(answers, 'pool.jsonl'), lines.join('\n'));
  store = await openStore(workspace);
  await store.prompts.add(all.map((_, i) => promptRow(i)));
  source = await openAnswerFile({ path: join(answers, 'pool.jsonl') });
});
afterEach(() => store.close());

const desk = (more: Partial<DeskSettings> = {}) =>
  openDesk({ store, account: 'arm', budget: 3, source, ...more });

const idsOf = (labels: { promptId: string }[]) => labels.map((label) => label.promptId);

test('the budget is spent exactly, in the order asked, and prompts without an answer are free', async () => {
  const labels = await desk().request(['p0', 'p5', 'p5', 'p2', 'p7', 'p9'], at(1));
  expect(idsOf(labels)).toEqual(['p5', 'p2', 'p7']);
  expect(labels[0]).toEqual({ promptId: 'p5', answer: marker('p5'), source: 'file', cost: 1 });
  expect(await desk().spent()).toBe(3);
  expect(source.sold('arm')).toBe(3);
  expect(await desk().request(['p9'], at(2))).toEqual([]);
  expect(source.sold('arm')).toBe(3);
});

test('asking again costs nothing, as a run resumed from an older checkpoint does', async () => {
  const first = await desk().request(['p1', 'p2'], at(7));
  const resumed = desk();
  // At step 5 the labels of step 7 are not there yet; at step 7 they are the same as before.
  expect(await resumed.arrived(at(5))).toEqual([]);
  expect(await resumed.request(['p1', 'p2'], at(7))).toEqual(first);
  expect(await resumed.arrived(at(7))).toEqual(first);
  expect(await resumed.spent()).toBe(2);
  expect(source.sold('arm')).toBe(2);
});

test('a purchase that was logged but not stored is repeated without being counted again', async () => {
  await source.buy(['p4'], { account: 'arm', ...at(1) });
  expect(idsOf(await desk().request(['p4'], at(1)))).toEqual(['p4']);
  expect(source.sold('arm')).toBe(1);
});

test('requests at the same time never overrun the budget', async () => {
  const one = desk();
  const answers = await Promise.all(all.map((id) => one.request([id], at(1))));
  expect(answers.flat()).toHaveLength(3);
  expect(await one.spent()).toBe(3);
  expect(source.sold('arm')).toBe(3);
});

test('accounts are blind to each other and have budgets of their own', async () => {
  await desk().request(['p1', 'p2'], at(1));
  const other = desk({ account: 'other', budget: 1 });
  expect(await other.arrived(at(99))).toEqual([]);
  expect(idsOf(await other.request(['p2', 'p3'], at(1)))).toEqual(['p2']);
  expect(source.sold('other')).toBe(1);
  expect(idsOf(await desk().arrived(at(1)))).toEqual(['p1', 'p2']);
});

test('a label arrives after its delay in steps and is paid at once', async () => {
  const late = desk({ delaySteps: 2 });
  expect(await late.request(['p1'], at(4))).toEqual([]);
  expect(await late.spent()).toBe(1);
  // A run that goes on from step 3 has not paid for it yet.
  expect(await late.spent(at(3))).toBe(0);
  expect(await late.spent(at(4))).toBe(1);
  expect(await late.arrived(at(5))).toEqual([]);
  expect(idsOf(await late.arrived(at(6)))).toEqual(['p1']);
  expect(idsOf(await late.request(['p1'], at(6)))).toEqual(['p1']);
});

test('labels bought before training are there from the first step; a desk without a source buys none', async () => {
  await desk().request(['p3'], at(null));
  const closed = desk({ source: null });
  expect(idsOf(await closed.arrived(at(0)))).toEqual(['p3']);
  expect(idsOf(await closed.request(['p3', 'p4'], at(0)))).toEqual(['p3']);
});

test('a budget that is no number of labels is refused', () => {
  expect(() => desk({ budget: -1 })).toThrow(UserError);
  expect(() => desk({ budget: 2.5 })).toThrow(UserError);
});

test('the database holds the answers that were bought, and no other', async () => {
  const training = desk();
  for (let step = 1; step <= 4; step++) {
    await training.request(
      all.filter((_, i) => i % 4 === step % 4),
      at(step),
    );
    await training.arrived(at(step));
  }
  const bought = idsOf(await training.arrived(at(4)));
  expect(bought).toHaveLength(3);
  let dump = '';
  for await (const row of store.dump()) dump += JSON.stringify(row);
  const found = all.filter((id) => dump.includes(marker(id)));
  expect(found.sort()).toEqual([...bought].sort());
});

test('what training sees of a label does not say whether it is a mistake', async () => {
  const path = join(workspace, 'answers', 'pool.jsonl');
  const careless = await openAnswerFile({ path, mistakes: { rate: 1, seed: 1 } });
  const [label] = await desk({ source: careless }).request(['p1'], at(1));
  expect(label.answer).not.toBe(marker('p1'));
  expect(Object.keys(label).sort()).toEqual(['answer', 'cost', 'promptId', 'source']);
  expect((await store.labels.audit('arm'))[0].noisy).toBe(true);
});

const given = (name: string, text: string) => {
  const path = join(workspace, name);
  writeFileSync(path, text);
  return path;
};

test('people give labels as CSV or JSONL; the same file twice changes nothing', async () => {
  const csv = given('labels.csv', '\uFEFFid,answer,note\np1, 41 ,ok\np2,"1,000",\n');
  expect(await importLabels(store, { path: csv, account: 'arm' })).toMatchObject({
    added: 2,
    unchanged: 0,
  });
  const lines = given('labels.jsonl', '{"id":"p2","answer":"1,000"}\n{"id":"p3","answer":7}\n');
  expect(await importLabels(store, { path: lines, account: 'arm' })).toMatchObject({
    added: 1,
    unchanged: 1,
  });
  const labels = await desk().request(['p1', 'p2', 'p3'], at(1));
  expect(labels.map((label) => label.answer)).toEqual(['41', '1,000', '7']);
  expect(source.sold('arm')).toBe(0);
});

test.each([
  [
    'an unknown id',
    '{"id":"p1","answer":"1"}\n{"id":"x","answer":"2"}\n',
    {},
    /labels\.jsonl:2: .*'x'/,
  ],
  [
    'two answers',
    '{"id":"p1","answer":"1"}\n{"id":"p1","answer":"2"}\n',
    {},
    /labels\.jsonl:2: .*line 1/,
  ],
  [
    'another answer than before',
    '{"id":"p1","answer":"1"}\n{"id":"p9","answer":"2"}\n',
    {},
    /:2: .*'p9'/,
  ],
  ['more than the budget', '{"id":"p1","answer":"1"}\n', { budget: 1 }, /at most 1/],
])('a file with %s is refused whole', async (_, text, more, message) => {
  const before = given('before.jsonl', '{"id":"p9","answer":"9"}\n');
  await importLabels(store, { path: before, account: 'arm' });
  const path = given('labels.jsonl', text);
  await expect(importLabels(store, { path, account: 'arm', ...more })).rejects.toThrow(message);
  expect(idsOf(await store.labels.owned('arm'))).toEqual(['p9']);
});
