import { describe, expect, test } from 'vitest';
import { UserError } from '../core/errors.ts';
import { stream } from '../core/random.ts';
import { spearman } from '../core/ranks.ts';
import { majorityShare } from './consistency.ts';
import { hasWhatItReads } from './observe.ts';
import { computableEstimators, estimatorByName, estimatorNames } from './registry.ts';
import type { FusedFit, LayerPath, PromptObservation, RolloutSummary } from './types.ts';

const ORACLE = 'pass_rate_oracle';

const rollout = (over: Partial<RolloutSummary> = {}): RolloutSummary => ({
  length: 20,
  meanEntropy: 0.3,
  maxEntropy: 1,
  meanSelfCertainty: 2,
  meanLogprob: -0.3,
  answerClass: 0,
  ...over,
});

/** Three layers; an uncertain response moves less far and turns more. */
const path = (uncertain: number): LayerPath => ({
  magnitudes: new Float32Array(3).fill(1.5 - uncertain),
  angles: new Float32Array(3).fill(0.3 + 0.5 * uncertain),
  turns: new Float32Array(2).fill(0.5 + uncertain),
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
        layerPath: path(0.8 * hard + 0.2 * random.uniform()),
      }),
    );
    const pivotsOf = () =>
      rollouts.map(({ length }) => {
        const count = Math.round(3 * hard + random.uniform());
        return { count, density: (100 * count) / length, excess: count * (0.2 + random.uniform()) };
      });
    const rising = () => rollouts.map(() => 0.7 * hard + 0.3 * random.uniform());
    const falling = () => rising().map((value) => 1 - value);
    return {
      promptId: `p${i}`,
      rollouts,
      pivots: pivotsOf(),
      signalPivots: { far_mass: pivotsOf(), distance: pivotsOf() },
      signalMeans: {
        entropy: rising(),
        change: rising(),
        received: falling(),
        agreement: falling(),
      },
    };
  });
  return { observations, passRates };
}

