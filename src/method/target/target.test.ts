// What the methods of the surface `target` do, each by its distinguishing step.
import { describe, expect, it } from 'vitest';
import { stream } from '../../core/random.ts';
import { mistakeFor } from '../../label/mistakes.ts';
import type { Target } from '../../reward/types.ts';
import { methodByName } from '../registry.ts';
import { contextOf, groupOf, label, labOf, rewarded, times, vote } from '../testing/groups.ts';
import type { Group, Method } from '../types.ts';

const make = (name: string, settings: object = {}, saved?: unknown): Method =>
  methodByName(name).create(settings, contextOf(), saved);
const again = (name: string, method: Method, settings: object = {}): Method =>
  make(name, settings, JSON.parse(JSON.stringify(method.save?.())));
const admitted = (method: Method, groups: readonly Group[], step = 1) =>
  groups.map(({ promptId }) => promptId).filter((id) => method.admits?.(id, step));

describe('uc_offline', () => {
  /** Consistent: wrong where it is unsure. The later the letter, the less so. */
  const pool = async (target: Target) => [
    await groupOf('agreed', times(4, '1'), target, [1, 2, 3, 4]),
    await groupOf('inverse', ['1', '1', '1', '2'], target, [7, 8, 9, 2]),
    await groupOf('unrelated', ['1', '1', '1', '2'], target, [2, 5, 8, 5]),
    await groupOf('consistent', ['1', '1', '1', '2'], target, [2, 2, 3, 9]),
    await groupOf('nearly', ['1', '1', '1', '2'], target, [2, 2, 8, 9]),
  ];

  it('keeps the smallest r_pb, and the undefined last', async () => {
    const groups = await pool(label('1'));
    const kept = async (keep: number) => {
      const method = make('uc_offline', { keep });
      await method.prepare?.(labOf(groups));
      return admitted(method, groups);
    };
    expect(await kept(0.2)).toEqual(['consistent']);
    expect(await kept(0.4)).toEqual(['consistent', 'nearly']);
    expect(await kept(0.8)).toEqual(['inverse', 'unrelated', 'consistent', 'nearly']);
    expect(await kept(1)).toHaveLength(5);
  });

  it('samples labelled prompts alone, and unlabelled ones only by the proxy, which it names', async () => {
    const groups = [
      ...(await pool(label('1'))),
      await groupOf('unlabelled', ['1', '1', '1', '2'], vote, [1.5, 1.5, 2, 9]),
    ];
    const lab = labOf(groups);
    const method = make('uc_offline', { keep: 0.4, samples: 8 });
    await method.prepare?.(lab);
    expect(lab.sampled).toBe(5 * 8);
    expect(admitted(method, groups)).toEqual(['consistent', 'nearly']);
    expect(method.save?.()).toEqual({ kept: ['consistent', 'nearly'], kept_by_proxy: [] });
    const both = labOf(groups);
    const proxy = make('uc_offline', { keep: 0.2, samples: 8, proxy: true });
    await proxy.prepare?.(both);
    expect(both.sampled).toBe(6 * 8);
    expect(proxy.save?.()).toEqual({ kept: [], kept_by_proxy: ['unlabelled'] });
    expect(admitted(again('uc_offline', proxy), groups)).toEqual(['unlabelled']);
  });

  it('says so when nothing can be judged', async () => {
    const method = make('uc_offline');
    await expect(method.prepare?.(labOf(await pool(vote)))).rejects.toThrow(/uc_offline\.proxy/);
  });
});

describe('difficulty', () => {
  const rated = (promptId: string, right: number, target: Target = label('1')) =>
    groupOf(promptId, [...times(right, '1'), ...times(10 - right, '2')], target);

  it('draws what lies in the interval, its ends included, and what it does not know', async () => {
    const groups = [await rated('hard', 1), await rated('low', 2), await rated('high', 8)];
    groups.push(await rated('easy', 9), await rated('voted', 10, vote));
    const method = make('difficulty', { low: 0.2, high: 0.8, samples: 10 });
    expect(admitted(method, groups)).toHaveLength(5);
    const lab = labOf(groups);
    await method.prepare?.(lab);
    expect(lab.sampled).toBe(50);
    expect(admitted(method, groups)).toEqual(['low', 'high']);
    expect(method.admits?.('unseen', 1)).toBe(true);
    await expect(make('difficulty').prepare?.(labOf([groups[0], groups[3]]))).rejects.toThrow(
      '1 above and 1 below',
    );
  });

  it('follows what visits show, and forgets nothing in a checkpoint', async () => {
    const settings = { samples: 0, rest: 5 };
    const method = make('difficulty', settings);
    await method.prepare?.(labOf([]));
    await method.observe?.(1, [await rated('p', 5)]);
    await method.observe?.(2, [await rated('p', 10)]);
    expect(method.admits?.('p', 3)).toBe(true);
    await method.observe?.(3, [await rated('p', 10)]);
    for (const one of [method, again('difficulty', method, settings)]) {
      expect(one.admits?.('p', 4)).toBe(false);
      expect(one.admits?.('p', 8)).toBe(false);
      expect(one.admits?.('p', 9)).toBe(true);
    }
    const never = again('difficulty', method, { samples: 0, rest: 0 });
    expect(never.admits?.('p', 1000)).toBe(false);
  });

  it('refuses an interval without a middle', () => {
    expect(() => make('difficulty', { low: 0.6, high: 0.4 })).toThrow('low must not be above high');
  });
});

