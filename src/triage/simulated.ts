/**
 * Simulated pools with known pass rates, and plans for them, for tests. Knows nothing of models.
 */
import { stream } from '../core/random.ts';
import { planTriage, type TriageInput } from './plan.ts';
import { drawProbes } from './probes.ts';
import { rankPool } from './ranking.ts';
import type { Probe, Score, ScoreColumn, TriagePlan, TriageSettings } from './types.ts';

export interface SimulatedPool {
  column: ScoreColumn & { scores: readonly Score[] };
  /** True pass rate per prompt. */
  mu: Map<string, number>;
  lengths: Map<string, number>;
  /** What `samples` rollouts show of these prompts. */
  probe(promptIds: readonly string[], samples?: number): Probe[];
}

export interface SimulationOptions {
  /** 0 = the score ranks perfectly, 1 = not at all. */
  noise?: number;
  /** Distinct values of the score. */
  levels?: number;
  /** Share of prompts with a mu of 0.98. */
  mastered?: number;
}

/** n prompts whose true mu falls evenly from 0.98 to 0.05 over those that are not mastered. */
export function simulatedPool(
  n: number,
  seed: number,
  { noise = 0, levels = Infinity, mastered = 0 }: SimulationOptions = {},
): SimulatedPool {
  const random = stream(seed, 'simulated');
  const mu = new Map<string, number>();
  const lengths = new Map<string, number>();
  const scores = Array.from({ length: n }, (_, i) => {
    const promptId = `p${i}`;
    const hard = random.uniform();
    mu.set(promptId, 0.98 - 0.93 * Math.max(0, (hard - mastered) / (1 - mastered)));
    lengths.set(promptId, 20 + Math.round(20 * hard + 20 * random.uniform()));
    const seen = (1 - noise) * hard + noise * random.uniform();
    return { promptId, value: levels === Infinity ? seen : Math.floor(seen * levels) / levels };
  });
  return {
    column: { estimator: 'simulated', scores },
    mu,
    lengths,
    probe: (promptIds, samples = 16) =>
      promptIds.map((promptId) => {
        const own = stream(seed, 'probe', promptId);
        let right = 0;
        for (let i = 0; i < samples; i++) {
          if (own.uniform() < (mu.get(promptId) ?? 0)) right++;
        }
        return { promptId, passRate: right / samples, voteRight: right > samples / 2 };
      }),
  };
}

/** Settings that make tests fast. */
export const quick = { resamples: 200 };

/** A plan for a simulated pool of n prompts; `share` of them are probes. */
export function planFor(
  n: number,
  settings: Partial<TriageSettings> = {},
  over: Partial<TriageInput> & SimulationOptions & { share?: number } = {},
): TriagePlan {
  const pool = simulatedPool(n, 1, over);
  const ranking = rankPool(pool.column, over.tieBreaks, 0);
  return planTriage({
    name: 'main',
    scores: pool.column,
    lengths: pool.lengths,
    probes: pool.probe(drawProbes(ranking, over.share ?? 0.1, 2)),
    settings: { ...quick, ...settings },
    ...over,
  });
}
