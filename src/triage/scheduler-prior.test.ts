/** Beliefs against the equations of the Gaussian process solved by elimination, and against pools with known pass rates. */
import { describe, expect, test } from 'vitest';
import { spearman } from '../core/ranks.ts';
import { believe } from './scheduler-prior.ts';
import type { Belief, PromptMemory } from './scheduler-types.ts';
import {
  memoryOf,
  rightOf,
  type SampledPrompt,
  sampledPool,
  settings as usual,
} from './testing/sampled-pool.ts';

const SETTINGS = { ...usual, decay: 0.95 };
const STEP = 40;

/** The memory of prompts of which every `each`-th had one group of 8, at a step of its own. */
function visited(pool: readonly SampledPrompt[], each: number): PromptMemory[] {
  return pool.map((prompt, i) => {
    if (i % each > 0) return memoryOf(prompt.promptId);
    const hits = rightOf(prompt, 1, 8);
    return memoryOf(prompt.promptId, { visits: 1, hits, misses: 8 - hits, seen: STEP - (i % 30) });
  });
}
const featuresOf = (pool: readonly SampledPrompt[]) => pool.map(({ features }) => features);
const all = (n: number) => Array.from({ length: n }, (_, i) => i);
const errorOf = (beliefs: readonly Belief[], pool: readonly SampledPrompt[], which: number[]) =>
  which.reduce((sum, i) => sum + Math.abs(beliefs[i].mu - pool[i].mu), 0) / which.length;
const utilityOf = ({ mu }: SampledPrompt) => mu * (1 - mu);

/** A x = b by Gauss-Jordan elimination with pivots. */
function solved(matrix: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, b[i]]);
  for (const at of rows.keys()) {
    const best = rows
      .slice(at)
      .reduce((i, row, j) => (Math.abs(row[at]) > Math.abs(rows[i][at]) ? at + j : i), at);
    [rows[at], rows[best]] = [rows[best], rows[at]];
    for (const [i, row] of rows.entries()) {
      if (i === at) continue;
      const factor = row[at] / rows[at][at];
      rows[i] = row.map((value, j) => value - factor * rows[at][j]);
    }
  }
  return rows.map((row, i) => row[row.length - 1] / row[i]);
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** m + k^T (K + N)^-1 (y - m) at every prompt. */
function posterior(
  seen: readonly { place: number; y: number; noise: number }[],
  features: readonly ArrayLike<number>[],
  reach: number,
): number[] {
  const kernel = (i: number, j: number) => {
    const gaps = Array.from(features[i], (value, d) => (value - features[j][d]) ** 2);
    return Math.exp(-gaps.reduce((a, b) => a + b, 0) / (2 * reach * features[i].length));
  };
  const matrix = seen.map((a, i) =>
    seen.map((b, j) => kernel(a.place, b.place) + (i === j ? a.noise : 0)),
  );
  const centre = mean(seen.map(({ y }) => y));
  const weights = solved(
    matrix,
    seen.map(({ y }) => y - centre),
  );
  return features.map((_, i) =>
    weights.reduce((sum, weight, j) => sum + weight * kernel(i, seen[j].place), centre),
  );
}

