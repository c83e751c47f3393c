/** What a low-rank adapter is (Hu et al., arXiv 2106.09685): its rank, its scale and which projections have one. */

/** The projections that may have an adapter, by the last part of their name, in the order of the forward pass. */
export const loraTargets = [
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'gate_proj',
  'up_proj',
  'down_proj',
] as const;

export type LoraTarget = (typeof loraTargets)[number];

/**
 * y = x W^T + scale (x A^T) B^T with A [rank, in] and B [out, rank], in every layer. There is no dropout: the
 * probability ratios of GRPO compare the policy with itself, and noise in one of the two would pass for a change.
 */
export interface LoraSettings {
  /** At least 1. */
  rank: number;
  alpha: number;
  /** At least one, each once. */
  targets: readonly LoraTarget[];
  /** Scale alpha / sqrt(rank) (Kalajdzievski, arXiv 2312.03732) instead of alpha / rank. */
  rslora: boolean;
}

/** The factor of the low-rank product. */
export function loraScale({ rank, alpha, rslora }: LoraSettings): number {
  return alpha / (rslora ? Math.sqrt(rank) : rank);
}

/** The tensor A of a module (`model.layers.0.self_attn.q_proj`), named as PEFT names it. */
export const loraA = (module: string): string => `base_model.model.${module}.lora_A.weight`;
/** Its tensor B. */
export const loraB = (module: string): string => `base_model.model.${module}.lora_B.weight`;
