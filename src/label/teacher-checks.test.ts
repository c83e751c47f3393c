/** Spot checks of a teacher by people who do not know that they check. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../store/store.ts';
import { promptRow } from '../store/testing/rows.ts';
import { freshWorkspace } from '../store/testing/workspace.ts';
import type { Store } from '../store/types.ts';
import { openQueue } from './queue/queue.ts';
import type { Queue } from './queue/types.ts';
import { isChecked, spotCheck, teacherChecks } from './teacher-checks.ts';

let store: Store;
let queue: Queue;
const judge = { equivalent: async (_id: string, a: string, b: string) => Number(a) === Number(b) };
beforeEach(async () => {
  store = await openStore(await freshWorkspace());
  await store.prompts.add(Array.from({ length: 8 }, (_, i) => promptRow(i)));
  const settings = { account: 'arm', budget: null, overlap: 1, leaseMs: 60_000, goldEvery: 1 };
  queue = openQueue(store, settings, { judge, nameOf: (annotator) => annotator });
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

test('people get checked labels among their questions, and what they say tells of the teacher', async () => {
  const labels = [1, 2].map((i) => ({
    ...{ promptId: `p${i}`, answer: String(i + 1), source: 'oracle', cost: 1 },
  }));
  for (const label of labels) {
    await spotCheck(queue, label, { share: 1, seed: 0 });
    await store.labels.add('arm', [{ ...label, noisy: false, run: null, step: null }]);
  }
  const base = { utility: 0.1, run: null, step: null, reason: 'planned' };
  await queue.order(['p5', 'p6', 'p7'].map((promptId) => ({ promptId, ...base })));
  const checked = [await answer('2.0'), await answer('77')];
  expect(checked.sort()).toEqual(['p1', 'p2']);
  const own = await answer('3');
  const checks = await teacherChecks(labels, await queue.annotations(), judge);
  expect(checks).toHaveLength(2);
  expect(checks.filter(({ person }) => person !== null)).toHaveLength(1);
  expect(checks.find(({ person }) => person !== null)).toMatchObject({ person: '77' });
  // A check is no label of the person's, and changes none of the teacher's.
  const owned = await store.labels.owned('arm');
  expect(owned.map(({ promptId, source }) => [promptId, source])).toEqual([
    ['p1', 'oracle'],
    ['p2', 'oracle'],
    [own, 'mara'],
  ]);
  expect(await teacherChecks(labels, [], judge)).toEqual([]);
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
