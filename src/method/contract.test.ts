// What every method owes, whatever it does: run over all that are registered.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type RandomStream, stream } from '../core/random.ts';
import type { Target } from '../reward/types.ts';
import { methodByName, methods } from './registry.ts';
import {
  contextOf,
  groupOf,
  label,
  labOf,
  rewarded,
  rollout,
  sawOf,
  vote,
} from './testing/groups.ts';
import type { Group, Method, Surface } from './types.ts';

const HOOKS: Record<Surface, readonly string[]> = {
  target: ['prepare', 'admits', 'wanted', 'retarget'],
  reward: ['reward', 'second', 'teacherDecay'],
  batch: ['rounds', 'pilot', 'counts', 'keep'],
  advantage: ['weigh', 'clip'],
};
const EVERYBODYS = ['observe', 'save'];

/** Some like numbers: those change places in an object. */
const IDS = ['a', 'b', '17', 'c', '3', 'd', '11', 'e'];
const prompts = new Map(
  IDS.map((id) => [id, { id, prompt: `question ${id}`, source: 'test', metadata: {} }]),
);
/** Every other prompt has a label. */
const targetOf = (id: string): Target => (IDS.indexOf(id) % 2 === 0 ? label('1') : vote);

const make = (name: string, saved?: unknown): Method =>
  methodByName(name).create({}, contextOf({ prompts }), saved);
const through = (name: string, method: Method): Method => {
  const kept = method.save?.();
  return make(name, kept === undefined ? undefined : JSON.parse(JSON.stringify(kept)));
};

/** Four rollouts that the prompt gets better at with time, with second responses of another hand. */
async function seenAt(id: string, step: number, random: RandomStream) {
  const one = () => {
    const answer = random.uniform() < 0.3 + 0.05 * step ? '1' : String(2 + random.below(3));
    return rollout(random.uniform() < 0.1 ? undefined : answer, 1 + 5 * random.uniform());
  };
  const responses = Array.from({ length: 4 }, one);
  return { ...(await sawOf(id, responses)), second: Array.from({ length: 4 }, one) };
}

async function prepared(name: string): Promise<Method> {
  const method = make(name);
  const random = stream(3, 'lab');
  const groups: Group[] = [];
  for (const id of IDS) groups.push(await rewarded(await seenAt(id, 0, random), targetOf(id)));
  await method.prepare?.(labOf(groups));
  return method;
}

/** One step as the loop makes it, and all that the method had to say. */
async function play(method: Method, step: number): Promise<unknown> {
  const random = stream(7, 'step', step);
  const drawn = random.shuffled(IDS).slice(0, 5);
  const admitted = drawn.filter((id) => method.admits?.(id, step) ?? true);
  const seen = [];
  for (const id of drawn) seen.push(await seenAt(id, step, random));
  const labelled = new Set(IDS.filter((id) => targetOf(id).kind === 'label'));
  const wanted = method.wanted?.(step, seen, labelled);
  const groups: Group[] = [];
  for (const one of seen) {
    const given = targetOf(one.promptId);
    const target = (await method.retarget?.(step, one, given)) ?? given;
    groups.push(await rewarded(one, target, method));
  }
  const kept = method.keep?.(step, groups) ?? groups;
  const factors = await method.weigh?.(step, kept);
  await method.observe?.(step, groups);
  return {
    ...{ admitted, wanted, factors: factors === undefined ? null : Array.from(factors) },
    targets: groups.map(({ target }) => target),
    rewards: groups.map(({ reward }) => reward.rewards && Array.from(reward.rewards)),
    counts: groups.map((group) => method.counts?.(group)),
    kept: kept.map(({ promptId }) => promptId),
    second: [...prompts.values()].map((prompt) => method.second?.(prompt)),
    fixed: [
      method.rounds,
      method.pilot,
      method.teacherDecay,
      method.clip?.({ low: 0.1, high: 0.2 }),
    ],
  };
}

async function playAll(method: Method, from: number, to: number): Promise<unknown[]> {
  const said: unknown[] = [];
  for (let step = from; step <= to; step++) said.push(await play(method, step));
  return said;
}

it('names every method once, in snake case, with its paper', () => {
  const names = methods.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, source, summary } of methods) {
    expect(name).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
    expect(source).toMatch(/arXiv \d{4}\.\d{5}/);
    expect(summary).toMatch(/^[A-Z][^.]*$/);
  }
});

