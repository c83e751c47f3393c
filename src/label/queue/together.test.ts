/** Calls that come together share a transaction, and nothing of each other's faults. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../store/store.ts';
import { freshWorkspace } from '../../store/testing/workspace.ts';
import type { Store } from '../../store/types.ts';
import { addPrompts, answerTo, benchOn, idOf, ordersOf } from './testing/bench.ts';

let store: Store;
/** Transactions so far. */
let begun = 0;
beforeAll(async () => {
  const opened = await openStore(await freshWorkspace());
  store = {
    ...opened,
    transaction: (work) => {
      begun += 1;
      return opened.transaction(work);
    },
  };
  await addPrompts(store, 80);
}, 240_000);
afterAll(() => store.close());

const people = (count: number) => Array.from({ length: count }, (_, i) => `person${i}`);

test('a crowd that asks at once gets a question each, in the order in which it came', async () => {
  const bench = benchOn(store, { budget: 60 });
  await bench.queue.order(ordersOf(70));
  begun = 0;
  const given = await Promise.all(people(65).map((who) => bench.queue.next(who)));
  expect(given.map(idOf)).toEqual([
    ...Array.from({ length: 60 }, (_, i) => `p${i}`),
    ...['budget', 'budget', 'budget', 'budget', 'budget'],
  ]);
  // One for whoever came first, and few for all the others.
  expect(begun).toBeLessThanOrEqual(4);
  // Two tabs of one person show one question.
  const twice = await Promise.all(['person3', 'person3'].map((who) => bench.queue.next(who)));
  expect(twice.map(idOf)).toEqual(['p3', 'p3']);
});

test('what fails for one of many fails for nobody else, and is not half done', async () => {
  const bench = benchOn(store, { budget: 9 });
  await bench.queue.order(ordersOf(9));
  let broken = true;
  const queue = bench.recording(async (_, { annotator }) => {
    if (annotator === 'person4' && broken) throw new Error('the disk is full');
  });
  const crowd = people(8);
  const ids = (await Promise.all(crowd.map((who) => queue.next(who)))).map(idOf);
  const said = await Promise.allSettled(
    crowd.map((who, i) => queue.submit(who, answerTo(i === 2 ? 'p8' : ids[i], '1'))),
  );
  expect(
    said.map(({ status }, i) => (status === 'rejected' ? i : -1)).filter((i) => i >= 0),
  ).toEqual([2, 4]);
  expect(said[2]).toMatchObject({ reason: { name: 'UserError' } });
  expect(said[4]).toMatchObject({ reason: { message: 'the disk is full' } });
  const labelled = (await store.labels.owned(bench.account)).map(({ promptId }) => promptId);
  expect(labelled.sort()).toEqual(['p0', 'p1', 'p3', 'p5', 'p6', 'p7']);
  expect(await bench.queue.annotations()).toHaveLength(6);
  broken = false;
  expect(await queue.submit('person4', answerTo('p4', '1'))).toBe('decided');
});

test('the last places in the budget go to as many as there are, of answers that come together too', async () => {
  const bench = benchOn(store, { budget: 3 });
  await bench.queue.order(ordersOf(6));
  const crowd = people(3);
  const ids = (await Promise.all(crowd.map((who) => bench.queue.next(who)))).map(idOf);
  const bought = { source: 'file', cost: 1, noisy: false, run: null, step: null, answer: '5' };
  await store.labels.add(bench.account, [{ ...bought, promptId: 'p20' }]);
  const said = await Promise.allSettled(
    crowd.map((who, i) => bench.queue.submit(who, answerTo(ids[i], '1'))),
  );
  expect(said.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect(said.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { message: expect.stringContaining('budget') },
  });
  expect(await store.labels.count(bench.account)).toBe(3);
});
