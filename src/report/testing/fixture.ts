/**
 * Made-up report data for the tests: the shapes and sizes of a real run, with noise from a seed. No
 * figure in here was measured.
 */
import { stream } from '../../core/random.ts';
import type {
  Arm,
  ArmKind,
  Comparison,
  ExampleTrace,
  ReportData,
  RouteName,
  RoutingReport,
  ScoreReport,
  Sensitivity,
  TrainingCurve,
  TriageSummary,
} from '../data.ts';

const POOL = 2000;
const STEPS = 80;

function clamp(value: number): number {
  return Math.max(0, Math.min(1, value));
}

/** Data with nothing run yet. */
export function emptyReport(): ReportData {
  return {
    run: {
      title: 'PivotTrace report',
      generatedAt: null,
      model: null,
      pool: null,
      seed: null,
      versions: {},
      machine: null,
      command: null,
      notices: [],
    },
    comparison: null,
    triage: null,
    score: null,
    sensitivity: null,
    training: null,
    routing: null,
    examples: null,
    cost: null,
  };
}

/** A full report of a made-up demo run. */
export function sampleReport(): ReportData {
  return {
    run: {
      title: 'PivotTrace demo: sums, pairs and equations',
      generatedAt: '2026-03-04 15:12 UTC',
      model: { name: 'models/reasoner', parameters: 3_214_080, detail: 'Llama, 4 layers, bf16' },
      pool: { name: 'data/pool.jsonl', prompts: POOL, testPrompts: 1200 },
      seed: 7,
      versions: { pivottrace: '0.1.0', node: '20.20.2', 'onnxruntime-node': '1.30.0' },
      machine: '2 cores, 24 GB, CPU provider',
      command:
        'npx pivottrace demo seed=7 train.steps=80 triage.rule=quota trace.zeta=95 trace.psi=5 trace.delta=10',
      notices: ['The bundled pool is small: read differences of a point or two as noise.'],
    },
    comparison: comparison(),
    triage: triage(),
    score: score(),
    sensitivity: sensitivity(),
    training: training(),
    routing: routing(),
    examples: [example('discard', 46, 0.4), example('self', 92, 1), example('annotate', 240, 2)],
    cost: {
      stages: [
        { name: 'trace', seconds: 48.2, rollouts: 2000, tokens: 192_400, labels: 0 },
        { name: 'probe', seconds: 19.7, rollouts: 800, tokens: 80_100, labels: 100 },
        { name: 'triage', seconds: 0.4, rollouts: 0, tokens: 0, labels: 486 },
        { name: 'train', seconds: 301.5, rollouts: 61_440, tokens: 5_912_000, labels: 0 },
        { name: 'evaluate', seconds: 81.3, rollouts: 28_800, tokens: 2_640_000, labels: null },
      ],
      totalSeconds: 452.9,
      peakMemoryBytes: 1_932_735_283,
    },
  };
}

function arm(id: string, kind: ArmKind, label: string, value: number, rest: Partial<Arm>): Arm {
  return {
    id,
    kind,
    label,
    avgAtK: { value, low: value - 0.017, high: value + 0.017 },
    greedy: { value: value + 0.09, low: value + 0.071, high: value + 0.108 },
    versusReference: { value: value - 0.7735, low: value - 0.785, high: value - 0.762 },
    pivotTraceLead: null,
    labelsUsed: 586,
    trainedPrompts: 1158,
    steps: STEPS,
    rollouts: 23_280,
    reached: { steps: 70, rollouts: 20_720 },
    wallSeconds: 98.1,
    seeds: 1,
    note: null,
    ...rest,
  };
}

function comparison(): Comparison {
  return {
    k: 4,
    testPrompts: 1200,
    poolPrompts: POOL,
    reference: 'full',
    arms: [
      arm('base', 'base', 'Base policy', 0.6375, {
        versusReference: null,
        labelsUsed: 0,
        trainedPrompts: 0,
        steps: 0,
        rollouts: 0,
        reached: null,
        wallSeconds: null,
      }),
      arm('pivottrace', 'pivottrace', 'PivotTrace triage', 0.7788, {}),
      arm('full', 'full', 'Full supervision', 0.7735, {
        versusReference: null,
        labelsUsed: POOL,
        trainedPrompts: POOL,
        rollouts: 20_480,
        reached: { steps: 80, rollouts: 20_480 },
      }),
      arm('random', 'random', 'Random triage', 0.7558, {
        reached: 'not reached',
        pivotTraceLead: { value: 0.023, low: 0.011, high: 0.035 },
      }),
      arm('dynamic', 'pivottrace', 'PivotTrace, dynamic routing', 0.7812, { labelsUsed: 431 }),
      arm('majority', 'other', 'Majority vote only', 0.742, {
        labelsUsed: 0,
        trainedPrompts: POOL,
        reached: 'not reached',
        note: 'no labels at all',
      }),
    ],
  };
}

