/**
 * Is a score worth anything? Measured on the probes. Knows nothing of thresholds.
 */

import { stream } from '../core/random.ts';
import { pearson, ResampledRanks, spearman } from '../core/ranks.ts';
import { bootstrapInterval } from '../stats/bootstrap.ts';
import { auroc, aurocOfRanks, brier, ece } from '../stats/classification.ts';
import { partialSpearman } from '../stats/correlation.ts';
import { isotonicAt } from '../stats/isotonic.ts';
import type { Interval } from '../stats/types.ts';
import { positionsAlone, type Ranking } from './ranking.ts';
import { smoothFallingFit } from './smooth.ts';
import type { Probe, ProbePoint, ScoreQuality, TriageSettings, Verdict } from './types.ts';

const FOLDS = 20;

/** The probes that are in the pool, by rank, with their places. */
export function probePoints(ranking: Ranking, probes: readonly Probe[]): ProbePoint[] {
  return pointsOf(ranking, rankedProbes(ranking, probes));
}

interface RankedProbe {
  rank: number;
  probe: Probe;
}

function pointsOf(ranking: Ranking, ranked: readonly RankedProbe[]): ProbePoint[] {
  return ranked.map(({ rank, probe }) => ({
    promptId: probe.promptId,
    position: ranking.positions[rank],
    score: ranking.scores[rank],
    passRate: probe.passRate,
    voteRight: probe.voteRight,
  }));
}

function rankedProbes({ promptIds }: Ranking, probes: readonly Probe[]): RankedProbe[] {
  const byId = new Map(probes.map((probe) => [probe.promptId, probe]));
  const found: RankedProbe[] = [];
  for (const [rank, promptId] of promptIds.entries()) {
    const probe = byId.get(promptId);
    if (probe !== undefined) found.push({ rank, probe });
  }
  return found;
}

/** Resamples that keep the work of a large probe set in bounds; a percentile needs about 200. */
export function resamplesFor(probes: number, settings: TriageSettings): number {
  return Math.min(settings.resamples, Math.max(200, Math.floor(400_000 / Math.max(1, probes))));
}

/**
 * What `ranking` says about the probes' pass rates. `lengths` (mean response tokens per prompt) makes
 * the comparison with plain length possible.
 */
export function scoreQuality(
  ranking: Ranking,
  probes: readonly Probe[],
  settings: TriageSettings,
  lengths?: ReadonlyMap<string, number>,
): ScoreQuality {
  const ranked = rankedProbes(ranking, probes);
  const points = pointsOf(ranking, ranked);
  const places = points.map((point) => point.position);
  const mu = points.map((point) => point.passRate);
  const unmastered = mu.map((value) => value < settings.masteredAt);
  const interval = (name: string, of: (indices: Int32Array) => number): Interval | null =>
    bootstrapInterval(points.length, of, {
      resamples: resamplesFor(points.length, settings),
      level: settings.level,
      random: stream(settings.seed, 'triage', name, ranking.estimator),
    }) ?? null;
  const placeRanks = new ResampledRanks(places);
  const muRanks = new ResampledRanks(mu);
  const area = interval('auroc', (indices) =>
    aurocOfRanks(placeRanks.at(indices), pick(unmastered, indices)),
  );
  const rho = interval('spearman', (indices) =>
    pearson(placeRanks.at(indices), muRanks.at(indices)),
  );
  const aloneByRank = positionsAlone(ranking);
  const alone = ranked.map(({ rank }) => aloneByRank[rank]);
  return {
    estimator: ranking.estimator,
    probes: points.length,
    auroc: area,
    ...heldOutErrors(points, settings),
    spearman: rho,
    aurocAlone: finite(auroc(alone, unmastered)),
    spearmanAlone: finite(spearman(alone, mu)),
    ...againstLength(points, lengths),
    ties: ranking.ties,
    verdict: verdictOf(points.length, area, rho, settings),
  };
}

/**
 * Does the score beat chance: is the lower bound of the AUROC of "not mastered" above one half, and
 * the rank correlation surely negative? The second is asked too because the percentile bootstrap of an
 * AUROC is too sure where one class has but a few probes (one false alarm in nine with four of 40);
 * where all probes are mastered, or none, it is asked alone.
 */
function verdictOf(
  probes: number,
  area: Interval | null,
  rho: Interval | null,
  settings: TriageSettings,
): Verdict {
  if (probes < settings.minProbes) return 'unknown';
  const beats = (area === null || area.low > 0.5) && rho !== null && rho.high < 0;
  return beats ? 'beats chance' : 'no better than chance';
}

/** Brier score and calibration error of the monotone fit, each probe predicted without itself. */
function heldOutErrors(
  points: readonly ProbePoint[],
  settings: TriageSettings,
): { brier: number | null; ece: number | null } {
  const folds = Math.min(FOLDS, points.length);
  if (folds < 2) return { brier: null, ece: null };
  const mu = points.map((point) => point.passRate);
  const predicted = new Float64Array(points.length);
  for (let fold = 0; fold < folds; fold++) {
    const seen = points.filter((_, i) => i % folds !== fold);
    const fit = smoothFallingFit(
      seen.map((point) => ({ x: point.position, y: point.passRate })),
      settings.window,
    );
    for (let i = fold; i < points.length; i += folds) {
      predicted[i] = isotonicAt(fit, points[i].position);
    }
  }
  return { brier: brier(predicted, mu), ece: ece(predicted, mu) };
}

function againstLength(
  points: readonly ProbePoint[],
  lengths: ReadonlyMap<string, number> | undefined,
): { spearmanGivenLength: number | null; spearmanLength: number | null } {
  const known = points.flatMap((point) => {
    const length = lengths?.get(point.promptId);
    return length === undefined ? [] : [{ ...point, length }];
  });
  const mu = known.map((point) => point.passRate);
  const length = known.map((point) => point.length);
  return {
    spearmanGivenLength: finite(
      partialSpearman(
        known.map((point) => point.position),
        mu,
        length,
      ),
    ),
    spearmanLength: finite(spearman(length, mu)),
  };
}

function pick<T>(list: readonly T[], indices: Int32Array): T[] {
  return Array.from(indices, (i) => list[i]);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
