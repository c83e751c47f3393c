/**
 * Which prompts the next training step visits. Knows nothing of transitions.
 */
import type { RandomStream } from '../core/random.ts';
import type { DynamicSettings, PromptMemory } from './dynamic-types.ts';

/**
 * Expected mu (1 - mu) of a prompt under its Beta posterior, 0..0.25: the plan's pass rate as prior,
 * the decayed outcomes of its visits as counts. Without a label the majority share stands in for mu,
 * which is fair here: a unanimous group has no gradient whether it is right or wrong.
 */
export function expectedInformation(
  memory: PromptMemory,
  step: number,
  settings: Pick<DynamicSettings, 'priorStrength' | 'countDecay'>,
): number {
  const kept = settings.countDecay ** Math.max(0, step - memory.seen);
  // Half a rollout on either side keeps a prior of exactly 0 or 1 from being certain for ever.
  const a = settings.priorStrength * memory.prior + kept * memory.hits + 0.5;
  const b = settings.priorStrength * (1 - memory.prior) + kept * memory.misses + 0.5;
  return (a * b) / ((a + b) * (a + b + 1));
}

/**
 * Up to `k` different prompts: each draw revisits a discarded prompt with probability `explore`, else
 * takes one in training with weight (1 - uniform) U^power / sum U^power + uniform / n. Where one side
 * runs out the other fills in.
 */
export function drawPrompts(
  prompts: readonly PromptMemory[],
  step: number,
  k: number,
  settings: DynamicSettings,
  random: RandomStream,
): string[] {
  const inTraining: { promptId: string; weight: number }[] = [];
  const discarded: string[] = [];
  for (const memory of prompts) {
    const { promptId } = memory;
    if (memory.state === 'discard') discarded.push(promptId);
    else {
      const information = expectedInformation(memory, step, settings);
      inTraining.push({ promptId, weight: information ** settings.power });
    }
  }
  let revisits = 0;
  for (let i = 0; i < k; i++) if (random.uniform() < settings.explore) revisits++;
  const wanted = Math.min(k, inTraining.length + discarded.length);
  revisits = Math.min(Math.max(revisits, wanted - inTraining.length), discarded.length);
  const picked = sample(inTraining, wanted - revisits, settings.uniform, random);
  return random.shuffled([...picked, ...random.shuffled(discarded).slice(0, revisits)]);
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
