// Group-normalised advantages of GRPO (DeepSeekMath, arXiv 2402.03300, section 4.1). Knows nothing of how rewards came
// about or of the loss they go into.
import type { GroupReward } from './types.ts';
import { checkedWeight } from './weight.ts';

export interface AdvantageSettings {
  /** `std` divides by the standard deviation of the group; `none` only subtracts the mean (Dr. GRPO). */
  scale: 'std' | 'none';
  /**
   * Added to the standard deviation. Default 1e-6: rewards that differ by rounding alone (real ones may) then earn
   * advantages next to 0 instead of 1 and -1.
   */
  epsilon?: number;
  /** Weight of the prompt in the loss, in [0, 1]. Default 1. RangeError outside. */
  weight?: number;
}

/** The advantages of one group of G rollouts. */
export interface Advantages {
  /** Weighted advantage per rollout, 0 for those left out and wherever `gradient` is false. [G] */
  values: Float64Array;
  /** Mean reward over the rollouts that count; NaN where none does. */
  mean: number;
  /** Sample standard deviation (ddof 1, as torch.std); 0 for fewer than two rollouts. */
  std: number;
  /** All rewards that count are equal (or fewer than two count): the group may be replaced. */
  zeroVariance: boolean;
  /** Whether the group moves the policy at all: usable rewards, variance, and a weight above 0. */
  gradient: boolean;
}

/**
 * (r - mean) / (std + epsilon), times the prompt's weight: the clipped surrogate is linear in a non-negative factor of
 * the advantage, so that this weighs the prompt's term of the loss (DE-Venus, eq. 5) and leaves a KL term alone.
 * Rewards are any finite reals; with `std` neither an offset nor a factor of them matters, with `none` the factor does.
 * Rollouts with reward NaN are left out of mean and std. `size` is G, for groups without rewards.
 */
export function advantagesOf(
  reward: Pick<GroupReward, 'rewards'>,
  size: number,
  settings: AdvantageSettings,
): Advantages {
  const { epsilon = 1e-6, scale } = settings;
  const weight = checkedWeight(settings.weight ?? 1);
  const values = new Float64Array(size);
  const counted = (reward.rewards ?? new Float64Array(0)).filter((value) => !Number.isNaN(value));
  const mean = counted.reduce((sum, value) => sum + value, 0) / counted.length;
  // Equality, not std = 0: rounding in the mean must not make a gradient of equal rewards.
  const zeroVariance = counted.every((value) => value === counted[0]) || counted.length < 2;
  const squares = counted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const std = zeroVariance ? 0 : Math.sqrt(squares / (counted.length - 1));
  const gradient = !zeroVariance && weight > 0;
  if (gradient && reward.rewards !== null) {
    const factor = weight / (scale === 'std' ? std + epsilon : 1);
    for (const [at, value] of reward.rewards.entries()) {
      values[at] = Number.isNaN(value) ? 0 : (value - mean) * factor;
    }
  }
  return { values, mean, std, zeroVariance, gradient };
}