function triage(): TriageSummary {
  return {
    plan: 'main',
    rule: 'quota',
    estimator: 'pivot density',
    fallback: null,
    budget: 600,
    routes: [
      {
        route: 'discard',
        prompts: 842,
        labels: 42,
        probes: 42,
        expectedPassRate: 0.94,
        voteRight: 1,
      },
      {
        route: 'self',
        prompts: 572,
        labels: 29,
        probes: 29,
        expectedPassRate: 0.71,
        voteRight: 0.93,
      },
      {
        route: 'annotate',
        prompts: 586,
        labels: 515,
        probes: 29,
        expectedPassRate: 0.27,
        voteRight: 0.41,
      },
    ],
    groupedBy: 'family',
    groups: [
      { name: 'sums', counts: { discard: 431, self: 160, annotate: 76 }, meanPassRate: 0.84 },
      { name: 'pairs', counts: { discard: 268, self: 211, annotate: 188 }, meanPassRate: 0.66 },
      { name: 'equations', counts: { discard: 143, self: 201, annotate: 322 }, meanPassRate: 0.43 },
    ],
  };
}

function score(): ScoreReport {
  const random = stream(7, 'report', 'probes');
  const truth = (rank: number) => clamp(1.03 - 0.95 * rank ** 1.6);
  return {
    estimator: 'pivot density',
    poolPrompts: POOL,
    rolloutsPerProbe: 8,
    probes: Array.from({ length: 100 }, (_, i) => {
      const rank = (i + 0.5) / 100;
      const passRate = Math.round(clamp(truth(rank) + random.normal() * 0.18) * 8) / 8;
      const route: RouteName = rank < 0.421 ? 'discard' : rank < 0.705 ? 'self' : 'annotate';
      return {
        promptId: `p-${1000 + i * 20}`,
        rank,
        score: rank ** 2 * 9,
        passRate,
        voteRight: passRate > 0.4,
        route,
      };
    }),
    curve: Array.from({ length: 41 }, (_, i) => {
      const rank = i / 40;
      const passRate = truth(Math.floor(rank * 9) / 9);
      return { rank, passRate, low: clamp(passRate - 0.07), high: clamp(passRate + 0.06) };
    }),
    thresholds: [
      { rank: 0.421, label: 'discard | self' },
      { rank: 0.705, label: 'self | annotate' },
    ],
    reliability: [0.1, 0.3, 0.5, 0.7, 0.93].map((predicted, i) => ({
      predicted,
      observed: clamp(predicted + (i % 2 === 0 ? 0.04 : -0.06)),
      low: clamp(predicted - 0.12),
      high: clamp(predicted + 0.13),
      count: [12, 14, 17, 22, 35][i] ?? 0,
    })),
    metrics: {
      auroc: { value: 0.802, low: 0.71, high: 0.87 },
      brier: 0.061,
      ece: 0.048,
      spearman: { value: -0.727, low: -0.81, high: -0.61 },
      lengthSpearman: { value: -0.529, low: -0.66, high: -0.37 },
      partialGivenLength: { value: -0.352, low: -0.52, high: -0.16 },
    },
    ties: {
      tiedPrompts: 1420,
      largestTie: 1404,
      atZero: 1404,
      brokenBy: [],
      largestLeft: 1404,
    },
    beatsChance: true,
    fallback: null,
    estimators: [
      {
        name: 'pivot density',
        used: true,
        spearman: -0.727,
        partialGivenLength: -0.352,
        auroc: 0.802,
        overlap: 0.684,
        cost: { responses: 6_064, tokens: 480_000, seconds: 171 },
      },
      {
        name: 'length',
        used: false,
        spearman: -0.529,
        partialGivenLength: null,
        auroc: 0.739,
        overlap: 0.639,
        cost: { responses: 6_000, tokens: 474_000, seconds: 169.5 },
      },
      {
        name: 'mean entropy',
        used: false,
        spearman: -0.711,
        partialGivenLength: -0.634,
        auroc: 0.863,
        overlap: 0.625,
        cost: { responses: 6_000, tokens: 474_000, seconds: 169.5 },
      },
      {
        name: 'consistency',
        used: false,
        spearman: -0.893,
        partialGivenLength: -0.851,
        auroc: 0.923,
        overlap: 0.85,
        cost: { responses: 6_000, tokens: 474_000, seconds: 169.5 },
      },
      {
        name: 'random',
        used: false,
        spearman: 0.013,
        partialGivenLength: 0.02,
        auroc: 0.497,
        overlap: 0.29,
        cost: { responses: 0, tokens: 0, seconds: 0 },
      },
    ],
    fits: [
      {
        name: 'fused',
        method: 'logistic',
        probes: 75,
        folds: 5,
        ridge: 3,
        spearman: -0.812,
        brier: 0.061,
        weights: [
          { name: 'pivot density', weight: -0.21 },
          { name: 'mean entropy', weight: -0.64 },
        ],
      },
    ],
  };
}

