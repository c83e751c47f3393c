/**
 * Where the scores of a pool come from: computed from what was traced here, or taken from the store where they were made
 * elsewhere (`triage --scores`). Knows nothing of routes.
 */
import { UserError } from '../../core/errors.ts';
import type { Repositories, ScoreTable } from '../../store/types.ts';
import type { Probe, Score, ScoreColumn } from '../../triage/types.ts';
import { computableEstimators, estimatorByName } from '../../uncertainty/registry.ts';
import type {
  Estimator,
  EstimatorContext,
  FusedFit,
  PromptObservation,
} from '../../uncertainty/types.ts';
import type { Config } from '../config.ts';
import type { Fits } from './fits.ts';
import { meanLengths, observePool } from './observations.ts';
import { readPassRates } from './pass-rates.ts';
import { type TraceSource, traceSource, whereMoreComeFrom } from './trace-source.ts';

/** All scores that can be had, once the probes are measured. */
export interface PoolScores {
  /** Of the estimator that was asked for. */
  wanted: ScoreColumn;
  /** Scores that resolve its ties, best first. */
  tieBreaks: ScoreColumn[];
  /** All of them, for comparison. */
  all: ScoreColumn[];
  fits: Fits;
  /** Were they computed here? Then they are to be kept. */
  computed: boolean;
}

export interface ScoreSource {
  /** What the probes are drawn along. */
  ranker: ScoreColumn;
  /** UserError where the estimator that was asked for needs more probes. */
  scores(probes: readonly Probe[]): PoolScores;
  /** Mean response tokens of those of `promptIds` that have a response. */
  lengths(promptIds: readonly string[]): ReadonlyMap<string, number>;
}

/**
 * The scores of `round`. UserError for an empty pool, or where the estimator that was asked for lacks traces and no score
 * of it was taken in for every prompt.
 */
export async function scoreSource(
  store: Repositories,
  config: Config,
  round: number,
): Promise<ScoreSource> {
  const wanted = estimatorByName(config.triage.estimator);
  const there = await store.scores.estimators(round);
  const given = await givenScores(store, wanted, round, there);
  if (given !== null) return given;
  return computedScores(
    config,
    await observePool(store, round, config.trace.traces_per_prompt),
    readPassRates(config.triage.pass_rates),
    await traceSource(store, round),
    there,
  );
}

function computedScores(
  { seed, triage }: Config,
  observations: readonly PromptObservation[],
  passRates: ReadonlyMap<string, number>,
  responses: TraceSource | null,
  there: readonly string[],
): ScoreSource {
  const wanted = estimatorByName(triage.estimator);
  requireTraced(wanted, observations, responses, there);
  const context = { seed, passRates };
  return {
    ranker: columnOf(probeRanker(wanted, observations), observations, context),
    scores(probes) {
      const usable = usableEstimators(wanted, observations, probes.length);
      const fits = new Map<string, FusedFit>();
      const all = usable.map((one) =>
        columnOf(one, observations, {
          ...{ ...context, probes },
          onFit: (fit) => fits.set(one.name, fit),
        }),
      );
      const columns = new Map(all.map((column) => [column.estimator, column]));
      return {
        wanted: columns.get(wanted.name) ?? columnOf(wanted, observations, { ...context, probes }),
        tieBreaks: wanted.tieBreakers.flatMap((name) => columns.get(name) ?? []),
        ...{ all, fits, computed: true },
      };
    },
    lengths: () => meanLengths(observations),
  };
}

function usableEstimators(
  wanted: Estimator,
  observations: readonly PromptObservation[],
  probes: number,
): Estimator[] {
  const usable = [
    ...computableEstimators(observations, probes),
    // The oracle ranks only where it was asked for: it is never an alternative to a score without answers.
    ...(wanted.needs.passRates === true ? [wanted] : []),
  ];
  if (usable.includes(wanted)) return usable;
  throw new UserError({
    wanted: `at least two measured probes, as ${wanted.name} needs`,
    found: String(probes),
    fix: 'Give labels that can be bought (label.answers), or choose another triage.estimator.',
  });
}

