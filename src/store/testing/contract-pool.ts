/** What every store must do for pools of millions: the part of the contract about pages and columns. */
import { beforeEach, describe, expect, test } from 'vitest';
import { transitionToLine } from '../../triage/disk.ts';
import type { Transition } from '../../triage/types.ts';
import type { Store } from '../types.ts';
import { promptRow, rolloutRow } from './rows.ts';

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

async function all<T>(pieces: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const piece of pieces) list.push(piece);
  return list;
}

/** `storeOf` gives the store of the test that runs, empty. */
export function largePoolContract(name: string, storeOf: () => Store): void {
  describe(`${name}: large pools`, () => {
    let store: Store;
    beforeEach(() => {
      store = storeOf();
    });

    const decision = (i: number) => ({
      ...{ prompt_id: `p${i}"\n`, score: i / 3, rank: i, evidence: { mu: 0.1 + 0.2, by: 'x' } },
    });

    test('the decisions of a plan are kept in pages and come back in order, in place', async () => {
      const decisions = range(2_500).map(decision);
      const body = { version: 1, decisions, name: 'main' };
      expect(await store.plans.save('main', body)).toBe(1);
      expect(await store.plans.get('main')).toEqual({ revision: 1, body });
      expect(await store.browse.planWithoutDecisions('main')).toMatchObject({
        revision: 1,
        body: { version: 1, decisions: [], name: 'main' },
      });
      const pieces = await all(store.plans.text('main'));
      expect(pieces.length).toBeGreaterThan(3);
      expect(pieces.join('')).toBe(JSON.stringify({ version: 1, name: 'main', decisions }));
      expect(await all(store.plans.text('other'))).toEqual([]);
    });

    test('the same decisions keep the revision, one that differs or is gone does not', async () => {
      const head = { name: 'main', decisions: [] };
      const save = (count: number, changed = -1) =>
        store.plans.save(
          'main',
          head,
          (function* () {
            for (const i of range(count))
              yield i === changed ? { ...decision(i), rank: -1 } : decision(i);
          })(),
        );
      expect(await save(2_001)).toBe(1);
      expect(await save(2_001)).toBe(1);
      expect(await save(2_001, 1_500)).toBe(2);
      expect(await save(2_000, 1_500)).toBe(3);
      expect(await save(1_999, 1_500)).toBe(4);
      const saved = await store.plans.get('main');
      expect(saved?.body).toMatchObject({ decisions: { length: 1_999 } });
      expect(await save(0)).toBe(5);
      expect(await store.plans.get('main')).toEqual({ revision: 5, body: head });
      expect(await store.plans.save('main', { name: 'main' })).toBe(6);
      expect(await store.plans.get('main')).toEqual({ revision: 6, body: { name: 'main' } });
    });

    const move = (index: number, from: Transition['from'], to: Transition['to'], step: number) =>
      ({
        ...{ promptId: `p${index}`, from, to, rule: 'quota:"x"\\é' },
        evidence: { score: 1e-9, why: 'a\tb\u001f', probe: true },
        ...{ plan: 'main', round: 0, step: step < 0 ? null : step },
      }) satisfies Transition;

    test('transitions are written out as lines, page by page, as they are written one by one', async () => {
      await store.prompts.add(range(6_000).map(promptRow));
      const moves = range(6_000).map((i) => move(i, i % 2 === 0 ? null : 'new', 'self', -1));
      // Twice in one call, and once more later: written once.
      expect(await store.transitions.append([...moves, moves[0]])).toBe(6_000);
      const later = [move(1, 'self', 'annotate', 3), move(1, 'annotate', 'annotated', 3)];
      expect(await store.transitions.append([...moves.slice(0, 10), ...later])).toBe(2);
      const pages = await all(store.transitions.lines('main'));
      expect(pages.length).toBeGreaterThan(1);
      expect(pages.flat()).toEqual([...moves, ...later].map(transitionToLine));
      expect(pages.flat()).toEqual((await store.transitions.of('main')).map(transitionToLine));
      expect((await store.transitions.routes('main')).get('p1')).toBe('annotated');
      expect(await all(store.transitions.lines('other'))).toEqual([]);
    });

    test('a change that is repeated far behind is left out, and those behind it are not', async () => {
      await store.prompts.add(range(6_000).map(promptRow));
      const first = range(6_000).map((i) => move(i, 'new', 'self', -1));
      const second = range(6_000).map((i) => move(i, 'self', 'annotate', 0));
      const repeated = [...first, first[0], ...second];
      expect(await store.transitions.append(repeated)).toBe(12_000);
      expect(await store.transitions.of('main')).toEqual([...first, ...second]);
      expect(await store.browse.states('main')).toEqual([{ state: 'annotate', prompts: 6_000 }]);
    });

    test('a transition of a prompt that is not in the pool is refused with all others', async () => {
      await store.prompts.add([promptRow(0)]);
      const moves = [move(0, 'new', 'self', -1), move(7, 'new', 'self', -1)];
      await expect(store.transitions.append(moves)).rejects.toThrow(/not in the pool/);
      expect(await store.transitions.of('main')).toEqual([]);
      expect(await store.browse.states('main')).toEqual([]);
    });

    test('scores come as columns over the whole pool, bit for bit', async () => {
      await store.prompts.add([2, 0, 1].map(promptRow));
      const values = [0.1 + 0.2, -1e21, 5e-324];
      const ids = ['p2', 'p0', 'p1'];
      const scores = ids.map((promptId, i) => ({ promptId, value: values[i] }));
      await store.scores.put(0, 'length', scores);
      await store.scores.put(0, 'density', [{ promptId: 'p1', value: Math.PI }]);
      await store.scores.put(1, 'density', [{ promptId: 'p0', value: 1 }]);
      const { promptIds, columns } = await store.scores.table(0);
      expect(promptIds).toEqual(ids);
      expect([...columns.keys()]).toEqual(['density', 'length']);
      expect([...(columns.get('length') ?? [])]).toEqual(values);
      expect([...(columns.get('density') ?? [])]).toEqual([Number.NaN, Number.NaN, Math.PI]);
      expect(await store.rollouts.sampled(0)).toBe(0);
      await store.rollouts.put(0, [rolloutRow(0), rolloutRow(0, 1), rolloutRow(2)]);
      expect(await store.rollouts.sampled(0)).toBe(2);
    });

    test('names that hold what lists are cut at, or nothing, come back as they were', async () => {
      const odd = ['a\u001fb', ' ', 'c\nd', '{"x",}'].map((id) => ({
        ...promptRow(0),
        id,
        prompt: id,
      }));
      expect((await store.prompts.add(odd)).added).toBe(4);
      expect((await store.prompts.list()).map(({ id }) => id)).toEqual(odd.map(({ id }) => id));
      const moves = odd.map(({ id }) => ({ ...move(0, 'new', 'self', -1), promptId: id }));
      expect(await store.transitions.append(moves)).toBe(4);
      expect(await store.transitions.of('main')).toEqual(moves);
      const empty = { ...promptRow(0), source: '', prompt: 'only' };
      await store.prompts.add([empty]);
      expect((await store.prompts.list(['p0']))[0]).toEqual(empty);
      expect(await store.browse.sources()).toEqual([
        { source: 'made up', prompts: 4 },
        { source: '', prompts: 1 },
      ]);
    });
  });
}