function sensitivity(): Sensitivity {
  const rows: [Sensitivity['rows'][number]['parameter'], string, boolean, number][] = [
    ['zeta', '95th', true, 1],
    ['zeta', '90th', false, 0.947],
    ['zeta', '80th', false, 0.936],
    ['psi', '10 %', false, 0.966],
    ['psi', '20 %', false, 0.812],
    ['Delta', '5 tokens', false, 0.951],
    ['Delta', '20 tokens', false, 0.941],
  ];
  return {
    traces: POOL,
    rows: rows.map(([parameter, setting, isDefault, withDefault]) => ({
      parameter,
      setting,
      isDefault,
      withDefault,
      threshold: 11.2,
      published: withDefault,
    })),
  };
}

function training(): TrainingCurve[] {
  const arms: [string, ArmKind, string, number, number, number][] = [
    ['pivottrace', 'pivottrace', 'PivotTrace triage', 0.7788, 2800, 586],
    ['full', 'full', 'Full supervision', 0.7735, 0, POOL],
    ['random', 'random', 'Random triage', 0.7558, 800, 586],
    ['dynamic', 'pivottrace', 'PivotTrace, dynamic routing', 0.7812, 2800, 431],
    ['majority', 'other', 'Majority vote only', 0.742, 0, 0],
  ];
  return arms.map(([id, kind, label, final, before, labels]) => {
    const random = stream(7, 'report', id);
    const at = (step: number) => 0.6375 + (final - 0.6375) * (1 - Math.exp(-step / 25)) * 1.04;
    return {
      id,
      kind,
      label,
      evaluations: Array.from({ length: 9 }, (_, i) => {
        const value = at(i * 10) + random.normal() * 0.004;
        return {
          step: i * 10,
          rollouts: before + i * 10 * 256,
          labelsUsed: labels,
          avgAtK: value,
          low: value - 0.017,
          high: value + 0.017,
          greedy: 0.855 + random.normal() * 0.01,
        };
      }),
      steps: Array.from({ length: STEPS }, (_, step) => ({
        step: step + 1,
        reward: clamp(at(step) - 0.05 + random.normal() * 0.05),
        fracRewardZeroStd: clamp(0.38 + step / 600 + random.normal() * 0.06),
        entropy: 0.42 * Math.exp(-step / 70) + random.uniform() * 0.03,
        meanLength: 92 - step / 8 + random.normal() * 3,
        labelsUsed: id === 'dynamic' ? Math.min(labels, 100 + step * 6) : labels,
      })),
    };
  });
}

function routing(): RoutingReport {
  const random = stream(7, 'report', 'routing');
  const kinds = ['self → discard', 'annotate → self', 'discard → self', 'self → annotate'];
  const moves = Array.from({ length: 14 }, (_, i) =>
    kinds.map((kind, k) => ({ step: 15 + i * 5, kind, count: random.below(14 - k * 3) })),
  ).flat();
  return {
    arm: 'PivotTrace, dynamic routing',
    warmupGroups: 10,
    total: moves.reduce((sum, move) => sum + move.count, 0),
    moves,
    latest: Array.from({ length: 6 }, (_, i) => ({
      step: 80 - i,
      promptId: `p-${1371 + i * 13}`,
      from: 'self',
      to: 'discard',
      rule: 'score below the moving threshold on 2 visits',
      evidence: { score: 0.412 - i * 0.02, threshold: 0.55, visits: 2, unanimous: true },
    })),
  };
}

const TEXT = [
  '17 + 28: 7 + 8 = 15, write 5 carry 1.\n1 + 2 + 1 = 4, write 4.\n',
  'check: 45 - 28 = 17, right.\n',
  'wait, 7 + 8 is 15 and not 16, go back.\n',
  'try x = 3: 4 * 3 + 2 = 14, too small.\n',
];

function example(route: RouteName, length: number, wildness: number): ExampleTrace {
  const random = stream(7, 'report', 'example', route);
  const words =
    TEXT.join('')
      .repeat(Math.ceil(length / 60))
      .match(/\s?[^\s]+|\n/g) ?? [];
  let level = 12;
  const tokens = words.slice(0, length).map((text, i) => {
    const change = Math.abs(random.normal()) * 3 + (random.uniform() < 0.04 * wildness ? 16 : 0);
    level = Math.max(3, level + random.normal() * 2 + (change > 14 ? 12 : -0.25 * (level - 12)));
    return { text, signal: level, change, pivot: change > 14 && i > 4 };
  });
  return {
    promptId: `p-${route}`,
    route,
    prompt: 'What is 17 + 28? Show the steps and end with "answer: N".',
    signalName: 'attention distance',
    unit: 'tokens',
    threshold: 14,
    tokens,
    answer: '45',
    verdict: route === 'annotate' ? 'wrong' : route === 'self' ? null : 'right',
    score: wildness,
    rank: wildness / 2.2,
    passRate: route === 'self' ? null : 0.875,
  };
}