describe('the process', () => {
  const pool = sampledPool(40, 3);
  const memories = visited(pool, 2).map((memory, i) =>
    // Probes and prompts that were visited often have more rollouts.
    i % 4 === 0 ? { ...memory, hits: 2.5 * memory.hits, misses: 2.5 * memory.misses } : memory,
  );

  test.each([
    [0.5, 0.2],
    [3, 1],
  ])('is that of the book, at a reach of %d and a noise of %d', (reach, noise) => {
    const beliefs = believe(memories, featuresOf(pool), STEP, { ...SETTINGS, reach, noise });
    const seen = memories.flatMap(({ hits, misses, seen: at }, place) => {
      const n = hits + misses;
      if (at < 0) return [];
      const share = hits / n;
      const doubt = (noise * 8) / (n * 0.95 ** (STEP - at));
      return [
        {
          place,
          share,
          utility: Math.min(0.25, (share * (1 - share) * n) / (n - 1)),
          noise: doubt,
        },
      ];
    });
    const mus = posterior(
      seen.map((one) => ({ ...one, y: one.share })),
      featuresOf(pool),
      reach,
    );
    const utilities = posterior(
      seen.map((one) => ({ ...one, y: one.utility })),
      featuresOf(pool),
      reach,
    );
    for (const [i, { mu, utility }] of beliefs.entries()) {
      expect(mu).toBeCloseTo(Math.min(1, Math.max(0, mus[i])), 9);
      expect(utility).toBeCloseTo(Math.min(0.25, Math.max(1e-3, utilities[i])), 9);
    }
    // Neither bound hides the rest.
    expect(mus.filter((mu) => mu > 0 && mu < 1).length).toBeGreaterThan(30);
  });

  test('listens to the latest prompts alone', () => {
    const old = memoryOf('old', { hits: 0, misses: 8, seen: 1 });
    const young = memoryOf('young', { hits: 8, misses: 0, seen: 9 });
    const apart = [[0], [50], [100]];
    const three = [old, young, memoryOf('other')];
    const few = believe(three, apart, 9, { ...SETTINGS, memory: 1 });
    expect(few.map(({ mu }) => mu)).toEqual([1, 1, 1]);
    const both = believe(three, apart, 9, { ...SETTINGS, memory: 2 });
    expect(both[2].mu).toBeCloseTo(0.5, 12);
    expect(both[0].mu).toBeLessThan(0.3);
  });

  test('doubts what few rollouts showed, and what they showed long ago', () => {
    const apart = [[0], [50], [100]];
    const gap = (hits: number, misses: number, seen: number) => {
      const memories = [
        memoryOf('a', { hits, misses, seen }),
        memoryOf('b', { hits: 0, misses: 8, seen: STEP }),
        memoryOf('c'),
      ];
      const [own, , rest] = believe(memories, apart, STEP, SETTINGS);
      return own.mu - rest.mu;
    };
    // (share - mean) / (1 + noise), the mean 1/2 of a right and a wrong prompt.
    expect(gap(8, 0, STEP)).toBeCloseTo(0.5 / 1.2, 12);
    expect(gap(16, 0, STEP)).toBeCloseTo(0.5 / 1.1, 12);
    expect(gap(2, 0, STEP)).toBeCloseTo(0.5 / 1.8, 12);
    expect(gap(8, 0, STEP - 10)).toBeCloseTo(0.5 / (1 + 0.2 / 0.95 ** 10), 12);
    expect(gap(8, 0, 0)).toBeLessThan(gap(8, 0, STEP - 10));
  });

  test('takes what a group shows of mu (1 - mu) without its bias', () => {
    const apart = [[0], [50], [100], [150]];
    const memories = [
      memoryOf('a', { hits: 6, misses: 2, seen: 1 }),
      memoryOf('b', { hits: 4, misses: 4, seen: 1 }),
      memoryOf('one rollout', { hits: 1, misses: 0, seen: 1 }),
      memoryOf('never'),
    ];
    const [, , , rest] = believe(memories, apart, 1, SETTINGS);
    expect(rest.utility).toBeCloseTo(((0.75 * 0.25 * 8) / 7 + 0.25 + 0.25) / 3, 12);
  });

  test('says the same of all prompts where nothing tells them apart', () => {
    const memories = visited(pool, 4);
    for (const features of [[], [0, 0]]) {
      const beliefs = believe(
        memories,
        memories.map(() => features),
        STEP,
        SETTINGS,
      );
      for (const belief of beliefs) expect(belief).toEqual(beliefs[0]);
      expect(beliefs[0].mu).toBeGreaterThan(0.2);
    }
    const nobody = pool.map(({ promptId }) => memoryOf(promptId));
    expect(believe(nobody, featuresOf(pool), 0, SETTINGS)).toEqual(
      Array(40).fill({ mu: 0.5, utility: 0.25 }),
    );
  });

  test('stays within what can be', () => {
    const close = [[0], [0.01], [0.02], [0.5]];
    const memories = [0, 8, 0, 8].map((hits, i) =>
      memoryOf(`${i}`, { hits, misses: 8 - hits, seen: 1 }),
    );
    const beliefs = believe(memories, close, 1, { ...SETTINGS, noise: 1e-6 });
    for (const { mu, utility } of beliefs) {
      expect(mu).toBeGreaterThanOrEqual(0);
      expect(mu).toBeLessThanOrEqual(1);
      expect(utility).toBe(1e-3);
    }
  });
});

