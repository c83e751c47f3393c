/** Settings of training and evaluation. */
import { z } from 'zod';
import { defaultDynamicSettings as usual } from '../../triage/dynamic.ts';
import { count, flag, number, optionalCount, optionalPathKey, share } from './keys.ts';

const dynamic = z
  .strictObject({
    enabled: flag(
      false,
      'Refresh scores from training rollouts, move routes and buy labels as training goes on',
    ),
    labels: optionalCount(
      0,
      'Labels in all, those of the plan included; null = label.budget, else those of the plan',
    ),
    warmup_steps: count(usual.warmupSteps, 0, 'Steps before the first route moves'),
    score_decay: share(usual.scoreDecay, 'Weight of the old score when a prompt is visited'),
    threshold_decay: share(usual.thresholdDecay, 'Weight of the old thresholds at every step'),
    margin: number(
      usual.margin,
      0,
      'Hysteresis around a threshold, in interquartile ranges of the scores',
    ),
    patience: count(usual.patience, 1, 'Visits in a row beyond the margin before a prompt moves'),
    mastered_visits: count(
      usual.masteredVisits,
      1,
      'Unanimous visits in a row after which a prompt is discarded',
    ),
    agree_share: share(
      usual.agreeShare,
      'A group whose majority is below this share, and not unanimous, disagrees',
    ),
    disagree_visits: count(
      usual.disagreeVisits,
      1,
      'Disagreeing visits in a row before a label is asked for',
    ),
    explore: share(usual.explore, 'Share of draws that revisits discarded prompts'),
    power: number(usual.power, 0, 'Draws go with U^power, U the expected mu (1 - mu)'),
    uniform: share(usual.uniform, 'Share of draws that is uniform'),
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
    updates_per_epoch: count(1, 1, 'Optimizer steps per pass'),
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
    advantage: z
      .enum(['std', 'none'])
      .default('std')
      .describe('Advantages divided by the standard deviation of the group, or only centred'),
    self_weight: share(1, 'Weight of self-trained prompts; annotated ones weigh 1'),
    min_vote_share: share(0.75, 'A majority below this share of its group gives no gradient'),
    undecided: z
      .enum(['zero', 'drop', 'ask'])
      .default('zero')
      .describe(
        'A response the verifier cannot judge: reward 0, left out of its group, or left out and put before a person (`pivottrace label --undecided`)',
      ),
    micro_batch_tokens: count(2048, 1, 'Tokens per forward and backward pass; bounds memory'),
    resample_rounds: count(
      1,
      0,
      'Times that groups without a gradient are replaced by other prompts in one step',
    ),
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