function requireTraced(
  wanted: Estimator,
  observations: readonly PromptObservation[],
  responses: TraceSource | null,
  there: readonly string[],
): void {
  const { samples, traces } = wanted.needs;
  const lacking = observations.filter(
    (one) => one.rollouts.length < samples || (traces === true && one.pivots.length === 0),
  );
  if (lacking.length === 0) return;
  const others = there.filter(
    (name) => name !== wanted.name && isOfResponses(estimatorByName(name)),
  );
  throw new UserError({
    wanted: `${Math.max(samples, 1)} traced response(s) for every prompt, as ${wanted.name} needs`,
    found: `${lacking.length} of ${observations.length} prompts without, for example ${lacking[0].promptId}`,
    fix:
      // Of prompts without any response they can only have been taken in, and one of them is meant.
      others.length > 0 && observations.some(({ rollouts }) => rollouts.length === 0)
        ? `Scores of ${others.join(', ')} are in the database: name one of them as triage.estimator, or trace the pool.`
        : `${whereMoreComeFrom(responses)} \`pivottrace triage --scores FILE\` takes scores that were made elsewhere.`,
  });
}

/** What the probes are drawn along: an estimator that learns from probes cannot rank before there are any. */
function probeRanker(wanted: Estimator, observations: readonly PromptObservation[]): Estimator {
  if (wanted.needs.labels !== true) return wanted;
  return computableEstimators(observations, 0).at(0) ?? estimatorByName('random');
}

function columnOf(
  estimator: Estimator,
  observations: readonly PromptObservation[],
  context: EstimatorContext,
): ScoreColumn {
  const values = estimator.score(observations, context);
  return {
    estimator: estimator.name,
    scores: observations.map(({ promptId }, i) => ({ promptId, value: values[i] })),
  };
}

/** Is a score a property of the prompt's responses alone? Others follow from the seed, the probes or the answers. */
export function isOfResponses({ needs }: Estimator): boolean {
  const { samples, traces, pivotsOf, meanOf, layerPaths, labels } = needs;
  if (labels === true) return false;
  return samples > 0 || [traces, layerPaths].includes(true) || (pivotsOf ?? meanOf) !== undefined;
}

/** null where every prompt was sampled here, or the store lacks scores of some. */
async function givenScores(
  store: Repositories,
  wanted: Estimator,
  round: number,
  there: readonly string[],
): Promise<ScoreSource | null> {
  if (!isOfResponses(wanted) || !there.includes(wanted.name)) return null;
  const unseen = new Set(await store.prompts.withImages());
  const readable = (await store.prompts.count()) - unseen.size;
  if ((await store.rollouts.sampled(round)) >= readable) return null;
  const table = await store.scores.table(round);
  const rows = Uint32Array.from(table.promptIds.keys()).filter(
    (row) => !unseen.has(table.promptIds[row]),
  );
  const whole = [...table.columns].filter(([, values]) =>
    rows.every((i) => !Number.isNaN(values[i])),
  );
  const columns = new Map(
    whole
      .filter(([name]) => isOfResponses(estimatorByName(name)))
      .map(([name, values]) => [name, columnFrom(name, table, values, rows)]),
  );
  const ranker = columns.get(wanted.name);
  if (ranker === undefined) return null;
  return {
    ranker,
    scores: () => ({
      wanted: ranker,
      tieBreaks: wanted.tieBreakers.flatMap((name) => columns.get(name) ?? []),
      ...{ all: [...columns.values()], fits: new Map(), computed: false },
    }),
    lengths(promptIds) {
      const asked = new Set(promptIds);
      const found = new Map<string, number>();
      for (const { promptId, value } of columns.get('length')?.scores ?? []) {
        if (asked.has(promptId)) found.set(promptId, value);
      }
      return found;
    },
  };
}

/** Makes its scores as they are gone through: a million objects per column would stay in memory otherwise. */
function columnFrom(
  estimator: string,
  { promptIds }: ScoreTable,
  values: Float64Array,
  rows: Uint32Array,
): ScoreColumn {
  return {
    estimator,
    scores: {
      *[Symbol.iterator](): Generator<Score> {
        for (const row of rows) yield { promptId: promptIds[row], value: values[row] };
      },
    },
  };
}
