/** Made-up results of cells for tests: curves that rise towards a level, with a little noise. */
import { stream } from '../../../../core/random.ts';
import type { BenchData } from '../../../../report/bench/data.ts';
import { analyse, type Layout } from '../analysis.ts';
import type { CellResult } from '../outcome.ts';

export interface CellSketch {
  pool?: string;
  arm: string;
  seed: number;
  /** Accuracy at every evaluation; the first is before training. */
  accuracies: readonly number[];
  /** Training rollouts between evaluations. */
  every?: number;
  /** Rollouts before training. */
  before?: number;
  countScoring?: boolean;
  labels?: number | readonly number[];
  largestStep?: number;
  poolPrompts?: number;
  greedy?: readonly (number | null)[];
}

/** A result with 10 s and 1,000 tokens per 100 rollouts and a step per 10. */
export function cell(sketch: CellSketch): CellResult {
  const { accuracies, every = 100, before = 0, labels = 50 } = sketch;
  const labelsAt = (i: number) => (typeof labels === 'number' ? labels : labels[i]);
  return {
    pool: sketch.pool ?? 'pool',
    arm: sketch.arm,
    seed: sketch.seed,
    k: 4,
    test_prompts: 300,
    before: {
      pool_prompts: sketch.poolPrompts ?? 200,
      scoring: { rollouts: before, tokens: 10 * before },
      probes: { rollouts: 0, tokens: 0 },
      seconds: before / 20,
      labels: labelsAt(0),
    },
    count_scoring: sketch.countScoring ?? true,
    max_rollouts: null,
    evaluations: accuracies.map((average, i) => ({
      step: (i * every) / 10,
      average,
      greedy: sketch.greedy === undefined ? null : (sketch.greedy[i] ?? null),
      rollouts: i * every,
      tokens: i * every * 10,
      labels: labelsAt(i),
      seconds: (i * every) / 10,
    })),
    metrics: null,
    largest_step: sketch.largestStep ?? 10,
    labels_visited: null,
    stage_seconds: {},
    version: '0.0.0',
  };
}

export const layout: Layout = {
  reference: 'full',
  random: 'random',
  budget: null,
  seeds: [1, 2, 3],
  pools: [{ id: 'pool', title: 'Pool', redundancy: null, settings: [] }],
  arms: ['full', 'random', 'pivots'].map((id) => ({
    ...{ id, title: id, note: null, group: null, settings: [], pools: ['pool'] },
  })),
};

const ARMS = [
  { id: 'full', title: 'Full supervision', tau: 1800, top: 0.81, labels: 2000 },
  { id: 'random', title: 'Random triage', tau: 2000, top: 0.78, labels: 586 },
  { id: 'entropy', title: 'Entropy triage', tau: 1900, top: 0.772, labels: 586 },
  { id: 'consistency', title: 'Consistency triage', tau: 1500, top: 0.805, labels: 586 },
  { id: 'pivots', title: 'PivotTrace, fixed thresholds', tau: 1500, top: 0.808, labels: 586 },
  { id: 'pivottrace', title: 'PivotTrace', tau: 700, top: 0.822, labels: 320 },
  { id: 'uc', title: 'Uncertainty consistency at 30 %', tau: 1700, top: 0.79, labels: 600 },
  { id: 'majority', title: 'Majority vote only', tau: 1500, top: 0.73, labels: 0 },
  { id: 'oracle', title: 'Oracle', tau: 1000, top: 0.82, labels: 586 },
];

const POOLS = [0.4, 0.6, 0.75, 0.87].map((redundancy) => ({
  id: `r${100 * redundancy}`,
  title: `${Math.round(100 * redundancy)} % redundant`,
  redundancy,
  settings: [['pool.files', `[r${100 * redundancy}.jsonl]`] as const],
}));

/** Nine arms in four pools with five seeds; one cell is missing. */
export function sampleBench(): BenchData {
  const seeds = [101, 102, 103, 104, 105];
  const big: Layout = {
    ...{ reference: 'full', random: 'random', budget: 4800, seeds, pools: POOLS },
    arms: ARMS.map(({ id, title }) => ({
      ...{ id, title, note: id === 'oracle' ? 'knows every pass rate' : null },
      ...{ group: null, settings: [['train.lr', '0.0001'] as const] },
      pools: POOLS.map((pool) => pool.id),
    })),
  };
  const cells = POOLS.flatMap((pool) =>
    ARMS.flatMap((arm) =>
      seeds
        .filter((seed) => arm.id !== 'oracle' || seed !== 105)
        .map((seed) => noisy(arm, pool, seed)),
    ),
  );
  return {
    name: 'headline',
    generatedAt: '2026-01-02 03:04 UTC',
    command: 'pivottrace bench bench/headline.yaml',
    machine: '2 cores, 25 GB, cpu provider',
    version: '0.1.0',
    ...{ reference: 'full', random: 'random', seeds, budget: 4800 },
    ...analyse(big, cells),
    base: [
      ['model', 'bundled:models/reasoner'],
      ['train.lr', '0.0001'],
    ],
  };
}

function noisy(arm: (typeof ARMS)[number], pool: (typeof POOLS)[number], seed: number): CellResult {
  const random = stream(seed, pool.id, arm.id);
  const before = ['pivots', 'entropy', 'consistency'].includes(arm.id) ? 800 : 0;
  const gain = arm.id === 'pivottrace' ? 1 - pool.redundancy / 2 : 1;
  const counts = Math.floor((4800 - before) / 400);
  const level = (rollouts: number) =>
    0.62 + (arm.top - 0.62) * (1 - Math.exp(-rollouts / (arm.tau * gain)));
  const accuracies = Array.from(
    { length: counts + 1 },
    (_, i) => level(i * 400) + (random.uniform() - 0.5) * 0.02,
  );
  const grows = arm.id === 'pivottrace';
  return {
    ...cell({
      ...{ pool: pool.id, arm: arm.id, seed, accuracies, every: 400, before, largestStep: 128 },
      poolPrompts: 2000,
      labels: accuracies.map((_, i) => (grows ? (arm.labels * i) / counts : arm.labels)),
      greedy: accuracies.map((x, i) => (i === 0 || i === counts ? x + 0.06 : null)),
    }),
    labels_visited: Math.round(arm.labels * 0.8),
  };
}