describe('on a simulated pool', () => {
  const pool = sampledPool(400, 5);
  const unseen = all(400).filter((i) => i % 4 > 0);
  const beliefs = believe(visited(pool, 4), featuresOf(pool), STEP, SETTINGS);

  test('pass rates and utilities of prompts that were never visited are known', () => {
    const rho = (read: (one: Belief) => number, truth: (one: SampledPrompt) => number) =>
      spearman(
        unseen.map((i) => read(beliefs[i])),
        unseen.map((i) => truth(pool[i])),
      );
    expect(
      rho(
        ({ mu }) => mu,
        ({ mu }) => mu,
      ),
    ).toBeGreaterThan(0.9);
    expect(rho(({ utility }) => utility, utilityOf)).toBeGreaterThan(0.6);
    const blind = featuresOf(pool).map(() => []);
    const guess = believe(visited(pool, 4), blind, STEP, SETTINGS);
    expect(errorOf(beliefs, pool, unseen)).toBeLessThan(0.5 * errorOf(guess, pool, unseen));
  });

  test('later outcomes win', () => {
    const earlier = visited(pool, 4).map((memory, i) =>
      i % 8 === 0
        ? { ...memory, hits: memory.misses, misses: memory.hits, seen: 0 }
        : { ...memory, seen: memory.seen < 0 ? -1 : STEP },
    );
    const rho = (decay: number) =>
      spearman(
        believe(earlier, featuresOf(pool), STEP, { ...SETTINGS, decay }).map(({ mu }) => mu),
        pool.map(({ mu }) => mu),
      );
    expect(rho(0.8)).toBeGreaterThan(0.85);
    expect(rho(1)).toBeLessThan(0.7);
  });
});

describe('traces', () => {
  const pool = sampledPool(400, 9, { byFeature: [1], byTrace: [2, -2] });
  const plain = visited(pool, 2);
  /** Every visited prompt was traced, and a few that were not visited. */
  const traced = plain.map((memory, i) =>
    i % 2 === 0 || i % 5 === 0 ? { ...memory, traced: pool[i].traced } : memory,
  );
  const without = believe(plain, featuresOf(pool), STEP, SETTINGS);
  const fused = believe(traced, featuresOf(pool), STEP, SETTINGS);

  test('make the beliefs about prompts that have them better, visited or not', () => {
    const visitedOnes = all(400).filter((i) => i % 2 === 0);
    const planned = all(400).filter((i) => i % 2 === 1 && i % 5 === 0);
    for (const which of [visitedOnes, planned]) {
      expect(errorOf(fused, pool, which)).toBeLessThan(0.5 * errorOf(without, pool, which));
    }
  });

  test('say nothing of prompts that have none', () => {
    const rest = all(400).filter((i) => traced[i].traced === null);
    expect(rest.length).toBeGreaterThan(100);
    for (const i of rest) expect(fused[i]).toEqual(without[i]);
  });

  test('may be of any scale', () => {
    const scaled = traced.map((memory) => ({
      ...memory,
      traced: memory.traced && [1e4 + 1e3 * memory.traced[0], 1e-3 * memory.traced[1]],
    }));
    const beliefs = believe(scaled, featuresOf(pool), STEP, SETTINGS);
    for (const i of all(400)) expect(beliefs[i].mu).toBeCloseTo(fused[i].mu, 6);
    const constant = traced.map((memory) => ({ ...memory, traced: memory.traced && [7, 0] }));
    for (const { mu, utility } of believe(constant, featuresOf(pool), STEP, SETTINGS))
      expect(Number.isFinite(mu + utility)).toBe(true);
  });

  test('speak only once a prompt with one was visited', () => {
    const planned = plain.map((memory, i) =>
      i % 2 === 1 ? { ...memory, traced: pool[i].traced } : memory,
    );
    expect(believe(planned, featuresOf(pool), STEP, SETTINGS)).toEqual(without);
  });
});
