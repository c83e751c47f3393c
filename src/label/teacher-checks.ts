/**
 * Spot checks: a share of a teacher's labels is put before people again, and what they answer tells how often the
 * teacher errs.
 */
import { stream } from '../core/random.ts';
import type { LabelChecks, Queue } from './queue/types.ts';
import type { Label } from './types.ts';

/** Whether the label of this prompt is checked: `share` of all, the same ones for the same seed. */
export function isChecked(promptId: string, share: number, seed: number): boolean {
  return stream(seed, 'spot check', promptId).uniform() < share;
}

/** Puts the label before people if it is its turn; they are not told that it is a check. */
export async function spotCheck(
  queue: Pick<Queue, 'orderChecks'>,
  { promptId, source }: Pick<Label, 'promptId' | 'source'>,
  { share, seed }: { share: number; seed: number },
): Promise<void> {
  if (isChecked(promptId, share, seed)) await queue.orderChecks([promptId], source);
}

/** What people found of a source's labels, in sentences. */
export function checksText({ source, checked, differing, open, wrong, rate }: LabelChecks): string {
  const labels = checked === 1 ? '1 label' : `${checked} labels`;
  const found = [
    `People checked ${labels} of ${source} and answered otherwise ${times(differing)}.`,
  ];
  if (open > 0)
    found.push(`No admin has ruled on ${open} of these yet: see the adjudication page.`);
  if (rate !== null) {
    const { value, low, high } = rate;
    const decided = checked - open;
    found.push(
      `Wrong are ${wrong} of the ${decided} that are decided, ${percent(value)} (95 % interval ${percent(low)} to ${percent(high)}).`,
    );
  }
  return found.join(' ');
}

function times(count: number): string {
  if (count === 0) return 'never';
  return count === 1 ? 'once' : `${count} times`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
