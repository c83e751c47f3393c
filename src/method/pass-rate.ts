/** What one visit shows of a prompt's pass rate. */
import type { Group } from './types.ts';

/**
 * Share of right responses where the prompt has a label, 0..1; else the pseudo pass rate, the share of its largest class of
 * answers. null where nothing could be judged or the prompt has no target.
 */
export function passRateOf({ target, mean, vote }: Group): number | null {
  const rate = target.kind === 'label' ? mean : target.kind === 'vote' ? vote.share : Number.NaN;
  return Number.isFinite(rate) ? rate : null;
}
