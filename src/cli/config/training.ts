/** Settings of training and evaluation. */
import { z } from 'zod';
import { count, flag, number, optionalCount, optionalPathKey, share } from './keys.ts';

const dynamic = z
  .strictObject({
    enabled: flag(
      false,
      'Refresh scores from training rollouts and move routes as training goes on',
    ),
    warmup_steps: count(5, 0, 'Steps before the first route moves'),
    refresh_every: count(5, 1, 'Steps between two looks at the routes'),
    ema: share(0.9, 'Weight of the old thresholds when they move'),
    hysteresis: number(0.1, 0, 'How far past a threshold a score must be before a prompt moves'),
    labels_per_refresh: count(8, 0, 'Labels that may be bought at each look'),
  })
  .prefault({})
  .describe('Dynamic routing');

export const train = z
  .strictObject({
    run: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
      .max(80)
      .nullable()
      .default(null)
      .describe('Name of the run; null = the name of the arm'),
    arm: z
      .enum(['pivottrace', 'full', 'majority'])
      .default('pivottrace')
      .describe(
        'pivottrace = as the triage plan routes, full = a label for every prompt, majority = no labels',
      ),
    plan: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('Triage plan to follow; null = triage.plan'),
    steps: count(60, 1, 'Optimiser rounds; each samples prompts_per_step groups'),
    prompts_per_step: count(16, 1, 'Prompts per step'),
    group_size: count(8, 2, 'Responses per prompt (G)'),
    epochs: count(1, 1, 'Passes over the responses of a step'),
    lr: number(5e-5, 0, 'Learning rate after the warm-up'),
    warmup_steps: count(0, 0, 'Steps of linear warm-up'),
    schedule: z
      .enum(['constant', 'cosine'])
      .default('constant')
      .describe('Learning rate after the warm-up'),
    weight_decay: number(0, 0, 'Decoupled weight decay'),
    betas: z
      .tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)])
      .default([0.9, 0.95])
      .describe('AdamW betas'),
    clip_low: number(0.2, 0, 'Lower clip of the probability ratio: 1 - clip_low'),
    clip_high: number(0.2, 0, 'Upper clip of the probability ratio: 1 + clip_high'),
    kl: number(0, 0, 'Weight of the KL to the starting policy; 0 = off'),
    grad_clip: number(1, 0, 'Global norm to which gradients are clipped'),
    loss: z
      .enum(['token', 'sequence'])
      .default('token')
      .describe('Mean over all tokens, or over responses of their token means'),
    micro_batch_tokens: count(4096, 1, 'Tokens per forward and backward pass; bounds memory'),
    replace_zero_variance: flag(true, 'Draw other prompts in place of groups without a gradient'),
    dynamic,
    checkpoint_every: count(10, 1, 'Steps between checkpoints'),
    keep: count(2, 1, 'Checkpoints kept'),
  })
  .prefault({})
  .describe('GRPO');

export const evaluation = z
  .strictObject({
    file: optionalPathKey('Held-out JSONL file with prompts and answers'),
    samples: count(4, 1, 'Responses per prompt (k of avg@k)'),
    every: count(10, 0, 'Steps between evaluations while training; 0 = only at the end'),
    greedy_every: count(0, 0, 'Steps between greedy evaluations; 0 = only at the end'),
    limit: optionalCount(1, 'Prompts evaluated; null = all'),
  })
  .prefault({})
  .describe('Evaluation on held-out prompts');
