/** What the queue must do with labels that people answer again. */
import { expect, test } from 'vitest';
import type { Store } from '../../../store/types.ts';
import {
  answer,
  answerTo,
  type Bench,
  benchOn,
  leaseMs,
  orderOf,
  ordersOf,
  sayOf,
  take,
} from './bench.ts';

const bought = { cost: 0.5, noisy: false, run: null, step: null };

export function checkContract(storeOf: () => Store): void {
  /** Labels of a teacher for these prompts, all of them `2`, and checks of them. */
  const checked = async (indices: readonly number[], settings = {}): Promise<Bench> => {
    const bench = benchOn(storeOf(), settings);
    const ids = indices.map((i) => `p${i}`);
    await bench.queue.orderChecks(ids, 'oracle');
    const labels = ids.map((promptId) => ({ ...bought, promptId, answer: '2', source: 'oracle' }));
    await storeOf().labels.add(bench.account, labels);
    return bench;
  };
  const labelsOf = async ({ account }: Bench) =>
    (await storeOf().labels.owned(account)).map(({ promptId, source, answer: text }) => [
      promptId,
      source,
      text,
    ]);
  const found = async (bench: Bench) => (await bench.queue.checks())[0];

  test('labels are checked where nothing else waits, once each, and cost no budget', async () => {
    const bench = await checked([0, 1], { budget: 2 });
    expect(await bench.queue.orderChecks(['p0', 'p1'], 'oracle')).toBe(0);
    expect(await take(bench, 'ada')).toBe('p0');
    expect(await take(bench, 'bob')).toBe('p1');
    expect(await take(bench, 'kim')).toBe('empty');
    expect(await bench.queue.submit('ada', answerTo('p0', '2.0'))).toBe('check');
    expect(await bench.queue.submit('ada', answerTo('p0', '2.0'))).toBe('check');
    expect(await bench.queue.submit('bob', sayOf('p1', 'skip'))).toBe('skipped');
    expect(await take(bench, 'kim')).toBe('p1');
    expect(await take(bench, 'ada')).toBe('empty');
    expect(await labelsOf(bench)).toEqual([
      ['p0', 'oracle', '2'],
      ['p1', 'oracle', '2'],
    ]);
    expect(await bench.queue.tasks(['p0'])).toMatchObject([
      { state: 'done', outcome: 'labelled', checks: 'oracle' },
    ]);
    // It is no known answer: it says nothing of the annotator.
    expect(await bench.queue.figures()).toMatchObject([
      { annotator: 'ada', answers: 1, gold: { answered: 0, right: 0 } },
      { annotator: 'bob', skips: 1 },
    ]);
  });

  test('every so many questions are checks, gold ones beside them, while there is other work', async () => {
    const bench = await checked([10, 11, 12], { checkEvery: 3, goldEvery: 4 });
    await bench.queue.order(ordersOf(8));
    await bench.queue.orderGold([{ promptId: 'p20', answer: '1' }]);
    const ids: string[] = [];
    for (let i = 0; i < 11; i++) ids.push(await answer(bench, 'ada', '2'));
    expect(ids).toEqual([
      ...['p0', 'p1', 'p10', 'p20', 'p2', 'p11', 'p3', 'p4', 'p12', 'p5', 'p6'],
    ]);
    // Without a share of their own they come where there is nothing else to do.
    const last = await checked([13], { checkEvery: 0 });
    await last.queue.order([orderOf(0)]);
    expect(await answer(last, 'ada', '1')).toBe('p0');
    expect(await take(last, 'ada')).toBe('p13');
    const full = await checked([14], { budget: 1 });
    await full.queue.order([orderOf(0)]);
    expect(await take(full, 'ada')).toBe('p14');
  });

  test('another answer goes to dispute with the label, which stays if the ruling says so', async () => {
    const bench = await checked([0]);
    expect(await answer(bench, 'ada', '7')).toBe('p0');
    const { disputes } = await bench.queue.disputes(5);
    expect(disputes).toMatchObject([
      {
        task: { promptId: 'p0', checks: 'oracle' },
        annotations: [{ annotator: 'ada', answer: '7' }],
        labels: [{ source: 'oracle', answer: '2' }],
      },
    ]);
    const counts = { source: 'oracle', checked: 1, differing: 1 };
    expect(await found(bench)).toEqual({ ...counts, open: 1, wrong: 0, rate: null });
    const ruling = { promptId: 'p0', kind: 'answer', answer: '2.00', note: '' } as const;
    expect(await bench.queue.rule('root', ruling)).toBe('decided');
    expect(await labelsOf(bench)).toEqual([['p0', 'oracle', '2']]);
    expect(await found(bench)).toMatchObject({ ...counts, open: 0, wrong: 0 });
    expect((await found(bench))?.rate?.value).toBe(0);
  });

  test('a ruling against the label takes it back and makes the right one; undone, all is as before', async () => {
    const bench = await checked([0], { budget: 1 });
    await answer(bench, 'ada', '7');
    const ruling = { promptId: 'p0', kind: 'answer', answer: '7', note: '' } as const;
    bench.now += 1;
    expect(await bench.queue.rule('root', ruling)).toBe('decided');
    expect(await labelsOf(bench)).toEqual([['p0', 'Root', '7']]);
    expect(await found(bench)).toMatchObject({ checked: 1, differing: 1, open: 0, wrong: 1 });
    expect((await found(bench))?.rate).toMatchObject({ value: 1, high: 1 });
    await expect(bench.queue.undo('ada')).rejects.toThrow(/ruled/);
    bench.now += 1;
    expect(await bench.queue.undo('root')).toMatchObject({ answer: '7' });
    expect(await labelsOf(bench)).toEqual([['p0', 'oracle', '2']]);
    expect((await bench.queue.disputes(5)).total).toBe(1);
    bench.now += 1;
    const bad = { ...ruling, kind: 'bad_question', answer: null } as const;
    expect(await bench.queue.rule('root', bad)).toBe('closed');
    expect(await labelsOf(bench)).toEqual([]);
    expect(await bench.queue.tasks()).toMatchObject([{ outcome: 'bad_question' }]);
    // Somebody else's question has the place in the budget now.
    await bench.queue.order([orderOf(5)]);
    expect(await take(bench, 'bob')).toBe('p5');
    await expect(bench.queue.undo('root')).rejects.toThrow(/budget/);
    await bench.queue.release('bob');
    expect(await bench.queue.undo('root')).toMatchObject({ kind: 'bad_question' });
    expect(await labelsOf(bench)).toEqual([['p0', 'oracle', '2']]);
  });

  test('an answer that checked a label can be taken back, and the question is asked again', async () => {
    const bench = await checked([0]);
    for (const text of ['7', '2']) {
      await answer(bench, 'ada', text);
      expect(await bench.queue.undo('ada')).toEqual(answerTo('p0', text));
      expect(await bench.queue.tasks()).toMatchObject([{ state: 'open', outcome: null }]);
    }
    expect(await bench.queue.checks()).toEqual([]);
    bench.now += leaseMs;
    expect(await take(bench, 'bob')).toBe('p0');
    expect((await bench.queue.disputes(1)).total).toBe(0);
  });

  test('what people said after a look at the model is left out of the rate, and so is what they answered before', async () => {
    const bench = await checked([0, 1]);
    await take(bench, 'ada');
    await bench.queue.submit('ada', { ...answerTo('p0', '7'), revealed: true });
    expect(await bench.queue.checks()).toEqual([]);
    await bench.queue.order([orderOf(3, 9), orderOf(4, 8)]);
    await answer(bench, 'bob', '1');
    expect(await bench.queue.orderChecks(['p3', 'p4'], 'oracle')).toBe(0);
    expect(await take(bench, 'bob')).toBe('p4');
  });

  test('labels that differ are put before admins; the ruling keeps those that say the same', async () => {
    const bench = benchOn(storeOf());
    const given = (promptId: string, source: string, text: string) =>
      ({ ...bought, promptId, source, answer: text }) as const;
    await storeOf().labels.add(bench.account, [
      ...[given('p0', 'john', '5'), given('p0', 'mara', '6'), given('p0', 'eve', '6.0')],
      ...[given('p1', 'john', '1'), given('p2', 'john', '1'), given('p2', 'mara', '2')],
    ]);
    expect(await bench.queue.contest(['p0', 'p1', 'p2'])).toBe(2);
    expect(await bench.queue.contest(['p0', 'p1', 'p2'])).toBe(0);
    expect(await take(bench, 'ada')).toBe('empty');
    const { disputes } = await bench.queue.disputes(5);
    expect(disputes[0]).toMatchObject({
      annotations: [],
      labels: [{ source: 'john' }, { source: 'mara' }, { source: 'eve' }],
    });
    const ruling = { promptId: 'p0', kind: 'answer', answer: '6', note: '' } as const;
    expect(await bench.queue.rule('root', ruling)).toBe('decided');
    expect((await labelsOf(bench)).filter(([id]) => id === 'p0')).toEqual([
      ['p0', 'mara', '6'],
      ['p0', 'eve', '6.0'],
    ]);
    expect(await bench.queue.contest(['p0'])).toBe(0);
    expect(await bench.queue.undo('root')).toMatchObject({ answer: '6' });
    expect((await labelsOf(bench)).filter(([id]) => id === 'p0')).toHaveLength(3);
  });

  test('what people do is told within the transaction that does it, and not where it fails', async () => {
    const bench = await checked([0]);
    const told: unknown[] = [];
    const queue = bench.recording(async ({ auditLog }, { at, annotator, ...event }) => {
      told.push([annotator, event.action, event.detail]);
      const { action, promptId: subject, detail } = event;
      await auditLog.add({ at, userId: `${bench.account} ${annotator}`, action, subject, detail });
      if (event.action === 'label.undo') throw new Error('the server died');
    });
    await queue.next('ada');
    await queue.submit('ada', answerTo('p0', '7'));
    await expect(queue.undo('ada')).rejects.toThrow('the server died');
    await queue.rule('root', { promptId: 'p0', kind: 'no_answer', answer: null, note: '' });
    expect(told).toEqual([
      ['ada', 'label.submit', { kind: 'answer', verdict: 'check', revealed: false }],
      ['ada', 'label.undo', {}],
      ['root', 'label.rule', { kind: 'no_answer', verdict: 'closed' }],
    ]);
    expect((await bench.queue.annotations()).map(({ undone }) => undone)).toEqual([false, false]);
    const kept = (await storeOf().auditLog.page(100)).filter(({ userId }) =>
      userId?.startsWith(`${bench.account} `),
    );
    expect(kept.map(({ action }) => action)).toEqual(['label.rule', 'label.submit']);
  });
}
