/**
 * What every store must do, whatever engine is under it: one suite, run by each implementation's test.
 */
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Transition } from '../../triage/types.ts';
import { BudgetExceeded, type LabelRecord, type Store } from '../types.ts';
import { largePoolContract } from './contract-pool.ts';
import { promptRow, rolloutRow, traceRow } from './rows.ts';

/** A place that a store can be opened on again after it was closed. */
export interface StorePlace {
  open(): Promise<Store>;
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

export function storeContract(name: string, freshPlace: () => Promise<StorePlace>): void {
  describe(`${name}: store contract`, () => {
    let place: StorePlace;
    let store: Store;
    let open = false;

    const reopen = async () => {
      if (open) await store.close();
      store = await place.open();
      open = true;
    };
    beforeEach(async () => {
      if (open) await store.close();
      open = false;
      place = await freshPlace();
      await reopen();
    });
    afterAll(async () => {
      if (open) await store.close();
    });

    const withPrompts = (count: number) => store.prompts.add(range(count).map(promptRow));

    const dumped = async () => {
      const rows: unknown[] = [];
      for await (const row of store.dump()) rows.push(row);
      return rows;
    };

    test('prompts keep their order and content, and come in once', async () => {
      const messages = promptRow(1);
      messages.prompt = [
        { role: 'system', content: 'Be brief. \u0000 \ud83d\ude00' },
        { role: 'user', content: 'it\'s $1 \\ "quoted"' },
      ];
      messages.metadata = { z: 1, a: { nested: [null, true] } };
      expect(await store.prompts.add([promptRow(9), messages])).toEqual({
        added: 2,
        unchanged: 0,
        conflicts: [],
      });
      const other = { ...promptRow(9), prompt: 'something else' };
      expect(await store.prompts.add([messages, other, promptRow(2), promptRow(2)])).toEqual({
        added: 1,
        unchanged: 2,
        conflicts: ['p9'],
      });
      await reopen();
      expect(await store.prompts.list()).toEqual([promptRow(9), messages, promptRow(2)]);
      expect(await store.prompts.list(['p2'])).toEqual([promptRow(2)]);
      expect(await store.prompts.unknown(['p2', 'nobody'])).toEqual(['nobody']);
      expect(await store.prompts.count()).toBe(3);
    });

    test('rollouts come back bit for bit, and putting them again changes nothing', async () => {
      await withPrompts(3);
      const rollouts = [rolloutRow(1, 1), rolloutRow(0), rolloutRow(1, 0)];
      rollouts[1].answer = null;
      rollouts[1].answerClass = -1;
      rollouts[1].finish = 'length';
      await store.rollouts.put(0, rollouts);
      const before = await dumped();
      await store.rollouts.put(0, rollouts);
      expect(await dumped()).toEqual(before);
      await reopen();
      expect(await store.rollouts.of(0, ['p1', 'p0'])).toEqual([
        rollouts[1],
        rollouts[2],
        rollouts[0],
      ]);
      expect(await store.rollouts.of(1, ['p1'])).toEqual([]);
      expect(await store.rollouts.counts(0)).toEqual(
        new Map([
          ['p0', 1],
          ['p1', 2],
        ]),
      );
      const { text: _text, tokens: _tokens, ...digest } = rollouts[2];
      expect((await store.rollouts.digests(0))[1]).toEqual(digest);
    });

    test('a rollout put again is overwritten; NUL in a text is replaced', async () => {
      await withPrompts(1);
      await store.rollouts.put(0, [rolloutRow(0), { ...rolloutRow(0), text: 'a\u0000b' }]);
      expect((await store.rollouts.of(0, ['p0'])).map((r) => r.text)).toEqual(['a\uFFFDb']);
      await store.rollouts.put(0, [{ ...rolloutRow(0), answerClass: 3, text: 'later' }]);
      const [after] = await store.rollouts.of(0, ['p0']);
      expect([after.answerClass, after.text]).toEqual([3, 'later']);
    });

    test('traces come back bit for bit and leave with their round', async () => {
      await withPrompts(2);
      await store.rollouts.put(0, [rolloutRow(0), rolloutRow(1)]);
      await store.rollouts.put(1, [rolloutRow(0)]);
      const without = { ...traceRow(1), changes: null };
      await store.traces.put(0, [without, traceRow(0)]);
      await store.traces.put(0, [without, traceRow(0)]);
      await store.traces.put(1, [traceRow(0)]);
      await reopen();
      expect(await store.traces.of(0, ['p0', 'p1'])).toEqual([traceRow(0), without]);
      expect(await store.traces.changes(0)).toEqual([
        { promptId: 'p0', sample: 0, changes: traceRow(0).changes },
      ]);
      await store.scores.put(0, 'length', [{ promptId: 'p0', value: 1 }]);
      await store.rollouts.clear(0);
      expect(await store.traces.counts(0)).toEqual(new Map());
      expect(await store.scores.of(0, 'length')).toEqual([]);
      expect(await store.traces.counts(1)).toEqual(new Map([['p0', 1]]));
      expect(await store.traces.samples(1, ['p0', 'p1'])).toEqual(new Map([['p0', new Set([0])]]));
    });

    test('a batch far beyond one statement is written whole', async () => {
      await withPrompts(4000);
      await store.rollouts.put(
        0,
        range(4000).map((i) => rolloutRow(i)),
      );
      expect(await store.prompts.count()).toBe(4000);
      expect((await store.rollouts.counts(0)).size).toBe(4000);
      expect((await store.rollouts.of(0, ['p3999']))[0]).toEqual(rolloutRow(3999));
    });

    test('a batch with one bad row is not written at all', async () => {
      await withPrompts(3000);
      const rollouts = range(3001).map((i) => rolloutRow(i));
      await expect(store.rollouts.put(0, rollouts)).rejects.toThrow();
      expect((await store.rollouts.counts(0)).size).toBe(0);
    });

    test('scores and probes are kept per round, estimator and plan', async () => {
      await withPrompts(3);
      const scores = [
        { promptId: 'p2', value: 0.1 + 0.2 },
        { promptId: 'p0', value: -1e-300 },
      ];
      await store.scores.put(0, 'density', [{ promptId: 'p2', value: 9 }]);
      await store.scores.put(0, 'density', scores);
      await store.scores.put(1, 'count', scores);
      expect(await store.scores.of(0, 'density')).toEqual([scores[1], scores[0]]);
      expect(await store.scores.of(0, 'count')).toEqual([]);
      expect(await store.scores.estimators(1)).toEqual(['count']);

      await store.probes.put('main', 0, [{ promptId: 'p1', passRate: 0.25, voteRight: true }]);
      await store.probes.put('main', 1, [{ promptId: 'p1', passRate: 0.5, voteRight: null }]);
      expect(await store.probes.of('main')).toEqual([
        { promptId: 'p1', passRate: 0.5, voteRight: null, round: 1 },
      ]);
      expect(await store.probes.of('random')).toEqual([]);
    });

    const move = (
      index: number,
      from: Transition['from'],
      to: Transition['to'],
      step: number | null,
    ) =>
      ({
        promptId: `p${index}`,
        from,
        to,
        rule: 'quota',
        evidence: { score: 0.5, probe: false, note: 'x' },
        plan: 'main',
        round: 0,
        step,
      }) satisfies Transition;

    test('plans count their revisions, and transitions move the routes once', async () => {
      await withPrompts(3);
      expect(await store.plans.save('main', { b: 1, a: [2] })).toBe(1);
      expect(await store.plans.save('main', { b: 1, a: [2] })).toBe(1);
      const first = [move(1, null, 'annotate', null), move(0, null, 'discard', null)];
      const later = [move(1, 'annotate', 'annotated', 4), move(0, 'discard', 'self', 5)];
      expect(await store.transitions.append(first)).toBe(2);
      expect(await store.transitions.append(later)).toBe(2);
      // A run resumed from an older checkpoint repeats what it did: nothing moves back.
      expect(await store.transitions.append([...first, later[0]])).toBe(0);
      await reopen();
      expect(await store.transitions.of('main')).toEqual([...first, ...later]);
      expect(await store.transitions.routes('main')).toEqual(
        new Map([
          ['p0', 'self'],
          ['p1', 'annotated'],
        ]),
      );
      expect(await store.plans.save('main', { b: 2 })).toBe(2);
      expect(await store.transitions.append([move(0, 'self', 'discard', null)])).toBe(1);
      expect((await store.transitions.routes('main')).get('p0')).toBe('discard');
      expect(await store.plans.get('main')).toEqual({ revision: 2, body: { b: 2 } });
      expect(await store.plans.get('random')).toBeUndefined();
      expect(await store.plans.names()).toEqual(['main']);
    });

    test('a run without a plan files its transitions under a name of its own', async () => {
      await withPrompts(2);
      const moves = [move(0, 'new', 'self', 1), move(0, 'self', 'annotate', 2)].map((one) => {
        return { ...one, plan: 'run a' };
      });
      expect(await store.transitions.append(moves)).toBe(2);
      expect(await store.transitions.append(moves)).toBe(0);
      await reopen();
      expect(await store.transitions.of('run a')).toEqual(moves);
      expect(await store.transitions.routes('run a')).toEqual(new Map([['p0', 'annotate']]));
      expect(await store.transitions.of('main')).toEqual([]);
      expect(await store.plans.names()).toEqual([]);
    });

    const label = (index: number, more: Partial<LabelRecord> = {}): LabelRecord => ({
      promptId: `p${index}`,
      answer: String(index),
      source: 'file',
      cost: 1,
      noisy: false,
      run: 'a',
      step: 7,
      ...more,
    });

    test('labels are counted once per account, and accounts do not see each other', async () => {
      await withPrompts(4);
      expect(await store.labels.add('a', [label(2), label(0, { noisy: true })])).toBe(2);
      expect(await store.labels.add('a', [label(2, { answer: 'other', step: 9 })])).toBe(0);
      expect(await store.labels.add('a', [label(2, { source: 'ann' })])).toBe(1);
      expect(await store.labels.add('b', [label(1, { run: null, step: null })])).toBe(1);
      await reopen();
      const { noisy: _noisy, ...owned } = label(2);
      expect((await store.labels.owned('a'))[0]).toEqual(owned);
      expect(await store.labels.owned('a', ['p1'])).toEqual([]);
      expect(await store.labels.count('a')).toBe(2);
      expect(await store.labels.count('b')).toBe(1);
      expect((await store.labels.audit('a')).map((l) => l.noisy)).toEqual([false, true, false]);
      expect(await store.labels.accounts()).toEqual(['a', 'b']);
    });

    test('an account never exceeds its limit, and repeating a purchase at the limit is fine', async () => {
      await withPrompts(4);
      await store.labels.add('a', [label(0), label(1)], 2);
      expect(await store.labels.add('a', [label(1)], 2)).toBe(0);
      await expect(store.labels.add('a', [label(2)], 2)).rejects.toThrow(BudgetExceeded);
      expect(await store.labels.count('a')).toBe(2);
      const results = await Promise.allSettled(
        [2, 3].map((i) => store.labels.add('a', [label(i)], 3)),
      );
      expect(results.map((r) => r.status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(await store.labels.count('a')).toBe(3);
    });

    test('runs and single values are overwritten by name', async () => {
      const run = {
        name: 'arm',
        kind: 'train',
        status: 'running' as const,
        plan: 'main',
        account: null,
        config: { lr: 1e-6 },
        summary: null,
      };
      await store.runs.put(run);
      await store.runs.put({ ...run, status: 'done', summary: { accuracy: 0.5 } });
      expect(await store.runs.get('arm')).toEqual({
        ...run,
        status: 'done',
        summary: { accuracy: 0.5 },
      });
      expect((await store.runs.list()).length).toBe(1);
      await store.meta.put('trace', { tau: null });
      await store.meta.put('trace', { tau: 0.125 });
      expect(await store.meta.get('trace')).toEqual({ tau: 0.125 });
      expect(await store.meta.get('nothing')).toBeUndefined();
    });

    test('a transaction is all or nothing, and others wait for it', async () => {
      await withPrompts(1);
      const failing = store.transaction(async (inside) => {
        await inside.meta.put('a', 1);
        await inside.rollouts.put(0, [rolloutRow(0)]);
        throw new Error('changed my mind');
      });
      const outside = store.meta.put('b', 2);
      await expect(failing).rejects.toThrow('changed my mind');
      await outside;
      expect(await store.meta.get('a')).toBeUndefined();
      expect(await store.meta.get('b')).toBe(2);
      expect((await store.rollouts.counts(0)).size).toBe(0);
    });

    largePoolContract(name, () => store);
  });
}
