/**
 * A score fitted on the probes from several others (METHOD, section 4): 1 - predicted pass rate.
 *
 * Probes get the prediction of a fit that did not see them (cross-fitting), or calibrating on the
 * same probes would flatter the score. Knows nothing of routes.
 */
import { UserError } from '../core/errors.ts';
import { stream } from '../core/random.ts';
import { spearman } from '../core/ranks.ts';
import { brier } from '../stats/classification.ts';
import { isotonicAt, isotonicFit } from '../stats/isotonic.ts';
import { fitLogistic, logisticAt } from '../stats/logistic.ts';
import { standardised } from '../stats/standardised.ts';
import { hasWhatItReads } from './observe.ts';
import type { Estimator, EstimatorContext, FusedFit, PromptObservation } from './types.ts';

const FOLDS = 5;
/** Scores that differ by less, relative to their mean, do so by rounding. */
const RESOLUTION = 1e-12;
/** Penalties to choose from, on standardised features: from a few dozen probes up, from all features to hardly any. */
const RIDGES = [0.3, 1, 3, 10, 30, 100];

interface Model {
  predict(row: Float64Array): number;
  /** One per feature that the model was fitted on: the first ones of a row. */
  weights: number[];
  intercept: number;
  ridge: number | null;
}
interface FusedProbe {
  index: number;
  row: Float64Array;
  passRate: number;
}
type Fitter = (probes: readonly FusedProbe[]) => Model;

/**
 * An estimator that fuses `always` by logistic regression on their standardised scores with a ridge penalty, or by
 * the mean of their isotonic calibrations weighted by how well each one ranks the probes. Those of `ifThere` that the
 * observations suffice for are taken in where the fit with them predicts held-out probes better than the one without;
 * the penalty is chosen in the same way.
 */
export function fusedEstimator(
  name: string,
  always: readonly Estimator[],
  ifThere: readonly Estimator[],
  method: FusedFit['method'],
): Estimator {
  const needs = {
    traces: always.some((part) => part.needs.traces === true),
    statistics: always.flatMap((part) => part.needs.statistics ?? []),
    samples: Math.max(0, ...always.map((part) => part.needs.samples)),
    labels: true,
  };
  return {
    name,
    needs,
    tieBreakers: ['mean_entropy'],
    score(observations, context) {
      const there = ifThere.filter((part) => hasWhatItReads(part, observations));
      const parts = [...always, ...there];
      const columns = parts.map((part) =>
        standardised(part.score(observations, context), RESOLUTION),
      );
      const rows = observations.map((_, i) => Float64Array.from(columns, (column) => column[i]));
      return fuse(name, parts, always.length, method, observations, rows, context);
    },
  };
}

function fuse(
  name: string,
  parts: readonly Estimator[],
  always: number,
  method: FusedFit['method'],
  observations: readonly PromptObservation[],
  rows: readonly Float64Array[],
  context: EstimatorContext,
): Float64Array {
  const rates = new Map(context.probes?.map((probe) => [probe.promptId, probe.passRate]));
  const probes = observations.flatMap(({ promptId }, i) => {
    const passRate = rates.get(promptId);
    return passRate === undefined ? [] : [{ index: i, row: rows[i], passRate }];
  });
  if (probes.length === 0) {
    throw new UserError({
      wanted: `labelled probes for the estimator ${name}`,
      found: 'none in this pool',
      fix: 'Annotate probes first, or choose an estimator that needs no labels.',
    });
  }
  const random = stream(context.seed, 'uncertainty', name, 'folds');
  const shuffled = random.shuffled(probes);
  const fitter = bestOf(candidates(method, always, rows[0].length));
  const model = fitter(shuffled);
  const scores = Float64Array.from(rows, (row) => 1 - model.predict(row));
  if (probes.length > 1) {
    const predicted = heldOut(shuffled, fitter);
    for (const [i, { index }] of shuffled.entries()) scores[index] = 1 - predicted[i];
  }
  report(parts, method, model, probes, scores, context);
  return scores;
}

