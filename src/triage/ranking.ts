/**
 * The pool in the order of its uncertainty, ties and all. Knows nothing of labels or routes.
 */
import { UserError } from '../core/errors.ts';
import { randomScore } from '../uncertainty/random.ts';
import type { ScoreColumn, TieReport } from './types.ts';

/** A ranked pool; every list is by rank, least uncertain first. */
export interface Ranking {
  estimator: string;
  promptIds: string[];
  scores: Float64Array;
  /** Place in the ranking, 0..1 (exclusive); prompts that still tie share the mean of their places. */
  positions: Float64Array;
  ties: TieReport;
}

/**
 * Ranks a pool by its score, ties by `tieBreaks` in turn, what still ties at random (by seed and
 * prompt id, so that the order of the input does not matter).
 */
export function rankPool(
  column: ScoreColumn,
  tieBreaks: readonly ScoreColumn[] = [],
  seed: number = 0,
): Ranking {
  const lookups = tieBreaks.map(lookupOf);
  const seen = lookupOf(column);
  const rows = [...seen].map(([promptId, score]) => ({
    promptId,
    keys: [score, ...lookups.map((lookup, i) => broken(lookup, promptId, tieBreaks[i].estimator))],
    random: randomScore(seed, promptId),
  }));
  rows.sort(
    (a, b) =>
      compareKeys(a.keys, b.keys, a.keys.length) ||
      a.random - b.random ||
      (a.promptId < b.promptId ? -1 : 1),
  );
  const keys = rows.map((row) => row.keys);
  const alone = tieGroups(keys, 1);
  const brokenGroups = tieGroups(keys, keys[0]?.length ?? 1);
  return {
    estimator: column.estimator,
    promptIds: rows.map((row) => row.promptId),
    scores: Float64Array.from(keys, (key) => key[0]),
    positions: positionsOf(brokenGroups),
    ties: {
      ...summary(alone, rows.length),
      distinctBroken: brokenGroups.length,
      tiedBroken: summary(brokenGroups, rows.length).tied,
      largestBroken: summary(brokenGroups, rows.length).largest,
      brokenBy: tieBreaks
        .filter((_, i) => tieGroups(keys, i + 2).length > tieGroups(keys, i + 1).length)
        .map((one) => one.estimator),
    },
  };
}

/** Mean place 0..1 per rank of the score alone, without tie-breakers. */
export function positionsAlone(ranking: Ranking): Float64Array {
  return positionsOf(
    tieGroups(
      Array.from(ranking.scores, (score) => [score]),
      1,
    ),
  );
}

function lookupOf({ estimator, scores }: ScoreColumn): Map<string, number> {
  const lookup = new Map<string, number>();
  for (const { promptId, value } of scores) {
    if (!Number.isFinite(value)) {
      throw new UserError({
        wanted: `a finite ${estimator} score`,
        found: String(value),
        where: `prompt ${promptId}`,
      });
    }
    if (lookup.has(promptId)) {
      throw new UserError({
        wanted: `one ${estimator} score per prompt`,
        found: 'two',
        where: `prompt ${promptId}`,
      });
    }
    lookup.set(promptId, value);
  }
  return lookup;
}

function broken(lookup: Map<string, number>, promptId: string, estimator: string): number {
  const value = lookup.get(promptId);
  if (value !== undefined) return value;
  throw new UserError({
    wanted: `a ${estimator} score for every prompt, to break ties`,
    found: 'none',
    where: `prompt ${promptId}`,
  });
}

function compareKeys(a: readonly number[], b: readonly number[], depth: number): number {
  for (let i = 0; i < depth; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
}

/** Sizes of the runs of sorted rows that agree in their first `depth` keys. */
function tieGroups(sorted: readonly (readonly number[])[], depth: number): number[] {
  const sizes: number[] = [];
  for (let i = 0; i < sorted.length; i++) {
    if (i > 0 && compareKeys(sorted[i - 1], sorted[i], depth) === 0) sizes[sizes.length - 1]++;
    else sizes.push(1);
  }
  return sizes;
}

function positionsOf(sizes: readonly number[]): Float64Array {
  const n = sizes.reduce((sum, size) => sum + size, 0);
  const positions = new Float64Array(n);
  let at = 0;
  for (const size of sizes) {
    positions.fill((at + size / 2) / n, at, at + size);
    at += size;
  }
  return positions;
}

function summary(sizes: readonly number[], n: number) {
  return {
    distinct: sizes.length,
    tied: sizes.reduce((sum, size) => sum + (size > 1 ? size : 0), 0),
    largest: n === 0 ? 0 : sizes.reduce((most, size) => Math.max(most, size), 0) / n,
  };
}
