import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../core/errors.ts';
import { stream } from '../core/random.ts';
import { spearman } from '../core/ranks.ts';
import { majorityShare } from './consistency.ts';
import { computableEstimators, estimatorByName, estimatorNames } from './registry.ts';
import type { FusedFit, PromptObservation, RolloutSummary } from './types.ts';

const rollout = (over: Partial<RolloutSummary> = {}): RolloutSummary => ({
  length: 20,
  meanEntropy: 0.3,
  maxEntropy: 1,
  meanSelfCertainty: 2,
  meanLogprob: -0.3,
  answerClass: 0,
  ...over,
});

/** A pool in which difficulty (1 - mu) drives every signal, and the mu of each prompt. */
function simulatedPool(n: number, seed: number, samples = 4) {
  const random = stream(seed, 'pool');
  const passRates: number[] = [];
  const observations: PromptObservation[] = Array.from({ length: n }, (_, i) => {
    const mu = random.uniform();
    passRates.push(mu);
    const hard = 1 - mu;
    const rollouts = Array.from({ length: samples }, (_, sample) =>
      rollout({
        length: 10 + Math.round(30 * hard + 5 * random.uniform()),
        meanEntropy: hard + 0.3 * random.uniform(),
        maxEntropy: 2 * hard + random.uniform(),
        meanSelfCertainty: 5 - 3 * hard - random.uniform(),
        meanLogprob: -hard - 0.3 * random.uniform(),
        answerClass: random.uniform() < mu ? 0 : sample + 1,
      }),
    );
    const pivots = rollouts.map(({ length }) => {
      const count = Math.round(3 * hard + random.uniform());
      return { count, density: (100 * count) / length, excess: count * (0.2 + random.uniform()) };
    });
    return { promptId: `p${i}`, rollouts, pivots };
  });
  return { observations, passRates };
}

describe.each(estimatorNames)('contract: %s', (name) => {
  const estimator = estimatorByName(name);
  const { observations, passRates } = simulatedPool(120, 3);
  const probes = observations
    .slice(0, 60)
    .map(({ promptId }, i) => ({ promptId, passRate: passRates[i] }));
  const context = { seed: 5, probes };

  test('one finite score per observation, in their order', () => {
    const scores = estimator.score(observations, context);
    expect(scores).toHaveLength(observations.length);
    expect(scores.every(Number.isFinite)).toBe(true);
  });

  test('the same observations, context and seed give the same scores', () => {
    expect(estimator.score(observations, context)).toEqual(estimator.score(observations, context));
  });

  test('higher means more uncertain', () => {
    const rho = spearman(estimator.score(observations, context), passRates);
    if (name === 'random') expect(Math.abs(rho)).toBeLessThan(0.25);
    else expect(rho).toBeLessThan(-0.3);
  });

  test('what is missing is named', () => {
    const bare: PromptObservation = { promptId: 'bare', rollouts: [], pivots: [] };
    const { needs } = estimator;
    if (needs.samples === 0 && needs.traces !== true) {
      expect(estimator.score([bare], context)).toHaveLength(1);
    } else {
      expect(() => estimator.score([bare], context)).toThrow(/prompt bare/);
    }
    if (needs.labels === true) {
      expect(() => estimator.score(observations, { seed: 1 })).toThrow(UserError);
    }
  });

  test('ties are broken by estimators that exist and are not itself', () => {
    for (const other of estimator.tieBreakers) {
      expect(estimatorNames).toContain(other);
      expect(other).not.toBe(name);
    }
  });

  test('is found by what it needs', () => {
    const names = (samples: number, probeCount: number) =>
      computableEstimators(simulatedPool(5, 1, samples).observations, probeCount).map(
        (one) => one.name,
      );
    expect(names(4, 3)).toContain(name);
    expect(names(1, 3).includes(name)).toBe(estimator.needs.samples <= 1);
    expect(names(4, 0).includes(name)).toBe(estimator.needs.labels !== true);
  });
});

