/** Spot checks of a teacher by people who do not know that they check. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../store/store.ts';
import { promptRow } from '../store/testing/rows.ts';
import { freshWorkspace } from '../store/testing/workspace.ts';
import type { Store } from '../store/types.ts';
import { openQueue } from './queue/queue.ts';
import type { Queue } from './queue/types.ts';
import { checksText, isChecked, spotCheck } from './teacher-checks.ts';

let store: Store;
let queue: Queue;
const judge = { equivalent: async (_id: string, a: string, b: string) => Number(a) === Number(b) };
beforeEach(async () => {
  store = await openStore(await freshWorkspace());
  await store.prompts.add(Array.from({ length: 8 }, (_, i) => promptRow(i)));
  const settings = { account: 'arm', budget: null, overlap: 1, leaseMs: 60_000, goldEvery: 0 };
  queue = openQueue(store, { ...settings, checkEvery: 2 }, { judge, nameOf: (who) => who });
});
afterEach(() => store.close());

async function answer(text: string): Promise<string> {
  const next = await queue.next('mara');
  if ('nothing' in next) throw new Error(next.nothing);
  const { promptId } = next.task;
  const said = { promptId, kind: 'answer' as const, answer: text, note: '', revealed: false };
  await queue.submit('mara', said);
  return promptId;
}

test('people get checked labels among their questions, and what they and admins say tells of the teacher', async () => {
  const labels = [1, 2, 3].map((i) => ({
    ...{ promptId: `p${i}`, answer: String(i + 1), source: 'oracle', cost: 1 },
  }));
  for (const label of labels) {
    await spotCheck(queue, label, { share: 1, seed: 0 });
    await store.labels.add('arm', [{ ...label, noisy: false, run: null, step: null }]);
  }
  const base = { utility: 0.1, run: null, step: null, reason: 'planned' };
  await queue.order(['p5', 'p6', 'p7'].map((promptId) => ({ promptId, ...base })));
  const asked: string[] = [];
  for (const text of ['6', '2.0', '7', '77', '8', '78']) asked.push(await answer(text));
  expect(asked).toEqual(['p5', 'p1', 'p6', 'p2', 'p7', 'p3']);
  const [found] = await queue.checks();
  expect(found).toMatchObject({ source: 'oracle', checked: 3, differing: 2, open: 2, wrong: 0 });
  expect(checksText(found)).toBe(
    'People checked 3 labels of oracle and answered otherwise 2 times. No admin has ruled on 2 of these yet: see the adjudication page. Wrong are 0 of the 1 that are decided, 0.0 % (95 % interval 0.0 % to 79.3 %).',
  );
  // A check is no label of the person's, and changes none of the teacher's until an admin has ruled.
  const sources = async () =>
    (await store.labels.owned('arm')).map(({ promptId, source }) => `${promptId} ${source}`);
  expect(await sources()).toEqual([
    ...['p1 oracle', 'p2 oracle', 'p3 oracle', 'p5 mara', 'p6 mara', 'p7 mara'],
  ]);
  await queue.rule('root', { promptId: 'p2', kind: 'answer', answer: '77', note: '' });
  await queue.rule('root', { promptId: 'p3', kind: 'answer', answer: '4', note: '' });
  expect(await sources()).toEqual([
    ...['p1 oracle', 'p3 oracle', 'p5 mara', 'p6 mara', 'p7 mara', 'p2 root'],
  ]);
  const [now] = await queue.checks();
  expect(now).toMatchObject({ checked: 3, differing: 2, open: 0, wrong: 1 });
  expect(now.rate?.value).toBeCloseTo(1 / 3, 12);
});

test('the share of checked labels is the one that was set, and always the same ones', () => {
  const ids = Array.from({ length: 2000 }, (_, i) => `p${i}`);
  const chosen = ids.filter((id) => isChecked(id, 0.1, 7));
  expect(chosen.length).toBeGreaterThan(140);
  expect(chosen.length).toBeLessThan(260);
  expect(ids.filter((id) => isChecked(id, 0.1, 7))).toEqual(chosen);
  expect(ids.filter((id) => isChecked(id, 0, 7))).toEqual([]);
  expect(ids.filter((id) => isChecked(id, 1, 7))).toEqual(ids);
});
