/**
 * A synthetic pool for bench:scale, written as files: prompts, and scores as if they had been made on a cluster.
 *
 * A third of the pool is mastered, the rest falls to a long tail of hopeless ones. Pivot density is a small count over
 * a length, so that many prompts tie (a quarter has none at all); its tie-breakers and the length go along.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { stream } from '../../src/core/random.ts';

export interface SyntheticPrompt {
  id: string;
  prompt: string;
  answer: string;
  /** True pass rate, 0..1. */
  mu: number;
  scores: { pivot_density: number; pivot_excess: number; mean_entropy: number; length: number };
}

/** `count` prompts, the same for the same count. */
export function* syntheticPool(count: number): Generator<SyntheticPrompt> {
  const random = stream(1, 'bench:scale');
  for (let i = 0; i < count; i++) {
    const mu =
      random.uniform() < 0.33 ? 0.98 - 0.05 * random.uniform() : 0.95 * random.uniform() ** 1.6;
    const hardness = 1 - mu;
    const length = 200 + Math.round(1800 * hardness * random.uniform() + 600 * random.uniform());
    const pivots = Math.max(0, Math.round(12 * hardness + 4 * random.normal()));
    const [a, b] = [random.below(9000) + 1000, random.below(9000) + 1000];
    yield {
      id: `dapo-${i.toString(36).padStart(6, '0')}`,
      prompt: `Item ${i}: Let $a = ${a}$ and $b = ${b}$ be the sides of a field. How much is $a + b$? Think step by step.`,
      answer: String(a + b),
      mu,
      scores: {
        pivot_density: (100 * pivots) / (50 * Math.ceil(length / 50)),
        pivot_excess: pivots === 0 ? 0 : 0.01 * pivots * (1 + 0.2 * random.normal()),
        mean_entropy: 0.1 + 0.6 * hardness * random.uniform() + 0.2 * random.uniform(),
        length,
      },
    };
  }
}

/** Writes the pool as `pool` reads it, without answers, and its scores as `triage --scores` does. */
export function writePool(count: number, poolFile: string, scoreFile: string): void {
  const files = [openSync(poolFile, 'w'), openSync(scoreFile, 'w')];
  let lines: [string[], string[]] = [[], []];
  const flush = () => {
    for (const [i, file] of files.entries()) writeSync(file, lines[i].join(''));
    lines = [[], []];
  };
  for (const { id, prompt, scores } of syntheticPool(count)) {
    lines[0].push(`${JSON.stringify({ id, prompt, level: 3 })}\n`);
    lines[1].push(`${JSON.stringify({ id, ...scores })}\n`);
    if (lines[0].length === 10_000) flush();
  }
  flush();
  for (const file of files) closeSync(file);
}
