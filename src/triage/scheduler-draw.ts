/** Which prompts the next training step visits. Knows nothing of transitions. */
import type { RandomStream } from '../core/random.ts';
import type { Belief, PromptMemory, SchedulerSettings } from './scheduler-types.ts';

type DrawSettings = Pick<SchedulerSettings, 'power' | 'uniform' | 'explore'>;

/**
 * Up to `k` different prompts. Each draw revisits a prompt that was left out with probability `explore`, else takes
 * one in training with weight (1 - uniform) U^power / sum U^power + uniform / n. Where one side runs out the
 * other fills in.
 */
export function drawPrompts(
  memories: readonly PromptMemory[],
  beliefs: readonly Belief[],
  k: number,
  settings: DrawSettings,
  random: RandomStream,
): string[] {
  const inTraining: { promptId: string; weight: number }[] = [];
  const out: string[] = [];
  for (const [i, { promptId, state }] of memories.entries()) {
    if (state === 'discard') out.push(promptId);
    else inTraining.push({ promptId, weight: beliefs[i].utility ** settings.power });
  }
  let revisits = 0;
  for (let i = 0; i < k; i++) if (random.uniform() < settings.explore) revisits++;
  const wanted = Math.min(k, inTraining.length + out.length);
  revisits = Math.min(Math.max(revisits, wanted - inTraining.length), out.length);
  const picked = sample(inTraining, wanted - revisits, settings.uniform, random);
  return random.shuffled([...picked, ...random.shuffled(out).slice(0, revisits)]);
}

/** Weighted sample without replacement by exponential keys (Efraimidis and Spirakis 2006). */
function sample(
  items: readonly { promptId: string; weight: number }[],
  k: number,
  uniform: number,
  random: RandomStream,
): string[] {
  const total = items.reduce((sum, item) => sum + item.weight, 0);
  return items
    .map(({ promptId, weight }) => {
      const share = total > 0 ? weight / total : 1 / items.length;
      const chance = (1 - uniform) * share + uniform / items.length;
      return { promptId, key: -Math.log(1 - random.uniform()) / chance };
    })
    .sort((a, b) => a.key - b.key)
    .slice(0, k)
    .map((item) => item.promptId);
}
