/** Which prompts the next training step visits. Knows nothing of transitions. */
import type { RandomStream } from '../core/random.ts';
import type { Belief, PromptMemory, SchedulerSettings } from './scheduler-types.ts';

interface Weighed {
  promptId: string;
  weight: number;
}

type DrawSettings = Pick<SchedulerSettings, 'power' | 'uniform' | 'explore'>;

/**
 * Up to `k` different prompts. Each draw revisits a prompt that was left out with probability `explore`, else takes
 * one in training with weight (1 - uniform) U^power / sum U^power + uniform / n. Where one side runs out the
 * other fills in.
 *
 * Once no label can be bought any more (`labelsLeft` 0), a prompt without one can only be trained on votes, which is
 * worth less than another look at a labelled one: such prompts fill in where labelled ones in training run out.
 */
export function drawPrompts(
  memories: readonly PromptMemory[],
  beliefs: readonly Belief[],
  k: number,
  labelsLeft: number,
  settings: DrawSettings,
  random: RandomStream,
): string[] {
  const inTraining: Weighed[] = [];
  const resting: Weighed[] = [];
  const out: string[] = [];
  for (const [i, { promptId, state, owned }] of memories.entries()) {
    const weighed = { promptId, weight: beliefs[i].utility ** settings.power };
    if (labelsLeft === 0 && !owned) resting.push(weighed);
    else if (state === 'discard') out.push(promptId);
    else inTraining.push(weighed);
  }
  let revisits = 0;
  for (let i = 0; i < k; i++) if (random.uniform() < settings.explore) revisits++;
  revisits = Math.min(revisits, out.length);
  const picked = sample(inTraining, k - revisits, settings.uniform, random);
  const filling = sample(resting, k - revisits - picked.length, settings.uniform, random);
  revisits = Math.min(k - picked.length - filling.length, out.length);
  return random.shuffled([...picked, ...filling, ...random.shuffled(out).slice(0, revisits)]);
}

/** Weighted sample without replacement by exponential keys (Efraimidis and Spirakis 2006). */
function sample(
  items: readonly Weighed[],
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