describe('olr', () => {
  const at = async (right: number, answer = '7', other = '3') =>
    await groupOf('p', [...times(right, answer), ...times(8 - right, other)], label('3'));

  /** Plays visits; the target of the last one. */
  async function play(method: Method, visits: readonly Group[], from = 1): Promise<Target> {
    let target: Target = label('3');
    for (const [i, group] of visits.entries()) {
      target = (await method.retarget?.(from + i, group, label('3'))) ?? target;
      await method.observe?.(from + i, [await rewarded(group, target)]);
    }
    return target;
  }
  const rising = async (...counts: number[]) =>
    await Promise.all(counts.map(async (right) => await at(right)));
  const settings = { share: 0.5, visits: 3, slope: 0.05 };

  it('replaces a label that a steady, growing, large majority contradicts', async () => {
    const method = make('olr', settings);
    expect(await play(method, await rising(5, 6))).toEqual(label('3'));
    expect(await play(method, await rising(7), 3)).toEqual(label('7'));
    expect(method.save?.()).toMatchObject({
      p: { answers: ['7'], refined: { label: '3', answer: '7', step: 3 } },
    });
  });

  it.each<[string, Promise<Group[]>]>([
    ['it is not growing', rising(6, 6, 6)],
    ['it is shrinking', rising(7, 6, 5)],
    ['it is young', rising(5, 7)],
    [
      'another answer had it as often',
      Promise.all([at(5, '9'), at(6, '9'), at(7, '9'), at(5), at(6), at(8)]),
    ],
    [
      'its answers are all different',
      Promise.all([at(2, '7', '8'), at(5, '9'), at(6, '5'), at(8, '7')]),
    ],
    ['the verifier cannot tell', Promise.all([5, 6, 7].map((n) => at(n, 'unsure')))],
    ['it says what the label says', Promise.all([5, 6, 7].map((n) => at(n, '3.0', '7')))],
  ])('leaves a label where %s', async (_why, visits) => {
    expect(await play(make('olr', settings), await visits)).toEqual(label('3'));
  });

  it('leaves a label where the majority is too small now', async () => {
    const strict = make('olr', { ...settings, share: 0.9 });
    expect(await play(strict, await rising(5, 6, 7))).toEqual(label('3'));
    expect(await play(strict, await rising(8), 4)).toEqual(label('7'));
  });

  it('takes equal answers for one, whatever their spelling', async () => {
    const visits = await Promise.all([at(5, '7'), at(6, '7.0'), at(7, '7.00')]);
    expect(await play(make('olr', settings), visits)).toEqual(label('7'));
  });

  it('holds on when it cannot grow any more, through a checkpoint, and lets go when outvoted', async () => {
    const method = make('olr', settings);
    await play(method, await rising(6, 7, 8, 8, 8, 8, 8));
    const resumed = again('olr', method, settings);
    expect(await play(resumed, await rising(8), 8)).toEqual(label('7'));
    const turned = Array.from({ length: 8 }, () => at(8, '5'));
    expect(await play(resumed, await Promise.all(turned), 9)).toEqual(label('3'));
  });

  it('has nothing to say of prompts without labels', async () => {
    const method = make('olr', settings);
    for (const [i, group] of (await rising(5, 6, 7, 8)).entries()) {
      expect(await method.retarget?.(i, group, vote)).toEqual(vote);
      await method.observe?.(i, [{ ...group, target: vote }]);
    }
    expect(method.save?.()).toEqual({});
  });

  it('repairs what simulated annotators got wrong and spoils next to nothing', async () => {
    const random = stream(5, 'olr');
    const prompts = Array.from({ length: 60 }, (_, i) => {
      const truth = String(10 + i);
      const wrong = mistakeFor(`p${i}`, truth, { rate: 0.3, seed: 2 }, []);
      // Some prompts are never learnt: their answers stay scattered.
      return { id: `p${i}`, truth, bought: wrong ?? truth, wrong, learns: random.uniform() < 0.8 };
    });
    const method = make('olr', settings);
    const final = new Map<string, Target>();
    for (let step = 1; step <= 10; step++) {
      for (const { id, truth, bought, learns } of prompts) {
        const p = learns ? 0.2 + 0.07 * step : 0.15;
        const answers = Array.from({ length: 16 }, () =>
          random.uniform() < p ? truth : String(1000 + random.below(6)),
        );
        const group = await groupOf(id, answers, label(bought));
        const target = (await method.retarget?.(step, group, label(bought))) ?? group.target;
        await method.observe?.(step, [await rewarded(group, target)]);
        final.set(id, target);
      }
    }
    const answerOf = (id: string) => {
      const target = final.get(id);
      return target?.kind === 'label' ? target.answer : undefined;
    };
    const noisy = prompts.filter(({ wrong }) => wrong !== undefined);
    const repaired = noisy.filter(({ id, truth }) => answerOf(id) === truth);
    const spoilt = prompts.filter(
      ({ id, truth, wrong }) => wrong === undefined && answerOf(id) !== truth,
    );
    expect(noisy.length).toBeGreaterThan(10);
    const learnt = noisy.filter(({ learns }) => learns);
    expect(repaired.length).toBeGreaterThanOrEqual(0.9 * learnt.length);
    expect(spoilt.length).toBeLessThanOrEqual(1);
  });
});

