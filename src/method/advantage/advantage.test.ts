// What the methods of the surface `advantage` do, each by its distinguishing step.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { stream } from '../../core/random.ts';
import type { Response } from '../../rollout/types.ts';
import { methodByName } from '../registry.ts';
import { contextOf, groupOf, label, times, vote } from '../testing/groups.ts';
import type { Group, Method, MethodContext } from '../types.ts';

const make = (
  name: string,
  settings: object = {},
  context: Partial<MethodContext> = {},
  saved?: unknown,
): Method => methodByName(name).create(settings, contextOf(context), saved);
const saved = (method: Method): unknown => JSON.parse(JSON.stringify(method.save?.()));
const weights = async (method: Method, groups: readonly Group[], step = 1) =>
  Array.from((await method.weigh?.(step, groups)) ?? []);

describe('clip_higher', () => {
  it('moves the upper bound alone', () => {
    expect(make('clip_higher').clip?.({ low: 0.2, high: 0.2 })).toEqual({ low: 0.2, high: 0.28 });
    expect(make('clip_higher', { high: 1 }).clip?.({ low: 0.1, high: 0.2 })).toEqual({
      ...{ low: 0.1, high: 1 },
    });
  });
});

describe('trapo', () => {
  /** A group in which `right` of 8 rollouts agree with the label or with each other. */
  const visit = (promptId: string, right: number, target = vote) =>
    groupOf(
      promptId,
      [...times(right, '1'), ...Array.from({ length: 8 - right }, (_, k) => `x${k}`)],
      target,
    );
  const recordsOf = (method: Method) =>
    Object.fromEntries(z.array(z.tuple([z.string(), z.unknown()])).parse(saved(method)));
  const settings = { warmup: 3, share: 0, threshold: 0.4 };

  /** Plays visit after visit, one group per prompt and step; the weights of the last step. */
  async function play(
    method: Method,
    courses: Readonly<Record<string, readonly number[]>>,
    labelled: readonly string[],
  ): Promise<Record<string, number>> {
    const steps = Object.values(courses)[0].length;
    let last: Record<string, number> = {};
    for (let step = 0; step < steps; step++) {
      const groups = await Promise.all(
        Object.entries(courses).map(([id, rights]) =>
          visit(id, rights[step], labelled.includes(id) ? label('1') : vote),
        ),
      );
      const given = await weights(method, groups, step + 1);
      last = Object.fromEntries(groups.map(({ promptId }, i) => [promptId, given[i]]));
      await method.observe?.(step + 1, groups);
    }
    return last;
  }

  const courses = {
    labelled1: [1, 3, 5, 7],
    labelled2: [2, 4, 5, 8],
    alike: [3, 4, 6, 8],
    contrary: [7, 6, 5, 3],
    still: [5, 5, 5, 5],
  };
  const labelled = ['labelled1', 'labelled2'];

  it('trusts the votes whose pass rates move as those of labelled prompts do', async () => {
    expect(await play(make('trapo', settings), courses, labelled)).toEqual({
      ...{ labelled1: 1, labelled2: 1 },
      ...{ alike: 1, contrary: 0, still: 0 },
    });
  });

  it('trusts nothing in the warm-up, and nothing without labels', async () => {
    const long = make('trapo', { ...settings, warmup: 5 });
    expect(await play(long, courses, labelled)).toMatchObject({ labelled1: 1, alike: 0 });
    expect(await play(make('trapo', { ...settings, share: 1 }), courses, [])).toEqual({
      ...{ labelled1: 0, labelled2: 0, alike: 0, contrary: 0, still: 0 },
    });
  });

  it('trusts the best share of a step whatever their similarity', async () => {
    const some = make('trapo', { ...settings, threshold: 1, share: 0.67 });
    expect(await play(some, courses, labelled)).toMatchObject({ alike: 1, still: 1, contrary: 0 });
  });

  it('takes trusted prompts as references while they are trusted', async () => {
    const method = make('trapo', settings);
    await play(method, { ...courses, labelled2: [2, 4, 6, 8] }, ['labelled1', 'labelled2']);
    expect(recordsOf(method)).toMatchObject({
      alike: { trusted: true },
      contrary: { trusted: false },
    });
    // With the trusted prompt the mean of the references is (7 + 8 + 8) / 24; without it 15 / 16.
    const newcomer = (one: Method) => Object(recordsOf(one)).newcomer.course[0][1];
    await method.observe?.(5, [await visit('newcomer', 2)]);
    expect(newcomer(method)).toBeCloseTo(23 / 24, 12);
    const fallen = make('trapo', settings, {}, saved(method));
    for (const right of [6, 3, 1]) {
      const groups = [await visit('alike', right), await visit('labelled1', 8, label('1'))];
      await weights(fallen, groups);
      await fallen.observe?.(6, groups);
    }
    expect(recordsOf(fallen)).toMatchObject({ alike: { trusted: false } });
  });

  it('begins anew when a prompt gets its label', async () => {
    const method = make('trapo', settings);
    await method.observe?.(1, [await visit('other', 4, label('1')), await visit('p', 5)]);
    expect(recordsOf(method)).toMatchObject({ p: { rate: 0.625, course: [[0.625, 0.5]] } });
    await method.observe?.(2, [await visit('p', 2, label('1'))]);
    expect(recordsOf(method)).toMatchObject({ p: { labelled: true, rate: 0.25, course: [] } });
  });
});

