/**
 * A score fitted on the probes from several others (METHOD, section 4): 1 - predicted pass rate.
 *
 * Probes get the prediction of a fit that did not see them (cross-fitting), or calibrating on the
 * same probes would flatter the score. Knows nothing of routes.
 */
import { UserError } from '../core/errors.ts';
import type { RandomStream } from '../core/random.ts';
import { stream } from '../core/random.ts';
import { spearman } from '../core/ranks.ts';
import { brier } from '../stats/classification.ts';
import { isotonicAt, isotonicFit } from '../stats/isotonic.ts';
import { fitLogistic, logisticAt } from '../stats/logistic.ts';
import type { Estimator, EstimatorContext, FusedFit, PromptObservation } from './types.ts';

const FOLDS = 5;
/** On standardised features; strong enough for a few dozen probes. */
const RIDGE = 1;

interface Model {
  predict(row: ArrayLike<number>): number;
  weights: number[];
  intercept: number;
}
interface FusedProbe {
  index: number;
  row: Float64Array;
  passRate: number;
}
type Fitter = (probes: readonly FusedProbe[]) => Model;

/**
 * An estimator that fuses `parts` by ridge logistic regression on their standardised scores, or by
 * the mean of their isotonic calibrations weighted by how well each one ranks the probes.
 */
export function fusedEstimator(
  name: string,
  parts: readonly Estimator[],
  method: FusedFit['method'],
): Estimator {
  const needs = {
    traces: parts.some((part) => part.needs.traces === true),
    samples: Math.max(0, ...parts.map((part) => part.needs.samples)),
    labels: true,
  };
  return {
    name,
    needs,
    tieBreakers: ['mean_entropy'],
    score(observations, context) {
      const columns = parts.map((part) => standardised(part.score(observations, context)));
      const rows = observations.map((_, i) => Float64Array.from(columns, (column) => column[i]));
      return fuse(name, parts, method, observations, rows, context);
    },
  };
}

function fuse(
  name: string,
  parts: readonly Estimator[],
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
  const fitter = method === 'logistic' ? fitLogisticModel : fitIsotonicModel;
  const model = fitter(probes);
  const scores = Float64Array.from(rows, (row) => 1 - model.predict(row));
  const folds = crossFit(
    probes,
    fitter,
    stream(context.seed, 'uncertainty', name, 'folds'),
    scores,
  );
  const held = probes.map(({ index }) => scores[index]);
  const truth = probes.map(({ passRate }) => passRate);
  const correlation = spearman(held, truth);
  context.onFit?.({
    method,
    probes: probes.length,
    folds,
    weights: Object.fromEntries(parts.map((part, j) => [part.name, model.weights[j]])),
    intercept: model.intercept,
    spearman: folds > 1 && Number.isFinite(correlation) ? correlation : null,
    brier:
      folds > 1
        ? brier(
            held.map((score) => 1 - score),
            truth,
          )
        : null,
  });
  return scores;
}

/** Overwrites the probes' scores by those of fits that did not see them; returns the number of folds. */
function crossFit(
  probes: readonly FusedProbe[],
  fitter: Fitter,
  random: RandomStream,
  scores: Float64Array,
): number {
  const folds = Math.min(FOLDS, probes.length);
  if (folds < 2) return folds;
  const shuffled = random.shuffled(probes);
  for (let fold = 0; fold < folds; fold++) {
    const model = fitter(shuffled.filter((_, i) => i % folds !== fold));
    for (let i = fold; i < shuffled.length; i += folds) {
      scores[shuffled[i].index] = 1 - model.predict(shuffled[i].row);
    }
  }
  return folds;
}

const fitLogisticModel: Fitter = (probes) => {
  const model = fitLogistic(
    probes.map(({ row }) => row),
    probes.map(({ passRate }) => passRate),
    { ridge: RIDGE },
  );
  return {
    predict: (row) => logisticAt(model, row),
    weights: [...model.coefficients],
    intercept: model.intercept,
  };
};

const fitIsotonicModel: Fitter = (probes) => {
  const width = probes[0].row.length;
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
  };
};

/** Zero mean and unit variance over the pool; a constant column becomes zeros. */
function standardised(values: Float64Array): Float64Array {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
  return values.map((value) =>
    deviation > 1e-12 * Math.max(1, Math.abs(mean)) ? (value - mean) / deviation : 0,
  );
}