function report(
  parts: readonly Estimator[],
  method: FusedFit['method'],
  model: Model,
  probes: readonly FusedProbe[],
  scores: Float64Array,
  { onFit }: EstimatorContext,
): void {
  const folds = foldsOf(probes.length);
  const held = probes.map(({ index }) => scores[index]);
  const truth = probes.map(({ passRate }) => passRate);
  const predicted = held.map((score) => 1 - score);
  const correlation = spearman(held, truth);
  onFit?.({
    method,
    probes: probes.length,
    folds,
    ridge: model.ridge,
    weights: Object.fromEntries(parts.map((part, j) => [part.name, model.weights[j] ?? 0])),
    intercept: model.intercept,
    spearman: folds > 1 && Number.isFinite(correlation) ? correlation : null,
    brier: folds > 1 ? brier(predicted, truth) : null,
  });
}

/** One probe cannot be held out: 1 fold, or none. */
function foldsOf(probes: number): number {
  return Math.min(FOLDS, probes);
}

/** The prediction for each probe of a fit that did not see it; NaN where there is one probe only. */
function heldOut(probes: readonly FusedProbe[], fitter: Fitter): Float64Array {
  const predicted = new Float64Array(probes.length).fill(Number.NaN);
  const folds = foldsOf(probes.length);
  for (let fold = 0; folds > 1 && fold < folds; fold++) {
    const model = fitter(probes.filter((_, i) => i % folds !== fold));
    for (let i = fold; i < probes.length; i += folds) predicted[i] = model.predict(probes[i].row);
  }
  return predicted;
}

/** Fits to choose from; those to be preferred among equals come first. */
function candidates(method: FusedFit['method'], always: number, width: number): Fitter[] {
  const widths = width > always ? [always, width] : [always];
  if (method === 'isotonic') return widths.map(isotonicFitter);
  const penalties = RIDGES.toSorted((a, b) => b - a);
  return widths.flatMap((first) => penalties.map((ridge) => logisticFitter(first, ridge)));
}

/**
 * The fitter with the smallest Brier score on held-out probes, the first of equals. It is chosen within the
 * probes that it is given, so that whoever holds some out leaves them out of the choice too.
 */
function bestOf(fitters: readonly Fitter[]): Fitter {
  return (probes) => {
    const truth = probes.map(({ passRate }) => passRate);
    const losses = fitters.map((fitter) => brier(heldOut(probes, fitter), truth));
    const best = losses.reduce((at, loss, i) => (loss < losses[at] ? i : at), 0);
    return fitters[best](probes);
  };
}

/** Ridge logistic regression on the first `width` features. */
function logisticFitter(width: number, ridge: number): Fitter {
  return (probes) => {
    const rows = probes.map(({ row }) => row.subarray(0, width));
    const truth = probes.map(({ passRate }) => passRate);
    const model = fitLogistic(rows, truth, { ridge });
    return {
      predict: (row) => logisticAt(model, row.subarray(0, width)),
      weights: [...model.coefficients],
      intercept: model.intercept,
      ridge,
    };
  };
}

/** Weighted mean of the isotonic calibrations of the first `width` features. */
function isotonicFitter(width: number): Fitter {
  return (probes) => {
    const passRates = probes.map(({ passRate }) => passRate);
    const columns = Array.from({ length: width }, (_, j) => probes.map(({ row }) => row[j]));
    const fits = columns.map((column) => isotonicFit(column, passRates, 'falling'));
    // A part that does not fall with mu gets no say; if none does, all say the same.
    const strengths = columns.map((column) => {
      const rho = spearman(column, passRates);
      return Number.isFinite(rho) ? Math.max(0, -rho) ** 2 : 0;
    });
    const total = strengths.reduce((sum, one) => sum + one, 0);
    const weights = strengths.map((one) => (total > 0 ? one / total : 1 / width));
    return {
      predict: (row) => fits.reduce((sum, fit, j) => sum + weights[j] * isotonicAt(fit, row[j]), 0),
      weights,
      intercept: 0,
      ridge: null,
    };
  };
}
