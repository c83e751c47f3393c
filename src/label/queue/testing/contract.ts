/** What the queue must do, whatever database is under it: one suite, run on each. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../core/errors.ts';
import type { Store } from '../../../store/types.ts';
import {
  addPrompts,
  answer,
  answerTo,
  benchOn,
  leaseMs,
  orderOf,
  ordersOf,
  sayOf,
  take,
} from './bench.ts';
import { checkContract } from './checking.ts';
import { disagreementContract } from './disagreement.ts';
import { undoContract } from './undoing.ts';

export function queueContract(name: string, open: () => Promise<Store>): void {
  describe(`${name}: annotation queue`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await open();
      await addPrompts(store, 30);
    }, 300_000);
    afterAll(() => store.close());

    handingOut(() => store);
    answering(() => store);
    budgets(() => store);
    goldQuestions(() => store);
    undoContract(() => store);
    disagreementContract(() => store);
    checkContract(() => store);
  });
}

function handingOut(storeOf: () => Store): void {
  test('the most useful question comes first, then the oldest, then by id', async () => {
    const bench = benchOn(storeOf());
    await bench.queue.order([orderOf(4, 1), orderOf(2, 1)]);
    bench.now += 1;
    await bench.queue.order([orderOf(1, 1), orderOf(3, 7)]);
    const ids: string[] = [];
    for (const who of ['a', 'b', 'c', 'd', 'e']) ids.push(await take(bench, who));
    expect(ids).toEqual(['p3', 'p2', 'p4', 'p1', 'taken']);
  });

  test('an order again raises what waits, and leaves alone what is done', async () => {
    const bench = benchOn(storeOf());
    expect(await bench.queue.order([orderOf(0, 5), orderOf(1, 4), orderOf(1, 3)])).toBe(2);
    expect(await answer(bench, 'ada', '1')).toBe('p0');
    expect(await bench.queue.order([orderOf(0, 9), orderOf(1, 2), orderOf(2, 4.5)])).toBe(1);
    expect((await bench.queue.tasks()).map((t) => [t.promptId, t.utility, t.state])).toEqual([
      ['p0', 5, 'done'],
      ['p2', 4.5, 'open'],
      ['p1', 4, 'open'],
    ]);
    expect(await bench.queue.order([orderOf(1, 6)])).toBe(0);
    expect(await take(bench, 'ada')).toBe('p1');
    expect(await bench.queue.tasks(['p1'])).toMatchObject([{ utility: 6, step: 1, overlap: 1 }]);
  });

  test('unknown prompts are refused as a whole', async () => {
    const bench = benchOn(storeOf());
    const unknown = { ...orderOf(0), promptId: 'nobody' };
    await expect(bench.queue.order([orderOf(1), unknown])).rejects.toThrow(/'nobody'/);
    await expect(bench.queue.order([orderOf(1, Number.NaN)])).rejects.toThrow(RangeError);
    await expect(bench.queue.orderGold([{ promptId: 'p1', answer: ' ' }])).rejects.toThrow(
      UserError,
    );
    expect(await bench.queue.tasks()).toEqual([]);
    expect(() => bench.again({ overlap: 0 })).toThrow(UserError);
    expect(() => bench.again({ budget: 1.5 })).toThrow(UserError);
    expect(() => bench.again({ leaseMs: 0 })).toThrow(UserError);
  });

  test('who holds a question keeps it until its time is over, for longer on asking, and then others get it', async () => {
    const bench = benchOn(storeOf());
    await bench.queue.order([orderOf(0)]);
    const taken = { promptId: 'p0', annotator: 'ada', takenAt: bench.now };
    expect(await bench.queue.next('ada')).toMatchObject({
      lease: { ...taken, expiresAt: bench.now + leaseMs },
    });
    bench.now += leaseMs - 1;
    expect(await bench.queue.next('ada')).toMatchObject({
      lease: { ...taken, expiresAt: bench.now + leaseMs },
    });
    bench.now += leaseMs - 1;
    expect(await take(bench, 'bob')).toBe('taken');
    bench.now += 1;
    expect(await bench.queue.next('bob')).toMatchObject({
      lease: { annotator: 'bob', takenAt: bench.now, expiresAt: bench.now + leaseMs },
    });
    expect(await take(bench, 'ada')).toBe('taken');
    await bench.queue.release('bob');
    expect(await take(bench, 'ada')).toBe('p0');
  });

  test('nobody gets a question twice, answered or skipped', async () => {
    const bench = benchOn(storeOf(), { overlap: 2 });
    await bench.queue.order(ordersOf(2));
    expect(await answer(bench, 'ada', '1')).toBe('p0');
    expect(await take(bench, 'ada')).toBe('p1');
    expect(await bench.queue.submit('ada', sayOf('p1', 'skip'))).toBe('skipped');
    expect(await take(bench, 'ada')).toBe('taken');
    expect(await take(bench, 'bob')).toBe('p0');
    await bench.queue.release('bob');
    await answer(bench, 'bob', '1');
    expect(await take(bench, 'bob')).toBe('p1');
  });

  test('a question is in no more hands than it wants answers', async () => {
    const bench = benchOn(storeOf(), { overlap: 3 });
    await bench.queue.order([orderOf(0)]);
    await answer(bench, 'ada', '1');
    expect(await take(bench, 'bob')).toBe('p0');
    expect(await take(bench, 'eve')).toBe('p0');
    expect(await take(bench, 'kim')).toBe('taken');
    expect(await bench.queue.progress()).toMatchObject({ open: 1, leased: 1, done: 0 });
  });

  test('what is withdrawn is not handed out, but who holds it may finish it', async () => {
    const bench = benchOn(storeOf());
    await bench.queue.order(ordersOf(3));
    expect(await take(bench, 'ada')).toBe('p0');
    expect(await bench.queue.withdraw(['p0', 'p1', 'nobody'])).toBe(2);
    expect(await bench.queue.withdraw([])).toBe(0);
    expect(await take(bench, 'bob')).toBe('p2');
    expect(await take(bench, 'ada')).toBe('p0');
    expect(await bench.queue.submit('ada', answerTo('p0', '1'))).toBe('decided');
    expect(await bench.queue.order([orderOf(0), orderOf(1)])).toBe(1);
    expect(await take(bench, 'ada')).toBe('p1');
  });
}

function answering(storeOf: () => Store): void {
  test('an answer becomes the label of its annotator, for the run that asked', async () => {
    const bench = benchOn(storeOf());
    await bench.queue.order([orderOf(7)]);
    await take(bench, 'ada');
    bench.now += 12_500;
    const given = { ...answerTo('p7', '  8 '), note: 'easy', revealed: true };
    expect(await bench.queue.submit('ada', given)).toBe('decided');
    expect(await storeOf().labels.owned(bench.account)).toEqual([
      { promptId: 'p7', answer: '8', source: 'Ada', cost: 1, run: 'run', step: 7 },
    ]);
    expect(await bench.queue.annotations()).toEqual([
      {
        ...{ ordinal: expect.any(Number), account: bench.account, promptId: 'p7' },
        ...{ annotator: 'ada', kind: 'answer', answer: '8', note: 'easy', revealed: true },
        ...{ seconds: 12.5, at: bench.now, undone: false, adjudicates: false },
      },
    ]);
    expect(await bench.queue.tasks(['p7'])).toMatchObject([
      { state: 'done', outcome: 'labelled', decidedAt: bench.now },
    ]);
    expect(await take(bench, 'bob')).toBe('empty');
    expect(bench.judged).toBe(0);
  });

  test('an answer that is empty, or to a question that one does not hold, is refused', async () => {
    const bench = benchOn(storeOf());
    await bench.queue.order(ordersOf(2));
    await take(bench, 'ada');
    const refused = [answerTo('p0', ' \n'), answerTo('p1', '1'), answerTo('nobody', '1')];
    for (const one of refused) {
      await expect(bench.queue.submit('ada', one)).rejects.toThrow(UserError);
    }
    await expect(bench.queue.submit('bob', answerTo('p0', '1'))).rejects.toThrow(UserError);
    expect(await bench.queue.annotations()).toEqual([]);
  });

  test('the same submission again is taken once, another one is refused', async () => {
    const bench = benchOn(storeOf());
    await bench.queue.order(ordersOf(3));
    await answer(bench, 'ada', '1');
    expect(await bench.queue.submit('ada', answerTo('p0', '1'))).toBe('decided');
    await expect(bench.queue.submit('ada', answerTo('p0', '2'))).rejects.toThrow(UserError);
    await take(bench, 'ada');
    await bench.queue.submit('ada', sayOf('p1', 'skip'));
    expect(await bench.queue.submit('ada', sayOf('p1', 'skip'))).toBe('skipped');
    expect(await bench.queue.annotations()).toHaveLength(2);
    expect(await storeOf().labels.count(bench.account)).toBe(1);
  });

  test('whoever is late is taken while nobody else is there', async () => {
    const bench = benchOn(storeOf());
    await bench.queue.order(ordersOf(2));
    await take(bench, 'ada');
    bench.now += leaseMs * 3;
    expect(await bench.queue.submit('ada', answerTo('p0', '1'))).toBe('decided');
    await take(bench, 'ada');
    bench.now += leaseMs;
    expect(await take(bench, 'bob')).toBe('p1');
    await expect(bench.queue.submit('ada', answerTo('p1', '2'))).rejects.toThrow(/time ran out/);
    expect(await bench.queue.submit('bob', answerTo('p1', '3'))).toBe('decided');
    await expect(bench.queue.submit('ada', answerTo('p1', '2'))).rejects.toThrow(/time ran out/);
    const labels = await storeOf().labels.owned(bench.account);
    expect(labels.map(({ answer: text }) => text)).toEqual(['1', '3']);
  });

  test('a label from elsewhere ends the wait, and an answer under way is kept without a second label', async () => {
    const bench = benchOn(storeOf());
    await bench.queue.order(ordersOf(3));
    await take(bench, 'ada');
    const bought = { source: 'file', cost: 1, noisy: false, run: null, step: null };
    const labels = ['p0', 'p1'].map((promptId) => ({ ...bought, promptId, answer: '5' }));
    await storeOf().labels.add(bench.account, labels);
    expect(await take(bench, 'bob')).toBe('p2');
    expect(await bench.queue.submit('ada', answerTo('p0', '6'))).toBe('decided');
    expect(await storeOf().labels.owned(bench.account)).toHaveLength(2);
    expect(await bench.queue.annotations()).toHaveLength(1);
    expect(await bench.queue.order([orderOf(0), orderOf(1)])).toBe(0);
  });

  test('hostile texts are data', async () => {
    const bench = benchOn(storeOf());
    await bench.queue.order(ordersOf(1));
    const text = `'); drop table tasks; -- \u0000 <script>\u202e ${'x'.repeat(100_000)}`;
    await take(bench, "o'brien; --");
    const given = { ...answerTo('p0', text), note: text };
    expect(await bench.queue.submit("o'brien; --", given)).toBe('decided');
    const stored = text.replace('\u0000', '\ufffd');
    expect(await bench.queue.annotations()).toMatchObject([{ answer: stored, note: stored }]);
    expect(await bench.queue.undo("o'brien; --")).toMatchObject({ answer: stored });
  });
}

function budgets(storeOf: () => Store): void {
  test('no question is begun that has no room in the budget', async () => {
    const bench = benchOn(storeOf(), { budget: 2 });
    await bench.queue.order(ordersOf(5));
    expect(await take(bench, 'ada')).toBe('p0');
    expect(await take(bench, 'bob')).toBe('p1');
    expect(await take(bench, 'kim')).toBe('budget');
    await bench.queue.submit('ada', answerTo('p0', '1'));
    expect(await take(bench, 'ada')).toBe('budget');
    expect(await bench.queue.submit('bob', sayOf('p1', 'no_answer'))).toBe('closed');
    expect(await take(bench, 'kim')).toBe('p2');
    bench.now += leaseMs;
    expect(await take(bench, 'ada')).toBe('p2');
    expect(await bench.queue.progress()).toEqual({
      ...{ open: 3, leased: 1, adjudicate: 0, done: 2, labels: 1, budget: 2 },
    });
  });

  test('late answers need room too', async () => {
    const bench = benchOn(storeOf(), { budget: 1 });
    await bench.queue.order(ordersOf(3));
    expect(await take(bench, 'ada')).toBe('p0');
    bench.now += leaseMs;
    await bench.queue.order([orderOf(5, 1000)]);
    expect(await take(bench, 'bob')).toBe('p5');
    await expect(bench.queue.submit('ada', answerTo('p0', '1'))).rejects.toThrow(UserError);
    await bench.queue.release('bob');
    expect(await bench.queue.submit('ada', answerTo('p0', '1'))).toBe('decided');
    expect(await take(bench, 'bob')).toBe('budget');
  });

  test('where the budget is full, questions that others began go on', async () => {
    const bench = benchOn(storeOf(), { budget: 1, overlap: 2 });
    await bench.queue.order([orderOf(0, 1)]);
    await answer(bench, 'ada', '1');
    await bench.queue.order([orderOf(1, 9)]);
    expect(await take(bench, 'ada')).toBe('budget');
    expect(await take(bench, 'bob')).toBe('p0');
    expect(await bench.queue.submit('bob', answerTo('p0', '1.0'))).toBe('decided');
    expect(await take(bench, 'bob')).toBe('budget');
  });

  test('labels from elsewhere that use the budget up do not let the queue overrun it', async () => {
    const bench = benchOn(storeOf(), { budget: 1 });
    await bench.queue.order(ordersOf(2));
    await take(bench, 'ada');
    const bought = { promptId: 'p9', source: 'file', cost: 1, noisy: false, run: null, step: null };
    await storeOf().labels.add(bench.account, [{ ...bought, answer: '5' }], 1);
    await expect(bench.queue.submit('ada', answerTo('p0', '1'))).rejects.toThrow(/budget/);
    expect(await bench.queue.annotations()).toEqual([]);
    expect(await storeOf().labels.count(bench.account)).toBe(1);
    expect(await bench.again({ budget: 2 }).submit('ada', answerTo('p0', '1'))).toBe('decided');
  });
}

function goldQuestions(storeOf: () => Store): void {
  const known = [1, 2].map((i) => ({ promptId: `p${i}`, answer: String(i + 1) }));

  test('every so many questions are gold, for each annotator, while there are some', async () => {
    const bench = benchOn(storeOf(), { goldEvery: 3, budget: 20 });
    await bench.queue.order([...ordersOf(1), ...ordersOf(20).slice(3)]);
    expect(await bench.queue.orderGold(known)).toBe(2);
    expect(await bench.queue.orderGold(known)).toBe(0);
    const ids: string[] = [];
    for (let i = 0; i < 8; i++) ids.push(await answer(bench, 'ada', '2'));
    expect(ids).toEqual(['p0', 'p3', 'p1', 'p4', 'p5', 'p2', 'p6', 'p7']);
    expect(await storeOf().labels.count(bench.account)).toBe(6);
    for (let i = 0; i < 2; i++) await answer(bench, 'bob', '2');
    expect(await take(bench, 'bob')).toBe('p1');
    expect(await bench.queue.submit('bob', answerTo('p1', '2.0'))).toBe('gold');
    expect(await bench.queue.submit('bob', answerTo('p1', '2.0'))).toBe('gold');
    expect(await bench.queue.figures()).toMatchObject([
      { annotator: 'ada', name: 'Ada', answers: 8, gold: { answered: 2, right: 1 } },
      { annotator: 'bob', name: 'Bob', answers: 3, gold: { answered: 1, right: 1 } },
    ]);
    expect(await bench.queue.progress()).toMatchObject({ open: 10, done: 8 });
  });

  test('a gold question makes no label, costs no budget and is in one pair of hands at a time', async () => {
    const bench = benchOn(storeOf(), { goldEvery: 1, budget: 2 });
    await bench.queue.order([orderOf(4), orderOf(5), orderOf(6)]);
    await bench.queue.orderGold(known.slice(0, 1));
    expect(await take(bench, 'ada')).toBe('p1');
    expect(await take(bench, 'bob')).toBe('p4');
    expect(await take(bench, 'kim')).toBe('p5');
    expect(await take(bench, 'eve')).toBe('budget');
    await bench.queue.submit('ada', sayOf('p1', 'bad_question'));
    expect(await bench.queue.figures()).toMatchObject([{ gold: { answered: 1, right: 0 } }]);
    expect(await storeOf().labels.count(bench.account)).toBe(0);
  });

  test('a prompt that people work on does not turn into gold, and gold not into work', async () => {
    const bench = benchOn(storeOf(), { goldEvery: 1 });
    await bench.queue.order(ordersOf(3));
    expect(await take(bench, 'ada')).toBe('p0');
    expect(await bench.queue.orderGold([{ promptId: 'p0', answer: '1' }, ...known])).toBe(2);
    expect(await bench.queue.order(ordersOf(3))).toBe(0);
    const tasks = await bench.queue.tasks();
    expect(tasks.filter(({ gold }) => gold).map(({ promptId }) => promptId)).toEqual(['p1', 'p2']);
  });
}
