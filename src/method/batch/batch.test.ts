// What the methods of the surface `batch` do, each by its distinguishing step.
import { describe, expect, it } from 'vitest';
import { methodByName } from '../registry.ts';
import { contextOf, groupOf, label, times, vote } from '../testing/groups.ts';
import type { Group, Method } from '../types.ts';

const make = (name: string, settings: object = {}): Method =>
  methodByName(name).create(settings, contextOf(), undefined);
const idsOf = (groups: readonly Group[] | undefined) => groups?.map(({ promptId }) => promptId);

describe('dapo', () => {
  it('has groups replaced that are all right or all wrong, for its rounds', async () => {
    const method = make('dapo', { rounds: 2 });
    expect(method.rounds).toBe(2);
    expect(method.counts?.(await groupOf('p', ['1', '2'], label('1')))).toBe(true);
    expect(method.counts?.(await groupOf('p', ['1', '1'], label('1')))).toBe(false);
    expect(method.counts?.(await groupOf('p', ['2', '2'], label('1')))).toBe(false);
  });
});

describe('early_stop', () => {
  it('says after how many rollouts a group of one mind is left', () => {
    expect(make('early_stop').pilot).toBe(4);
    expect(make('early_stop', { pilot: 2 }).pilot).toBe(2);
  });
});

describe('uc_online', () => {
  const answers = ['1', '1', '2', '2'];
  const of = (promptId: string, right: number, wrong: number, target = label('1')) =>
    groupOf(promptId, answers, target, [right, right, wrong, wrong]);

  it('keeps the largest r, in the order of the step, and at least one group', async () => {
    const groups = [await of('b', 2, 9), await of('c', 3, 3), await of('a', 1.2, 9)];
    const kept = (keep: number) => idsOf(make('uc_online', { keep }).keep?.(1, groups));
    expect(kept(0.3)).toEqual(['a']);
    expect(kept(0.01)).toEqual(['a']);
    expect(kept(0.67)).toEqual(['b', 'a']);
    expect(kept(1)).toEqual(['b', 'c', 'a']);
  });

  it('lets wrong responses speak by gamma', async () => {
    const groups = [await of('sure', 2, 1.1), await of('unsure', 2.2, 8)];
    const first = (gamma: number) =>
      idsOf(make('uc_online', { keep: 0.5, gamma }).keep?.(1, groups));
    expect(first(0)).toEqual(['sure']);
    expect(first(0.1)).toEqual(['unsure']);
    expect(first(2)).toEqual(['unsure']);
  });

  it('ranks groups without an advantage last, below a negative r', async () => {
    const groups = [
      await groupOf('equal', times(4, '1'), label('1')),
      await of('negative', 20, 1),
      await groupOf('judged by nobody', times(4, 'unsure'), label('1')),
    ];
    expect(idsOf(make('uc_online', { keep: 0.3 }).keep?.(1, groups))).toEqual(['negative']);
    expect(make('uc_online').keep?.(1, [groups[0]])).toEqual([groups[0]]);
    expect(make('uc_online').keep?.(1, [])).toEqual([]);
  });

  it('does not heed the weight of a prompt', async () => {
    const groups = [await of('a', 1.2, 9), await of('b', 2, 9)];
    const [light, heavy] = [0.1, 10];
    const weighed = groups.map((group, i) => ({
      ...group,
      advantages: group.advantages.map((a) => a * (i === 0 ? light : heavy)),
    }));
    expect(idsOf(make('uc_online', { keep: 0.5 }).keep?.(1, weighed))).toEqual(['a']);
  });

  it('leaves groups without labels alone, unless told to go by the proxy', async () => {
    const voted = (promptId: string, right: number) =>
      groupOf(promptId, ['1', '1', '1', '2'], vote, [right, right, right, 9]);
    const groups = [
      await voted('v1', 8),
      await of('a', 2, 9),
      await voted('v2', 1),
      await of('b', 3, 9),
    ];
    const kept = (proxy: boolean) =>
      idsOf(make('uc_online', { keep: 0.5, proxy }).keep?.(1, groups));
    expect(kept(false)).toEqual(['v1', 'a', 'v2']);
    expect(kept(true)).toEqual(['a', 'v2']);
  });
});
