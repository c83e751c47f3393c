/** What the queue must do where several people answer one question. */
import { expect, test } from 'vitest';
import { UserError } from '../../../core/errors.ts';
import type { Store } from '../../../store/types.ts';
import type { Judge, Submission } from '../types.ts';
import { addPrompts, answerTo, type Bench, benchOn, idOf, ordersOf, sayOf } from './bench.ts';

/** Everybody takes the question p0 and says their part; what came of each. */
async function say(bench: Bench, said: Record<string, Submission>): Promise<string[]> {
  const verdicts: string[] = [];
  for (const [annotator, submission] of Object.entries(said)) {
    expect(idOf(await bench.queue.next(annotator))).toBe(submission.promptId);
    verdicts.push(await bench.queue.submit(annotator, submission));
  }
  return verdicts;
}

export function disagreementContract(storeOf: () => Store): void {
  const disputed = async () => {
    const bench = benchOn(storeOf(), { overlap: 2 });
    await bench.queue.order(ordersOf(1));
    await say(bench, { ada: answerTo('p0', '1'), bob: answerTo('p0', '2') });
    return bench;
  };
  const ruling = { promptId: 'p0', kind: 'answer', answer: '3', note: 'looked it up' } as const;

  test('answers that the judge holds equal make one label with the names of all', async () => {
    const bench = benchOn(storeOf(), { overlap: 3 });
    await bench.queue.order(ordersOf(1));
    const verdicts = await say(bench, {
      kim: answerTo('p0', '1.0'),
      bob: answerTo('p0', '1'),
      ada: answerTo('p0', '1.00'),
    });
    expect(verdicts).toEqual(['waiting', 'waiting', 'decided']);
    expect(await storeOf().labels.owned(bench.account)).toMatchObject([
      { answer: '1.0', source: 'Ada+Bob+Kim', cost: 1 },
    ]);
    expect(bench.judged).toBe(3);
  });

  test('the source of a label by many people stays short', async () => {
    const bench = benchOn(storeOf(), { overlap: 3 });
    await bench.queue.order(ordersOf(1));
    const names = ['a', 'b', 'c'].map((name) => name.padEnd(40, 'x'));
    await say(bench, Object.fromEntries(names.map((name) => [name, answerTo('p0', '1')])));
    const [{ source }] = await storeOf().labels.owned(bench.account);
    expect(source).toBe(`A${'x'.repeat(39)}+B${'x'.repeat(39)}+1 more`);
  });

  test('where all say that there is no answer the question is closed; where some do it is in dispute', async () => {
    const bench = benchOn(storeOf(), { overlap: 2 });
    await bench.queue.order(ordersOf(1));
    const no = sayOf('p0', 'no_answer');
    expect(await say(bench, { ada: no, bob: no })).toEqual(['waiting', 'closed']);
    expect(await bench.queue.tasks()).toMatchObject([{ state: 'done', outcome: 'no_answer' }]);
    expect(await storeOf().labels.count(bench.account)).toBe(0);

    const mixed = benchOn(storeOf(), { overlap: 2 });
    await mixed.queue.order(ordersOf(1));
    const said = { ada: no, bob: sayOf('p0', 'bad_question') };
    expect(await say(mixed, said)).toEqual(['waiting', 'disagree']);
    expect(mixed.judged).toBe(0);
  });

  test('a dispute shows what everybody said, keeps its place in the budget, and a ruling makes the label', async () => {
    const bench = await disputed();
    const { disputes, total } = await bench.queue.disputes(10);
    expect(total).toBe(1);
    expect(disputes[0].task).toMatchObject({ promptId: 'p0', state: 'adjudicate' });
    expect(disputes[0].annotations.map((one) => [one.annotator, one.answer])).toEqual([
      ['ada', '1'],
      ['bob', '2'],
    ]);
    const tight = bench.again({ budget: 1 });
    await tight.order(ordersOf(2));
    expect(idOf(await tight.next('kim'))).toBe('budget');
    expect(await bench.queue.submit('bob', answerTo('p0', '2'))).toBe('disagree');
    expect(await tight.rule('root', ruling)).toBe('decided');
    expect(await storeOf().labels.owned(bench.account)).toMatchObject([
      { answer: '3', source: 'Root' },
    ]);
    expect(await bench.queue.disputes(10)).toEqual({ disputes: [], total: 0 });
    await expect(bench.queue.rule('root', ruling)).rejects.toThrow(/not in dispute/);
    expect((await bench.queue.figures()).map(({ annotator }) => annotator)).toEqual(['ada', 'bob']);
  });

  test('a ruling may close the question, but not skip it, and may be taken back', async () => {
    const bench = await disputed();
    await expect(
      bench.queue.rule('root', { ...ruling, kind: 'skip', answer: null }),
    ).rejects.toThrow(UserError);
    await expect(bench.queue.rule('root', { ...ruling, answer: '' })).rejects.toThrow(UserError);
    const bad = { ...ruling, kind: 'bad_question', answer: null } as const;
    expect(await bench.queue.rule('root', bad)).toBe('closed');
    expect(await bench.queue.tasks()).toMatchObject([{ outcome: 'bad_question' }]);
    expect(await bench.queue.undo('root')).toMatchObject({ kind: 'bad_question' });
    expect((await bench.queue.disputes(1)).total).toBe(1);
    expect(await bench.queue.rule('root', ruling)).toBe('decided');
    expect(await bench.queue.undo('root')).toMatchObject({ answer: '3' });
    expect(await storeOf().labels.count(bench.account)).toBe(0);
    expect(await bench.queue.undo('root')).toBeNull();
  });

  test('an answer on which somebody else has ruled cannot be taken back', async () => {
    const bench = await disputed();
    await bench.queue.rule('root', ruling);
    await expect(bench.queue.undo('ada')).rejects.toThrow(/ruled/);
    await bench.queue.undo('root');
    expect(await bench.queue.undo('ada')).toEqual(answerTo('p0', '1'));
    expect(await bench.queue.tasks()).toMatchObject([{ state: 'open' }]);
    expect(await bench.queue.submit('ada', answerTo('p0', '2.0'))).toBe('decided');
    expect(await storeOf().labels.owned(bench.account)).toMatchObject([
      { answer: '2', source: 'Ada+Bob' },
    ]);
  });

  test('a dispute that is withdrawn and ordered again is in dispute again', async () => {
    const bench = await disputed();
    expect(await bench.queue.withdraw(['p0'])).toBe(1);
    expect((await bench.queue.disputes(1)).total).toBe(0);
    await expect(bench.queue.rule('root', ruling)).rejects.toThrow(UserError);
    expect(await bench.queue.order(ordersOf(1))).toBe(1);
    expect((await bench.queue.disputes(1)).total).toBe(1);
  });

  test('a judge that fails loses nothing: the same answer can be given again', async () => {
    const bench = benchOn(storeOf(), { overlap: 2 });
    await bench.queue.order(ordersOf(1));
    await say(bench, { ada: answerTo('p0', '1') });
    await bench.queue.next('bob');
    const broken: Judge = { equivalent: () => Promise.reject(new Error('the judge fell over')) };
    const other = bench.again({}, undefined, broken);
    await expect(other.submit('bob', answerTo('p0', '2'))).rejects.toThrow('fell over');
    expect(await bench.queue.submit('bob', answerTo('p0', '2'))).toBe('disagree');
  });

  test('agreement is counted in classes of the judge', async () => {
    const bench = benchOn(storeOf(), { overlap: 2 });
    expect(await bench.queue.agreement()).toBeNull();
    await addPrompts(storeOf(), 4);
    await bench.queue.order(ordersOf(4));
    const given = [
      ['1', '1.0'],
      ['2', '3'],
      ['1', '1'],
    ];
    for (const [i, [ada, bob]] of given.entries()) {
      await say(bench, { ada: answerTo(`p${i}`, ada), bob: answerTo(`p${i}`, bob) });
    }
    await say(bench, { ada: answerTo('p3', '9') });
    // Ada: 1 2 1, Bob: 1 3 1. By chance (Cohen): 2/3 * 2/3 = 4/9; by all six (Fleiss): 16/36 + 2/36 = 1/2.
    const agreement = await bench.queue.agreement();
    expect(agreement?.questions).toBe(3);
    expect(agreement?.percent).toBeCloseTo(2 / 3, 12);
    expect(agreement?.cohen).toBeCloseTo((2 / 3 - 4 / 9) / (5 / 9), 12);
    expect(agreement?.fleiss).toBeCloseTo(1 / 3, 12);
    // Coincidences: 2 of 6 disagree; expected 1 - (4 * 3) / (6 * 5) = 3/5.
    expect(agreement?.krippendorff).toBeCloseTo(1 - 1 / 3 / (3 / 5), 12);
    const figures = await bench.queue.figures();
    expect(figures).toMatchObject([{ answers: 4 }, { answers: 3, skips: 0, medianSeconds: 0 }]);
  });
}
