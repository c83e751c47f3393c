/**
 * Pass rate and vote correctness along a ranking, learnt from the probes (METHOD, section 5.2).
 * Knows nothing of routes.
 */
import { stream } from '../core/random.ts';
import { percentileInterval, resampleIndices } from '../stats/bootstrap.ts';
import { isotonicAt } from '../stats/isotonic.ts';
import type { Interval } from '../stats/types.ts';
import { probePoints, resamplesFor, scoreQuality } from './quality.ts';
import type { Ranking } from './ranking.ts';
import { type Observation, smoothFallingFit, windowSize } from './smooth.ts';
import type {
  CalibrationPoint,
  CalibrationReport,
  Probe,
  ProbePoint,
  TriageSettings,
} from './types.ts';

/** Points of the curve at most; between them intervals are interpolated. */
const GRID = 201;

/** sqrt(mu (1 - mu)): what bounds the gain of one training step on a prompt, 0..0.5. */
export function utility(mu: number): number {
  return Math.sqrt(Math.max(0, mu * (1 - mu)));
}

/** Everything the probes say about a ranking. */
export function calibrate(
  ranking: Ranking,
  probes: readonly Probe[],
  settings: TriageSettings,
  lengths?: ReadonlyMap<string, number>,
): CalibrationReport {
  const dots = probePoints(ranking, probes);
  const votes = dots.flatMap((dot) => (dot.voteRight === null ? [] : [Number(dot.voteRight)]));
  const mean = (list: readonly number[]) =>
    list.length === 0 ? null : list.reduce((sum, value) => sum + value, 0) / list.length;
  return {
    ...scoreQuality(ranking, probes, settings, lengths),
    masteredAt: settings.masteredAt,
    level: settings.level,
    meanPassRate: mean(dots.map((dot) => dot.passRate)),
    meanVoteRight: mean(votes),
    curve: dots.length === 0 ? [] : curveOf(ranking, dots, settings),
    dots,
  };
}

/** The curve at a place of the ranking, by linear interpolation; undefined without probes. */
export function curveAt(
  curve: readonly CalibrationPoint[],
  position: number,
): { passRate: Interval; vote: Interval | null } | undefined {
  if (curve.length === 0) return undefined;
  const high = Math.min(firstFrom(curve, position), curve.length - 1);
  const low = Math.max(0, curve[high].position === position ? high : high - 1);
  const [from, to] = [curve[low], curve[high]];
  const span = to.position - from.position;
  const share = span === 0 ? 0 : Math.min(1, (position - from.position) / span);
  return {
    passRate: between(from.passRate, to.passRate, share),
    vote: from.vote === null || to.vote === null ? null : between(from.vote, to.vote, share),
  };
}

/** The first point that is not before `position`, by halving: asked for every prompt of the pool. */
function firstFrom(curve: readonly CalibrationPoint[], position: number): number {
  let low = 0;
  let high = curve.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (curve[middle].position >= position) high = middle;
    else low = middle + 1;
  }
  return low;
}

function between(a: Interval, b: Interval, share: number): Interval {
  const mix = (x: number, y: number) => x + share * (y - x);
  return {
    estimate: mix(a.estimate, b.estimate),
    low: mix(a.low, b.low),
    high: mix(a.high, b.high),
    level: a.level,
  };
}

function curveOf(
  ranking: Ranking,
  dots: readonly ProbePoint[],
  settings: TriageSettings,
): CalibrationPoint[] {
  const n = ranking.promptIds.length;
  const size = Math.min(GRID, n);
  const ranks = Array.from({ length: size }, (_, i) =>
    size === 1 ? 0 : Math.round((i * (n - 1)) / (size - 1)),
  );
  // A random ranking carries nothing: a monotone fit along it would be a slope made of noise.
  const place = (position: number) => (ranking.estimator === 'random' ? 0.5 : position);
  const grid = ranks.map((rank) => place(ranking.positions[rank]));
  const passRates = band(
    dots.map((dot) => ({ x: place(dot.position), y: dot.passRate })),
    grid,
    settings,
    'pass_rate',
  );
  const votes = band(
    dots.flatMap(({ position, voteRight }) =>
      voteRight === null ? [] : [{ x: place(position), y: Number(voteRight) }],
    ),
    grid,
    settings,
    'vote',
  );
  return ranks.map((rank, i) => ({
    position: ranking.positions[rank],
    score: ranking.scores[rank],
    window: windowMean(dots, ranking.positions[rank], settings.window),
    passRate: passRates[i],
    vote: votes.length === 0 ? null : votes[i],
    utility: utility(passRates[i].estimate),
  }));
}

/**
 * The falling fit read at the places of `grid`, with percentile bootstrap intervals over the probes.
 *
 * Each resample sees one more probe of unknown outcome per window, a fair coin: fifteen right probes
 * in a row do not prove a pass rate of 1, and without it the intervals there have no width at all.
 */
function band(
  points: readonly Observation[],
  grid: readonly number[],
  settings: TriageSettings,
  name: string,
): Interval[] {
  if (points.length === 0) return [];
  const fitAt = (sorted: readonly Observation[], coin?: number): number[] => {
    const fit = smoothFallingFit(sorted, settings.window, coin);
    return grid.map((x) => isotonicAt(fit, x));
  };
  const estimate = fitAt(points);
  const random = stream(settings.seed, 'triage', 'band', name);
  const resamples = resamplesFor(points.length, settings);
  const draws = grid.map(() => new Float64Array(resamples));
  for (let r = 0; r < resamples; r++) {
    const chosen = resampleIndices(points.length, random).sort();
    const coin = random.below(2);
    const fitted = fitAt(
      Array.from(chosen, (i) => points[i]),
      coin,
    );
    for (let i = 0; i < fitted.length; i++) draws[i][r] = fitted[i];
  }
  return estimate.map((value, i) => {
    const found = percentileInterval(value, draws[i], settings.level);
    const { low, high } = found ?? { low: value, high: value };
    return {
      estimate: value,
      low: Math.min(low, value),
      high: Math.max(high, value),
      level: settings.level,
    };
  });
}

/** Mean pass rate of the window of probes nearest to a place. */
function windowMean(dots: readonly ProbePoint[], position: number, window: number): number {
  const size = windowSize(dots.length, window);
  let from = dots.findIndex((dot) => dot.position >= position);
  if (from === -1) from = dots.length;
  let to = from;
  while (to - from < size) {
    const left = from > 0 ? position - dots[from - 1].position : Infinity;
    const right = to < dots.length ? dots[to].position - position : Infinity;
    if (left <= right) from--;
    else to++;
  }
  let sum = 0;
  for (let i = from; i < to; i++) sum += dots[i].passRate;
  return sum / size;
}