describe('geomin', () => {
  const direction = [3, 0, 0, 0];

  /** States in which being right shows in the first of four dimensions, the loudest one being noise. */
  const represent = async (responses: readonly Response[]) =>
    responses.map(({ text }, k) => {
      const random = stream(9, text, k);
      const isRight = text.endsWith('1');
      return Float32Array.from(
        direction,
        (far, d) => (isRight ? far : 0) + random.normal() * (d === 3 ? 30 : 0.5) + 100,
      );
    });
  const mixed = () => groupOf('l', ['1', '1', '1', '2', '2', '2'], label('1'));
  const right = () => groupOf('right', ['1', '1', '1', '2']);
  const wrong = () => groupOf('wrong', ['2', '2', '2', '1']);
  const settings = { decay: 0.9, min_responses: 6 };

  it('weighs a vote by how much its winners look like right responses', async () => {
    const method = make('geomin', settings, { represent });
    for (let step = 1; step < 8; step++) await weights(method, [await mixed()], step);
    const [labelled, good, bad] = await weights(method, [
      await mixed(),
      await right(),
      await wrong(),
    ]);
    expect(labelled).toBe(1);
    expect(good).toBeGreaterThan(0.7);
    expect(bad).toBeLessThan(0.3);
    const resumed = make('geomin', settings, { represent }, saved(method));
    const groups = [await right(), await wrong()];
    expect(await weights(resumed, groups)).toEqual(await weights(method, groups));
  });

  it('leaves votes as they are until it has seen enough of either kind', async () => {
    const method = make('geomin', settings, { represent });
    expect(await weights(method, [await mixed(), await wrong()])).toEqual([1, 1]);
    const onlyRight = await groupOf('l', times(6, '1'), label('1'));
    for (let step = 0; step < 9; step++) await weights(method, [onlyRight]);
    expect(await weights(method, [await wrong()])).toEqual([1]);
  });

  it('follows the policy: what was right long ago fades', async () => {
    let flip = false;
    const turning = async (responses: readonly Response[]) =>
      responses.map(({ text }) => Float32Array.of((text.endsWith('1') ? 1 : -1) * (flip ? -1 : 1)));
    const method = make('geomin', { decay: 0.5, min_responses: 3 }, { represent: turning });
    for (let step = 0; step < 5; step++) await weights(method, [await mixed()]);
    expect(await weights(method, [await right(), await wrong()])).toEqual([1, 0]);
    flip = true;
    for (let step = 0; step < 8; step++) await weights(method, [await mixed()]);
    const [good, bad] = await weights(method, [await right(), await wrong()]);
    expect(good).toBeCloseTo(1, 1);
    expect(bad).toBeCloseTo(0, 1);
  });

  it('asks for no state that it does not need', async () => {
    const asked: string[] = [];
    const method = make('geomin', settings, {
      represent: async (responses) => {
        asked.push(...responses.map(({ text }) => text));
        return responses.map(() => new Float32Array(2));
      },
    });
    const intrinsic = await right();
    const groups = [
      await right(),
      { ...intrinsic, reward: { ...intrinsic.reward, kind: 'intrinsic' } },
    ];
    expect(await weights(method, [...groups, await groupOf('tie', ['1', '2'])] as Group[])).toEqual(
      [1, 1, 1],
    );
    expect(asked).toHaveLength(3);
  });
});