describe.each([...estimatorNames, ORACLE])('contract: %s', (name) => {
  const estimator = estimatorByName(name);
  const { observations, passRates } = simulatedPool(120, 3);
  const probes = observations
    .slice(0, 60)
    .map(({ promptId }, i) => ({ promptId, passRate: passRates[i] }));
  const context = {
    seed: 5,
    probes,
    passRates: new Map(observations.map(({ promptId }, i) => [promptId, passRates[i]])),
  };

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
    if (name === 'random') {
      expect(estimator.score([bare], context)).toHaveLength(1);
    } else {
      expect(() => estimator.score([bare], context)).toThrow(/prompt bare/);
    }
    if (needs.labels === true || needs.passRates === true) {
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
    const isOffered = name !== ORACLE;
    expect(names(4, 3).includes(name)).toBe(isOffered);
    expect(names(1, 3).includes(name)).toBe(isOffered && estimator.needs.samples <= 1);
    expect(names(4, 0).includes(name)).toBe(isOffered && estimator.needs.labels !== true);
  });

  test('is not offered when what it reads was not kept, and says so', () => {
    const { signalPivots: _, signalMeans: __, ...plain } = observations[0];
    const bare = { ...plain, rollouts: plain.rollouts.map(({ layerPath: ___, ...rest }) => rest) };
    const { pivotsOf, meanOf, layerPaths } = estimator.needs;
    const wanted = pivotsOf ?? meanOf ?? (layerPaths === true ? 'layers' : undefined);
    expect(hasWhatItReads(estimator, [observations[0], bare])).toBe(wanted === undefined);
    if (wanted === undefined) return;
    expect(() => estimator.score([bare], context)).toThrow(wanted);
    expect(computableEstimators([bare], 3)).not.toContain(estimator);
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
    signalPivots: {
      far_mass: [
        { count: 2, density: 20, excess: 9 },
        { count: 4, density: 30, excess: 9 },
      ],
      distance: [
        { count: 5, density: 50, excess: 9 },
        { count: 8, density: 60, excess: 9 },
      ],
    },
    signalMeans: {
      entropy: [0.1, 0.3],
      change: [0.2, 0.4],
      received: [0.05, 0.15],
      agreement: [0.9, -0.1],
    },
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
    ['far_mass_density', 25],
    ['far_mass_count', 3],
    ['distance_density', 55],
    ['distance_count', 6.5],
    ['attention_entropy', 0.2],
    ['attention_change', 0.3],
    ['received_attention', -0.1],
    ['layer_agreement', -0.4],
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

  test('the oracle knows the pass rate, and none beyond 0 to 1', () => {
    const score = (passRate: number) =>
      estimatorByName(ORACLE).score([one], { seed: 1, passRates: new Map([['one', passRate]]) })[0];
    expect(score(0.25)).toBe(0.75);
    expect(() => score(1.5)).toThrow(/prompt one/);
    expect(estimatorNames).not.toContain(ORACLE);
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

  /** A pool whose usual scores are noise; a part of `length` and `attention_entropy` may tell what is hard. */
  const noisePool = (seed: number, hint: 'length' | 'attention_entropy') => {
    const random = stream(seed, 'noise');
    const passRates = Array.from({ length: 120 }, () => random.uniform());
    const observations = passRates.map((mu, i): PromptObservation => {
      const noise = () => random.uniform();
      const told = (by: typeof hint) => (hint === by ? 1 - mu + 0.2 * noise() : noise());
      const { layerPath: _, ...own } = rollout({
        length: Math.round(100 * told('length')),
        meanEntropy: noise(),
        maxEntropy: noise(),
        meanSelfCertainty: noise(),
      });
      return {
        promptId: `p${i}`,
        rollouts: [own],
        pivots: [{ count: 1, density: noise(), excess: noise() }],
        signalMeans: { entropy: [told('attention_entropy')] },
      };
    });
    return { observations, passRates };
  };

  test.each(['fused', 'fused_isotonic'])('%s takes in what was kept where it helps', (name) => {
    const weightOf = (hint: 'length' | 'attention_entropy') => {
      const { observations, passRates } = noisePool(5, hint);
      let weights: Record<string, number> = {};
      const scores = estimatorByName(name).score(observations, {
        seed: 2,
        probes: observations
          .slice(0, 60)
          .map(({ promptId }, i) => ({ promptId, passRate: passRates[i] })),
        onFit: (fit) => {
          weights = fit.weights;
        },
      });
      expect(spearman(scores.subarray(60), passRates.slice(60))).toBeLessThan(-0.8);
      return weights;
    };
    expect(Math.abs(weightOf('attention_entropy').attention_entropy)).toBeGreaterThan(0.3);
    expect(weightOf('length').attention_entropy).toBe(0);
    // What was not kept is no feature at all.
    expect(Object.keys(weightOf('length'))).not.toContain('coe_r');
  });

  test('holds its weights back where the probes teach nothing', () => {
    const random = stream(8, 'noise');
    const { observations, passRates } = simulatedPool(80, 4);
    const ridgeOf = (rates: readonly number[]): number => {
      let ridge = Number.NaN;
      estimatorByName('fused').score(observations, {
        seed: 1,
        probes: observations.map(({ promptId }, i) => ({ promptId, passRate: rates[i] })),
        onFit: (fit) => {
          ridge = fit.ridge ?? Number.NaN;
        },
      });
      return ridge;
    };
    expect(ridgeOf(passRates.map(() => random.uniform()))).toBe(100);
    expect(ridgeOf(passRates)).toBeLessThan(100);
  });

  test.each(['fused', 'fused_isotonic'])(
    "%s predicts a probe without the probe's label",
    (name) => {
      const { observations, passRates } = simulatedPool(40, 6);
      const scoresWith = (own: number) =>
        estimatorByName(name).score(observations, {
          seed: 3,
          probes: observations.map(({ promptId }, i) => ({
            promptId,
            passRate: i === 7 ? own : passRates[i],
          })),
        });
      const [none, all] = [scoresWith(0), scoresWith(1)];
      expect(none[7]).toBe(all[7]);
      // Others learn from it, but for those that are held out together with it.
      expect(none.filter((score, i) => score !== all[i]).length).toBeGreaterThan(20);
    },
  );

  test.each(['fused', 'fused_isotonic'])('%s is finite on hardly any probe', (name) => {
    for (const probes of [1, 2, 3]) {
      expect(fitOf(name, probes).scores.every(Number.isFinite)).toBe(true);
    }
  });
});