describe('care', () => {
  const wanted = (method: Method, seen: readonly Group[], labelled: string[] = [], step = 1) =>
    method.wanted?.(step, seen, new Set(labelled));

  it('asks where a correction is likely and large, within the budget of the step', async () => {
    const seen = [
      await groupOf('unanimous', times(8, '1')),
      await groupOf('sure', [...times(7, '1'), '2']),
      await groupOf('torn', [...times(4, '1'), ...times(3, '2'), '3']),
      await groupOf('split', [...times(5, '1'), ...times(3, '2')]),
    ];
    expect(wanted(make('care', { per_step: 2 }), seen)).toEqual(['torn', 'split']);
    expect(wanted(make('care', { per_step: 9 }), seen)).toEqual(['torn', 'split', 'sure']);
    expect(wanted(make('care', { per_step: 2 }), seen, ['torn'])).toEqual(['split', 'sure']);
  });

  it('counts the budget over the rounds of a step', async () => {
    const method = make('care', { per_step: 3 });
    const groups = async (name: string) => [
      await groupOf(`${name}1`, ['1', '1', '2']),
      await groupOf(`${name}2`, ['1', '1', '2']),
    ];
    expect(wanted(method, await groups('a'))).toHaveLength(2);
    expect(wanted(method, await groups('b'))).toHaveLength(1);
    expect(wanted(method, await groups('c'))).toHaveLength(0);
    expect(wanted(method, await groups('d'), [], 2)).toHaveLength(2);
  });

  it('learns from labelled groups how reliable a majority is, and remembers it', async () => {
    const small = await groupOf('small', [...times(5, '1'), ...times(3, '2')]);
    const large = await groupOf('large', [...times(6, '1'), ...times(2, '2')]);
    const method = make('care', { per_step: 1 });
    expect(wanted(method, [small, large])).toEqual(['small']);
    for (let i = 0; i < 20; i++) {
      await method.observe?.(i, [
        await groupOf('x', [...times(5, '1'), ...times(3, '2')], label('1')),
        await groupOf('y', [...times(6, '1'), ...times(2, '2')], label('2')),
        await groupOf('z', [...times(6, '1'), ...times(2, '2')], vote),
      ]);
    }
    expect(wanted(method, [small, large], [], 30)).toEqual(['large']);
    expect(wanted(again('care', method, { per_step: 1 }), [small, large])).toEqual(['large']);
    expect(method.save?.()).toEqual({
      '5/8': { right: 20, groups: 20 },
      '6/8': { right: 0, groups: 20 },
    });
  });

  it('prefers the larger correction among votes of one reliability', async () => {
    // Both majorities have 4 of 8; the label would turn three rollouts round here, one at most there.
    const scattered = await groupOf('scattered', [...times(4, '1'), '2', '3', '4', '5']);
    const rival = await groupOf('rival', [...times(4, '1'), ...times(3, '2'), '5']);
    expect(wanted(make('care', { per_step: 1 }), [scattered, rival])).toEqual(['rival']);
  });
});
