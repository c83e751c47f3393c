/** Draws against the probabilities that they are said to have, counted out by enumeration. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stream } from '../core/random.ts';
import { drawPrompts } from './scheduler-draw.ts';
import type { Belief, PromptMemory } from './scheduler-types.ts';
import { memoryOf } from './testing/sampled-pool.ts';
import type { PromptState } from './types.ts';

const SETTINGS = { power: 2, uniform: 0.1, explore: 0 };

function poolOf(states: readonly PromptState[]): PromptMemory[] {
  return states.map((state, i) => memoryOf(`p${i}`, { state }));
}
const beliefsOf = (utilities: readonly number[]): Belief[] =>
  utilities.map((utility) => ({ mu: 0.5, utility }));

/** How often each prompt is among `k`, over `times` draws. */
function shares(
  states: readonly PromptState[],
  utilities: readonly number[],
  k: number,
  settings = SETTINGS,
  times = 6000,
): number[] {
  const counts = states.map(() => 0);
  const [pool, beliefs, random] = [poolOf(states), beliefsOf(utilities), stream(11, 'draw')];
  for (let i = 0; i < times; i++) {
    for (const id of drawPrompts(pool, beliefs, k, 9, settings, random))
      counts[Number(id.slice(1))]++;
  }
  return counts.map((count) => count / times);
}

/** (1 - uniform) U^power / sum + uniform / n. */
function chances(utilities: readonly number[], { power, uniform }: typeof SETTINGS): number[] {
  const weights = utilities.map((utility) => utility ** power);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => ((1 - uniform) * weight) / total + uniform / weights.length);
}

/** Chance of being one of two that are drawn one after the other without replacement. */
function oneOfTwo(chance: readonly number[]): number[] {
  return chance.map((own, i) =>
    chance.reduce((sum, first, j) => (j === i ? sum : sum + (first * own) / (1 - first)), own),
  );
}

const UTILITIES = [0.25, 0.2, 0.1, 0.05, 0.01];
const TRAINING: PromptState[] = ['new', 'self', 'annotate', 'annotated', 'self'];

describe('drawPrompts', () => {
  test.each([
    SETTINGS,
    { ...SETTINGS, power: 5, uniform: 0.05 },
    { ...SETTINGS, power: 0 },
    { ...SETTINGS, uniform: 1 },
  ])('draws with the mixture of utility and chance: %o', (settings) => {
    const expected = chances(UTILITIES, settings);
    for (const [i, share] of shares(TRAINING, UTILITIES, 1, settings).entries()) {
      expect(Math.abs(share - expected[i]), `p${i}`).toBeLessThan(0.025);
    }
  });

  test('draws several without replacement', () => {
    const expected = oneOfTwo(chances(UTILITIES, SETTINGS));
    for (const [i, share] of shares(TRAINING, UTILITIES, 2).entries()) {
      expect(Math.abs(share - expected[i]), `p${i}`).toBeLessThan(0.025);
    }
  });

  test('revisits what was left out as often as it is told, each alike', () => {
    const states: PromptState[] = [...TRAINING, 'discard', 'discard', 'discard', 'discard'];
    // What was left out is revisited whatever its utility.
    const utilities = [...UTILITIES, 0.25, 0.0001, 0.1, 0.2];
    const found = shares(states, utilities, 2, { ...SETTINGS, explore: 0.2 });
    for (const share of found.slice(5)) expect(Math.abs(share - 0.1)).toBeLessThan(0.02);
    for (const share of shares(states, utilities, 2).slice(5)) expect(share).toBe(0);
  });

  test('takes from one side what the other lacks', () => {
    const states: PromptState[] = ['discard', 'self', 'discard', 'discard', 'self'];
    for (const explore of [0, 0.5, 1]) {
      const settings = { ...SETTINGS, explore };
      const drawn = drawPrompts(poolOf(states), beliefsOf(UTILITIES), 4, 9, settings, stream(1));
      expect(drawn).toHaveLength(4);
      const out = drawn.filter((id) => !['p1', 'p4'].includes(id)).length;
      expect(out).toBe(explore === 1 ? 3 : out);
      expect(out).toBeGreaterThanOrEqual(2);
    }
    const gone: PromptState[] = Array(5).fill('discard');
    const drawn = drawPrompts(poolOf(gone), beliefsOf(UTILITIES), 3, 9, SETTINGS, stream(1));
    expect(drawn).toHaveLength(3);
    expect(drawPrompts([], [], 3, 9, SETTINGS, stream(1))).toEqual([]);
  });

  test('lets prompts without a label rest once none can be bought, and fills in with them', () => {
    const states: PromptState[] = ['self', 'annotated', 'new', 'annotated', 'discard'];
    const pool = states.map((state, i) =>
      memoryOf(`p${i}`, { state, owned: state === 'annotated' }),
    );
    const drawn = (k: number, labelsLeft: number) =>
      drawPrompts(pool, beliefsOf(UTILITIES), k, labelsLeft, SETTINGS, stream(3)).sort();
    expect(drawn(2, 0)).toEqual(['p1', 'p3']);
    expect(drawn(3, 0)).toEqual(['p1', 'p3', expect.stringMatching(/p[024]/)].sort());
    expect(drawn(5, 0)).toHaveLength(5);
    const firsts = Array.from({ length: 50 }, (_, i) =>
      drawPrompts(pool, beliefsOf(UTILITIES), 1, 1, SETTINGS, stream(i)),
    );
    expect(firsts.flat()).toContain('p0');
  });

  test('does not put the revisited at the end', () => {
    const states: PromptState[] = [...TRAINING, 'discard'];
    const utilities = [...UTILITIES, 0.1];
    const places = new Set<number>();
    for (let i = 0; i < 200; i++) {
      const settings = { ...SETTINGS, explore: 1 };
      const drawn = drawPrompts(poolOf(states), beliefsOf(utilities), 4, 9, settings, stream(i));
      places.add(drawn.indexOf('p5'));
    }
    expect([...places].sort()).toEqual([0, 1, 2, 3]);
  });

  test('gives different prompts, as many as there are, the same for the same stream', () => {
    const state = fc.constantFrom<PromptState>('new', 'self', 'annotate', 'annotated', 'discard');
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(state, fc.double({ min: 1e-6, max: 0.25, noNaN: true })), {
          maxLength: 12,
        }),
        fc.nat(15),
        fc.record({ power: fc.integer({ min: 0, max: 8 }), uniform: share, explore: share }),
        fc.nat(1),
        fc.integer(),
        (pool, k, settings, labelsLeft, seed) => {
          const draw = () =>
            drawPrompts(
              poolOf(pool.map(([one]) => one)),
              beliefsOf(pool.map(([, utility]) => utility)),
              ...([k, labelsLeft, settings, stream(seed)] as const),
            );
          const drawn = draw();
          expect(drawn).toHaveLength(Math.min(k, pool.length));
          expect(new Set(drawn).size).toBe(drawn.length);
          expect(draw()).toEqual(drawn);
        },
      ),
      { seed: 4 },
    );
  });
});
