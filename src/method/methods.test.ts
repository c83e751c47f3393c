// Several methods in one run: how their hooks are put together, and which do not go together.
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Target } from '../reward/types.ts';
import { defineMethod } from './define.ts';
import { Methods } from './methods.ts';
import { contextOf, groupOf, label, labOf, times, vote } from './testing/groups.ts';
import type { MethodDefinition } from './types.ts';

/** Methods that leave a trace of the order in which they were called. */
const log: string[] = [];
const note = (line: string) => {
  log.push(line);
};

const target = (name: string, refused: string) =>
  defineMethod({
    ...{ name, surface: 'target', summary: 'A test', source: 'none' },
    settings: z.strictObject({ suffix: z.string().default(name) }),
    state: z.strictObject({ steps: z.number() }),
    create({ suffix }, _context, saved) {
      let steps = saved?.steps ?? 0;
      return {
        prepare: async () => note(`${name} prepares`),
        admits: (id) => id !== refused,
        wanted: (_step, seen) => seen.map(({ promptId }) => `${promptId}-${name}`),
        retarget: async (_step, _seen, given): Promise<Target> =>
          given.kind === 'label' ? label(`${given.answer}${suffix}`) : given,
        observe: () => {
          steps += 1;
        },
        save: () => ({ steps }),
      };
    },
  });

const batch = (name: string, rounds: number, atLeast: number, dropped: number) =>
  defineMethod({
    ...{ name, surface: 'batch', summary: 'A test', source: 'none' },
    settings: z.strictObject({}),
    create: () => ({
      rounds,
      pilot: rounds + 1,
      counts: ({ responses }) => responses.length >= atLeast,
      keep: (_step, groups) => groups.filter((_, i) => i !== dropped),
    }),
  });

const advantage = (name: string, factor: number, wider: number) =>
  defineMethod({
    ...{ name, surface: 'advantage', summary: 'A test', source: 'none' },
    settings: z.strictObject({}),
    create: () => ({
      weigh: async (_step, groups) => groups.map((_, i) => factor + i),
      clip: ({ low, high }) => ({ low, high: high + wider }),
    }),
  });

const stubs: MethodDefinition[] = [
  ...[target('one', 'x'), target('two', 'y')],
  ...[batch('first', 2, 2, 0), batch('second', 5, 3, 0)],
  ...[advantage('double', 2, 0.1), advantage('triple', 3, 0.2)],
];

vi.mock('./registry.ts', async (original) => {
  const real = await original<typeof import('./registry.ts')>();
  const found = (name: string) => stubs.find((one) => one.name === name);
  return { ...real, methodByName: (name: string) => found(name) ?? real.methodByName(name) };
});

const open = (use: readonly string[], settings = {}, saved = {}) =>
  Methods.open(use, settings, contextOf(), saved);

describe('methods together', () => {
  it('prepare and retarget in the order in which they were named', async () => {
    const methods = open(['one', 'two']);
    await methods.prepare(labOf([]));
    expect(log).toEqual(['one prepares', 'two prepares']);
    const group = await groupOf('p', ['1']);
    expect(await methods.retarget(1, group, label('a'))).toEqual(label('aonetwo'));
    expect(await open(['two', 'one']).retarget(1, group, label('a'))).toEqual(label('atwoone'));
    expect(await methods.retarget(1, group, vote)).toEqual(vote);
  });

  it('admit what all admit, and want what any wants', async () => {
    const methods = open(['one', 'two', 'dapo']);
    expect(['x', 'y', 'z'].filter((id) => methods.admits(id, 1))).toEqual(['z']);
    const seen = [await groupOf('p', ['1'])];
    expect(methods.wanted(1, seen, new Set())).toEqual(['p-one', 'p-two']);
  });

  it('each hand the next what they keep; a group must count for all', async () => {
    const methods = open(['first', 'second']);
    const groups = await Promise.all([1, 2, 3].map((n) => groupOf(`p${n}`, times(n, '1'))));
    expect(methods.keep(1, groups)).toEqual([groups[2]]);
    expect(groups.map((group) => methods.counts(group))).toEqual([false, false, true]);
    expect([methods.rounds, methods.pilot]).toEqual([5, 6]);
    expect([open(['one']).rounds, open(['one']).pilot]).toEqual([0, null]);
  });

  it('multiply their factors and widen the clip in turn', async () => {
    const methods = open(['double', 'triple']);
    const groups = [await groupOf('p', ['1']), await groupOf('q', ['1'])];
    expect(await methods.weigh(1, groups)).toEqual(Float64Array.of(6, 12));
    expect(await open(['dapo']).weigh(1, groups)).toEqual(Float64Array.of(1, 1));
    const { low, high } = methods.clip({ low: 0.1, high: 0.2 });
    expect([low, high]).toEqual([0.1, expect.closeTo(0.5, 12)]);
  });

  it('save each under its name, and go on with their own', async () => {
    const methods = open(['one', 'first', 'two'], { two: { suffix: '!' } });
    for (let step = 1; step < 4; step++) await methods.observe(step, []);
    const saved: Record<string, unknown> = JSON.parse(JSON.stringify(methods.save()));
    expect(saved).toEqual({ one: { steps: 3 }, two: { steps: 3 } });
    const resumed = open(['two', 'one'], {}, saved);
    await resumed.observe(4, []);
    expect(resumed.save()).toEqual({ one: { steps: 4 }, two: { steps: 4 } });
  });

  it('reward by the majority unless one of them does', async () => {
    const group = await groupOf('p', ['1', '1', '2']);
    expect((await open(['dapo']).reward(1, group)).rewards).toEqual(Float64Array.of(1, 1, 0));
    expect((await open(['self_certainty']).reward(1, group)).kind).toBe('intrinsic');
  });

  it('are refused twice, unknown, or two that reward', () => {
    expect(() => open(['dapo', 'dapo'])).toThrow('dapo twice');
    expect(() => open(['dapper'])).toThrow(/wanted a method \(.*dapo.*found "dapper"/);
    expect(() => open(['self_certainty', 'token_entropy'])).toThrow(
      'self_certainty and token_entropy',
    );
    expect(() => open(['one'], { one: { nonsense: 1 } })).toThrow(/nonsense/);
    expect(() => open(['one'], {}, { one: { steps: 'many' } })).toThrow(/saved state .* one/);
  });
});

describe('real methods together', () => {
  it('thin a step and weigh what is left', async () => {
    const methods = open(['uc_online', 'trapo', 'geomin', 'clip_higher'], {
      uc_online: { keep: 0.5 },
    });
    const groups = [
      await groupOf('sure', ['1', '2'], label('1'), [1, 9]),
      await groupOf('torn', ['1', '2'], label('1'), [5, 5]),
      await groupOf('voted', ['1', '1', '2'], vote),
    ];
    const kept = methods.keep(1, groups);
    expect(kept.map(({ promptId }) => promptId)).toEqual(['sure', 'voted']);
    expect(await methods.weigh(1, kept)).toEqual(Float64Array.of(1, 0));
    await methods.observe(1, groups);
    expect(Object.keys(methods.save())).toEqual(['trapo', 'geomin']);
  });
});