describe('values', () => {
  const one: PromptObservation = {
    promptId: 'one',
    rollouts: [
      rollout({ length: 10, meanEntropy: 0.2, meanSelfCertainty: 4, meanLogprob: 0 }),
      rollout({ length: 30, meanEntropy: 0.6, meanSelfCertainty: 2, meanLogprob: -Math.log(3) }),
    ],
    pivots: [
      { count: 0, density: 0, excess: 0 },
      { count: 3, density: 10, excess: 0.5 },
    ],
  };
  test.each([
    ['pivot_density', 5],
    ['pivot_count', 1.5],
    ['pivot_excess', 0.25],
    ['mean_entropy', 0.4],
    ['self_certainty', -3],
    ['perplexity', 2],
    ['consistency', 0],
    ['length', 20],
  ])('%s is the mean over traces or rollouts', (name, wanted) => {
    expect(estimatorByName(name).score([one], { seed: 1 })[0]).toBeCloseTo(wanted, 12);
  });

  test('unreadable answers agree with nothing', () => {
    const classes = (list: number[]) => list.map((answerClass) => rollout({ answerClass }));
    expect(majorityShare(classes([-1, -1, -1, 2]))).toBe(0.25);
    expect(majorityShare(classes([-1, -1]))).toBe(0);
    expect(majorityShare(classes([1, 1, 0, 1]))).toBe(0.75);
  });

  test('a random score depends on seed and prompt alone', () => {
    const score = (list: PromptObservation[], seed: number) =>
      estimatorByName('random').score(list, { seed });
    expect(score([one], 1)[0]).toBe(score([{ ...one, promptId: 'other' }, one], 1)[1]);
    expect(score([one], 1)[0]).not.toBe(score([one], 2)[0]);
  });

  test('a score that is no number is refused', () => {
    const broken = { ...one, rollouts: [rollout({ meanEntropy: Number.NaN })] };
    expect(() => estimatorByName('mean_entropy').score([broken], { seed: 1 })).toThrow(
      /prompt one/,
    );
  });

  test('an unknown name lists the known ones', () => {
    expect(() => estimatorByName('pivots')).toThrow(/pivot_density.*"pivots"/);
  });
});

describe('fused', () => {
  const fitOf = (name: string, probeCount: number, seed = 9) => {
    const { observations, passRates } = simulatedPool(200, seed);
    let report: FusedFit | undefined;
    const probes = observations
      .slice(0, probeCount)
      .map(({ promptId }, i) => ({ promptId, passRate: passRates[i] }));
    const scores = estimatorByName(name).score(observations, {
      seed: 2,
      probes,
      onFit: (fit) => {
        report = fit;
      },
    });
    return { scores, passRates, report };
  };

  test.each(['fused', 'fused_isotonic'])('%s predicts prompts it never saw', (name) => {
    const { scores, passRates, report } = fitOf(name, 60);
    expect(spearman(scores.subarray(60), passRates.slice(60))).toBeLessThan(-0.9);
    expect(report).toMatchObject({ probes: 60, folds: 5 });
    expect(Object.keys(report?.weights ?? {})).toContain('pivot_density');
    expect(report?.spearman).toBeLessThan(-0.85);
    expect(report?.brier).toBeLessThan(0.05);
  });

  test.each(['fused', 'fused_isotonic'])('%s does not flatter itself on noise', (name) => {
    const { observations } = simulatedPool(80, 4);
    const random = stream(8, 'noise');
    let held: number | null = null;
    const probes = observations.map(({ promptId }) => ({ promptId, passRate: random.uniform() }));
    estimatorByName(name).score(observations, {
      seed: 1,
      probes,
      onFit: (fit) => {
        held = fit.spearman;
      },
    });
    expect(held).toBeGreaterThan(-0.3);
  });

  test('one probe or equal probes give a flat, finite score', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('fused', 'fused_isotonic'),
        fc.constantFrom(1, 2, 3),
        (name, k) => {
          const { scores } = fitOf(name, k);
          expect(scores.every(Number.isFinite)).toBe(true);
        },
      ),
    );
  });
});
