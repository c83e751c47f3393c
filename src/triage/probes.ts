/**
 * Which prompts are annotated first, to learn what the ranking is worth. Knows nothing of answers.
 */
import { stream } from '../core/random.ts';
import type { Ranking } from './ranking.ts';

/**
 * Ids of the probes: the ranking is cut into equal strata and one prompt drawn from each, so that
 * they lie evenly over it. A positive share gives at least one probe; a share of 0 gives none.
 */
export function drawProbes(ranking: Ranking, share: number = 0.05, seed: number = 0): string[] {
  const n = ranking.promptIds.length;
  const count = share <= 0 ? 0 : Math.min(n, Math.max(1, Math.round(share * n)));
  const random = stream(seed, 'triage', 'probes');
  return Array.from({ length: count }, (_, stratum) => {
    const from = Math.floor((stratum * n) / count);
    const to = Math.floor(((stratum + 1) * n) / count);
    return ranking.promptIds[from + random.below(to - from)];
  });
}
