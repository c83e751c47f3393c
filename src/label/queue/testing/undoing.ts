/** What the queue must do when people take back what they said. */
import { expect, test } from 'vitest';
import type { Store } from '../../../store/types.ts';
import type { Judge } from '../types.ts';
import { answer, answerTo, benchOn, ordersOf, sayOf, take } from './bench.ts';

export function undoContract(storeOf: () => Store): void {
  test('undo takes the label back and hands the question out again', async () => {
    const bench = benchOn(storeOf());
    await bench.queue.order(ordersOf(2));
    expect(await bench.queue.undo('ada')).toBeNull();
    await answer(bench, 'ada', '1');
    expect(await take(bench, 'ada')).toBe('p1');
    expect(await bench.queue.undo('ada')).toEqual(answerTo('p0', '1'));
    expect(await storeOf().labels.owned(bench.account)).toEqual([]);
    expect(await storeOf().labels.count(bench.account)).toBe(0);
    expect(await storeOf().labels.audit(bench.account)).toMatchObject([
      { promptId: 'p0', answer: '1', withdrawnAt: bench.now },
    ]);
    expect(await bench.queue.tasks(['p0'])).toMatchObject([
      { state: 'open', outcome: null, decidedAt: null },
    ]);
    expect(await take(bench, 'ada')).toBe('p0');
    expect(await take(bench, 'bob')).toBe('p1');
    expect(await bench.queue.submit('ada', answerTo('p0', '2'))).toBe('decided');
    expect(await storeOf().labels.owned(bench.account)).toMatchObject([
      { promptId: 'p0', answer: '2', source: 'Ada' },
    ]);
    expect((await bench.queue.annotations()).map((one) => one.undone)).toEqual([true, false]);
  });

  test('a skipped question comes back to whoever takes the skip back, unless others have it', async () => {
    const bench = benchOn(storeOf());
    await bench.queue.order(ordersOf(2));
    await take(bench, 'ada');
    await bench.queue.submit('ada', sayOf('p0', 'skip'));
    expect(await take(bench, 'bob')).toBe('p0');
    await expect(bench.queue.undo('ada')).rejects.toThrow(/other hands/);
    expect(await take(bench, 'ada')).toBe('p1');
    await bench.queue.release('bob');
    expect(await bench.queue.undo('ada')).toEqual(sayOf('p0', 'skip'));
    expect(await take(bench, 'ada')).toBe('p0');
    expect(await take(bench, 'bob')).toBe('p1');
  });

  test('undo of what closed a question needs room in the budget', async () => {
    const bench = benchOn(storeOf(), { budget: 1 });
    await bench.queue.order(ordersOf(2));
    await take(bench, 'ada');
    await bench.queue.submit('ada', sayOf('p0', 'no_answer'));
    expect(await take(bench, 'bob')).toBe('p1');
    await expect(bench.queue.undo('ada')).rejects.toThrow(/budget/);
    expect(await bench.queue.tasks(['p0'])).toMatchObject([{ state: 'done' }]);
    await bench.queue.release('bob');
    expect(await bench.queue.undo('ada')).toEqual(sayOf('p0', 'no_answer'));
    expect(await take(bench, 'bob')).toBe('budget');
  });

  test('undo of an answer to a question that has a label from elsewhere leaves it done', async () => {
    const bench = benchOn(storeOf());
    await bench.queue.order(ordersOf(2));
    await answer(bench, 'ada', '1');
    const bought = { promptId: 'p0', source: 'file', cost: 1, noisy: false, run: null, step: null };
    await storeOf().labels.add(bench.account, [{ ...bought, answer: '5' }]);
    expect(await bench.queue.undo('ada')).toEqual(answerTo('p0', '1'));
    expect(await bench.queue.tasks(['p0'])).toMatchObject([{ state: 'done' }]);
    expect(await storeOf().labels.owned(bench.account)).toMatchObject([{ source: 'file' }]);
    expect(await take(bench, 'ada')).toBe('p1');
  });

  test('an undo while the judge thinks makes it think again', async () => {
    const bench = benchOn(storeOf(), { overlap: 2 });
    await bench.queue.order(ordersOf(1));
    await answer(bench, 'ada', '1');
    await take(bench, 'bob');
    let undone = false;
    const slow: Judge = {
      async equivalent() {
        if (!undone) {
          undone = true;
          await bench.queue.undo('ada');
          await bench.queue.submit('ada', answerTo('p0', '7'));
        }
        return false;
      },
    };
    const other = bench.again({}, undefined, slow);
    expect(await other.submit('bob', answerTo('p0', '7'))).toBe('decided');
    expect(await storeOf().labels.owned(bench.account)).toMatchObject([
      { answer: '7', source: 'Ada+Bob' },
    ]);
  });
}