describe.each(methods.map(({ name, surface }) => [name, surface] as const))(
  '%s',
  (name, surface) => {
    it('uses hooks of its surface alone, and at least one', () => {
      const used = Object.keys(make(name));
      expect([...HOOKS[surface], ...EVERYBODYS]).toEqual(expect.arrayContaining(used));
      expect(used.some((hook) => HOOKS[surface].includes(hook))).toBe(true);
    });

    it('has a default for every setting and refuses those that it does not know', () => {
      const { settings } = methodByName(name);
      const defaults = settings.parse({});
      for (const key of Object.keys(Object(defaults))) expect(key).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(settings.safeParse({ nonsense: 1 }).success).toBe(false);
      expect(settings.parse(defaults)).toEqual(defaults);
      const { properties = {} } = z.toJSONSchema(settings);
      for (const one of Object.values(properties)) expect(one).toHaveProperty('description');
    });

    it('goes on from a checkpoint as if it had not been stopped', async () => {
      const whole = await prepared(name);
      const said = await playAll(whole, 1, 12);
      for (const cut of [0, 1, 6]) {
        const first = await prepared(name);
        await playAll(first, 1, cut);
        const second = through(name, first);
        expect(await playAll(second, cut + 1, 12)).toEqual(said.slice(cut));
        expect(second.save?.()).toEqual(whole.save?.());
      }
    });

    it('keeps state that it can read, and refuses what is not its own', async () => {
      const method = await prepared(name);
      await playAll(method, 1, 3);
      expect(through(name, method).save?.()).toEqual(method.save?.());
      if (method.save === undefined) return;
      expect(() => make(name, { a: 'rubbish' })).toThrow(/saved state/);
    });

    it('says the same again', async () => {
      const [one, two] = [await prepared(name), await prepared(name)];
      expect(await playAll(one, 1, 8)).toEqual(await playAll(two, 1, 8));
    });

    it('is at ease with no group, one group, and groups of nothing', async () => {
      const second = [rollout('1')];
      const odd: Group[][] = [
        [],
        [await groupOf('a', ['1', '1', '2', '2'], label('1'))],
        [await groupOf('b', ['1', '1', '2', '2'])],
        [await groupOf('c', []), await groupOf('d', [], label('1'))],
        [await groupOf('e', [undefined, undefined]), await groupOf('f', ['1'], { kind: 'none' })],
        [await groupOf('g', ['1', '1', '1']), await groupOf('h', ['2', '2'], label('1'))],
      ];
      const method = make(name);
      for (const [i, groups] of odd.entries()) {
        const step = i + 1;
        const ids = groups.map(({ promptId }) => promptId);
        const wanted = method.wanted?.(step, groups, new Set(['d'])) ?? [];
        expect(ids.filter((id) => id !== 'd')).toEqual(expect.arrayContaining([...wanted]));
        for (const group of groups) {
          expect(typeof (method.admits?.(group.promptId, step) ?? true)).toBe('boolean');
          await method.retarget?.(step, group, group.target);
          const given = await method.reward?.(step, { ...group, second });
          expect(given?.rewards?.length ?? group.responses.length).toBe(group.responses.length);
          method.counts?.(group);
        }
        const kept = method.keep?.(step, groups) ?? groups;
        expect(groups.filter((group) => kept.includes(group))).toEqual(kept);
        const factors = await method.weigh?.(step, kept);
        if (factors !== undefined) expect(factors).toHaveLength(kept.length);
        for (const factor of Array.from(factors ?? [])) {
          expect(factor).toBeGreaterThanOrEqual(0);
          expect(factor).toBeLessThan(Number.POSITIVE_INFINITY);
        }
        await method.observe?.(step, groups);
      }
      expect(through(name, method).save?.()).toEqual(method.save?.());
    });

    it('changes nothing of what it is shown', async () => {
      const method = await prepared(name);
      const random = stream(9, 'shown');
      const seen = [await seenAt('a', 1, random), await seenAt('b', 1, random)];
      const groups = [await rewarded(seen[0], label('1')), await rewarded(seen[1], vote)];
      const before = structuredClone({ seen, groups });
      method.wanted?.(1, seen, new Set());
      await method.retarget?.(1, seen[0], label('1'));
      await method.reward?.(1, seen[1]);
      method.keep?.(1, groups);
      await method.weigh?.(1, groups);
      await method.observe?.(1, groups);
      expect({ seen, groups }).toEqual(before);
    });
  },
);
