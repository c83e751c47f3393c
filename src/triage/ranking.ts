/**
 * The pool in the order of its uncertainty, ties and all. Numbers are kept in columns: a pool may have millions of
 * prompts. Knows nothing of labels or routes.
 */
import { UserError } from '../core/errors.ts';
import { randomScore } from '../uncertainty/random.ts';
import { ascending } from './argsort.ts';
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

/** The prompts of a pool, and what orders those that nothing else does. Rankings of one pool share it. */
export class PoolOrder {
  readonly ids: readonly string[];
  private readonly seed: number;
  /** By place in `ids`; made when it is first asked for. */
  private readonly lots: Float64Array;

  constructor(ids: readonly string[], seed: number) {
    this.ids = ids;
    this.seed = seed;
    this.lots = new Float64Array(ids.length).fill(Number.NaN);
  }

  /** In [0, 1); by seed and id alone. */
  lotOf(place: number): number {
    if (Number.isNaN(this.lots[place])) {
      this.lots[place] = randomScore(this.seed, this.ids[place]);
    }
    return this.lots[place];
  }
}

/** The order of the prompts that `column` has scores of. UserError where one has two. */
export function poolOrder(column: ScoreColumn, seed: number): PoolOrder {
  return new PoolOrder(columnOf(column).ids, seed);
}

/**
 * Ranks a pool by its score, ties by `tieBreaks` in turn, what still ties at random (by seed and
 * prompt id, so that the order of the input does not matter). `pool`: of a column over the same prompts.
 */
export function rankPool(
  column: ScoreColumn,
  tieBreaks: readonly ScoreColumn[] = [],
  seed: number = 0,
  pool: PoolOrder = poolOrder(column, seed),
): Ranking {
  const values = inPlace(pool.ids, column);
  // Scores of other prompts than the pool's: an order of their own.
  if (values === null) return rankPool(column, tieBreaks, seed);
  const { ids } = pool;
  const unordered = [values, ...tieBreaks.map((one) => alignedTo(ids, one))];
  const order = ordered(pool, unordered);
  const keys = unordered.map((key) => Float64Array.from(order, (at) => key[at]));
  const alone = tieGroups(keys, 1);
  const brokenGroups = tieGroups(keys, keys.length);
  return {
    estimator: column.estimator,
    promptIds: Array.from(order, (at) => ids[at]),
    scores: keys[0],
    positions: positionsOf(brokenGroups),
    ties: {
      ...summary(alone, order.length),
      distinctBroken: brokenGroups.length,
      tiedBroken: summary(brokenGroups, order.length).tied,
      largestBroken: summary(brokenGroups, order.length).largest,
      brokenBy: tieBreaks
        .filter((_, i) => tieGroups(keys, i + 2).length > tieGroups(keys, i + 1).length)
        .map((one) => one.estimator),
    },
  };
}

/** Mean place 0..1 per rank of the score alone, without tie-breakers. */
export function positionsAlone(ranking: Ranking): Float64Array {
  return positionsOf(tieGroups([ranking.scores], 1));
}

/** Places in the pool, the least uncertain first. Only equals are compared: most of the work is the first score's. */
function ordered(pool: PoolOrder, keys: readonly Float64Array[]): Uint32Array {
  const { ids } = pool;
  const [first, ...later] = keys;
  const order = ascending(first);
  const compare = (a: number, b: number): number => {
    for (const key of later) if (key[a] !== key[b]) return key[a] - key[b];
    return pool.lotOf(a) - pool.lotOf(b) || (ids[a] < ids[b] ? -1 : 1);
  };
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && first[order[to]] === first[order[from]]) to++;
    if (to - from > 1) order.subarray(from, to).sort(compare);
    from = to;
  }
  return order;
}

/** The scores of `ids` where the column has these in this order and no others; null where it has not. */
function inPlace(ids: readonly string[], { estimator, scores }: ScoreColumn): Float64Array | null {
  const values = new Float64Array(ids.length);
  let place = 0;
  for (const { promptId, value } of scores) {
    if (promptId !== ids[place]) return null;
    requireFinite(estimator, promptId, value);
    values[place++] = value;
  }
  return place === ids.length ? values : null;
}

/** Ids and scores in the column's order. UserError for a score that is no number, or two of one prompt. */
function columnOf({ estimator, scores }: ScoreColumn): { ids: string[]; values: Float64Array } {
  const ids: string[] = [];
  const values: number[] = [];
  const seen = new Set<string>();
  for (const { promptId, value } of scores) {
    requireFinite(estimator, promptId, value);
    if (seen.has(promptId)) {
      throw new UserError({
        wanted: `one ${estimator} score per prompt`,
        found: 'two',
        where: `prompt ${promptId}`,
      });
    }
    seen.add(promptId);
    ids.push(promptId);
    values.push(value);
  }
  return { ids, values: Float64Array.from(values) };
}

/** The scores of `ids`, in their order. UserError where one is missing. */
function alignedTo(ids: readonly string[], column: ScoreColumn): Float64Array {
  const values = inPlace(ids, column);
  if (values !== null) return values;
  const found = columnOf(column);
  const lookup = new Map(found.ids.map((id, i) => [id, found.values[i]]));
  return Float64Array.from(ids, (id) => {
    const value = lookup.get(id);
    if (value !== undefined) return value;
    throw new UserError({
      wanted: `a ${column.estimator} score for every prompt, to break ties`,
      found: 'none',
      where: `prompt ${id}`,
    });
  });
}

function requireFinite(estimator: string, promptId: string, value: number): void {
  if (Number.isFinite(value)) return;
  throw new UserError({
    wanted: `a finite ${estimator} score`,
    found: String(value),
    where: `prompt ${promptId}`,
  });
}

/** Sizes of the runs of ranks that agree in their first `depth` keys. */
function tieGroups(keys: readonly Float64Array[], depth: number): number[] {
  const compared = keys.slice(0, depth);
  const sizes: number[] = [];
  for (let i = 0; i < keys[0].length; i++) {
    if (i > 0 && compared.every((key) => key[i - 1] === key[i])) sizes[sizes.length - 1]++;
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
