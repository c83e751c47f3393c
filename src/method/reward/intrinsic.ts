/** What rewards made of a response's own token statistics share. */
import { z } from 'zod';
import type { GroupReward, Seen } from '../../reward/types.ts';
import type { Response } from '../../rollout/types.ts';

/**
 * One reward per rollout, any finite real. A rollout whose value is not finite, or that has no token, is left
 * out of its group: of nothing there is nothing to be certain.
 */
export function intrinsicReward(
  { responses }: Pick<Seen, 'responses'>,
  of: (response: Response) => number,
  what: string,
): GroupReward {
  const rewards = Float64Array.from(responses, (response) => {
    const value = response.tokens.length === 0 ? Number.NaN : of(response);
    return Number.isFinite(value) ? value : Number.NaN;
  });
  const counted = rewards.filter((value) => !Number.isNaN(value));
  const common = { kind: 'intrinsic', undecided: [] } as const;
  if (counted.length === 0) return { ...common, rewards: null, reason: 'no rollout has a value' };
  const [least, most] = [Math.min(...counted), Math.max(...counted)].map((x) => x.toPrecision(4));
  return { ...common, rewards, reason: `${what} between ${least} and ${most}` };
}

const sum = (values: Float32Array): number => values.reduce((total, one) => total + one, 0);

export const mean = (values: Float32Array): number => sum(values) / values.length;

/** How per-token values become one number; also the setting `tokens` of the methods that offer both. */
export const pooling = { mean, sum };

export const tokensSetting = z
  .enum(['mean', 'sum'])
  .default('mean')
  .describe('Mean over the tokens, or their sum, which also rewards short responses');
