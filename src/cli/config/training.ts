/** Settings of training and evaluation. */
import { z } from 'zod';
import { methods as registry } from '../../method/registry.ts';
import { loraTargets } from '../../model/lora-settings.ts';
import { defaultSchedulerSettings as usual } from '../../triage/scheduler.ts';
import { count, flag, number, optionalCount, optionalPathKey, share } from './keys.ts';

const methodNames = registry.map(({ name }) => name);

const dynamic = z
  .strictObject({
    enabled: flag(
      true,
      'Draw prompts by expected utility and buy labels where groups disagree, as training goes on; else routes stay as planned',
    ),
    start: z
      .enum(['plan', 'pool'])
      .default('plan')
      .describe(
        'plan = from the routes, labels and traces of the triage plan; pool = from the bare prompts, without scoring them first',
      ),
    labels: optionalCount(
      0,
      'Labels in all, those of the plan included; null = label.budget, else those of the plan, else 29.3 % of the pool',
    ),
    features: count(12, 0, 'Principal components of the prompts that beliefs rest on'),
    trace: flag(true, 'Trace training rollouts and let pivots and entropies speak in the beliefs'),
    warmup_groups: count(usual.warmupGroups, 1, 'Groups seen before anything is predicted'),
    reach: number(usual.reach, 1e-3, 'How far one prompt speaks for others, per feature'),
    noise: number(usual.noise, 1e-6, 'Doubt about what 8 rollouts show of a prompt'),
    decay: share(usual.decay, 'Weight per step of age of what a group showed'),
    memory: count(usual.memory, 1, 'Visited prompts that speak for others, the latest ones'),
    power: number(usual.power, 0, 'Draws go with U^power, U the expected mu (1 - mu)'),
    uniform: share(usual.uniform, 'Share of draws that is uniform'),
    explore: share(usual.explore, 'Share of draws that revisits prompts that were left out'),
    agree_share: share(
      usual.agreeShare,
      'A group whose majority is below this share, and not unanimous, disagrees',
    ),
    leave_below: number(
      usual.leaveBelow,
      0,
      'A prompt whose expected mu (1 - mu) is below this is left out as mastered or hopeless',
    ),
    return_above: number(usual.returnAbove, 0, 'A prompt that was left out comes back above this'),
  })
  .prefault({})
  .describe('Dynamic routing');

const lora = z
  .strictObject({
    rank: count(
      0,
      0,
      'Rank of a low-rank adapter that is trained in place of the weights (docs/guide/lora.md); 0 = all weights are trained',
    ),
    alpha: z
      .number()
      .gt(0)
      .default(32)
      .describe('The adapter counts alpha / rank times; with rslora, alpha / sqrt(rank) times'),
    targets: z
      .array(z.enum(loraTargets))
      .min(1)
      .default([...loraTargets])
      .describe('Projections that get an adapter, in every layer'),
    rslora: flag(false, 'Divide alpha by the square root of the rank'),
    merge: flag(
      false,
      'Also write the whole model with the adapter merged in, beside the adapter, as `merged`',
    ),
  })
  .prefault({})
  .describe('Training an adapter in place of the weights');

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
    max_rollouts: optionalCount(
      1,
      'Training ends with the step that reaches so many rollouts; null = no such bound',
    ),
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
    average: share(
      0,
      'Decay per update of the moving average of the weights that is evaluated and saved; 0 = the weights themselves',
    ),
    self_weight: share(1, 'Weight of self-trained prompts; annotated ones weigh 1'),
    min_vote_share: share(0.75, 'A majority below this share of its group gives no gradient'),
    undecided: z
      .enum(['zero', 'drop', 'ask'])
      .default('zero')
      .describe(
        'A response the verifier cannot judge: reward 0, left out of its group, or left out and put before a person (`pivottrace label --undecided`)',
      ),
    micro_batch_tokens: count(2048, 1, 'Tokens per forward and backward pass; bounds memory'),
    methods: z
      .array(z.enum(methodNames))
      .default([])
      .describe(
        'Methods beside the arm, in this order: rewards, refinement, selection (docs/guide/methods.md)',
      ),
    lora,
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
    at_start: flag(true, 'Evaluate before the first step of a run'),
    every: count(10, 0, 'Steps between evaluations while training; 0 = only at the end'),
    greedy_every: count(0, 0, 'Steps between greedy evaluations; 0 = only at the end'),
    limit: optionalCount(1, 'Prompts evaluated; null = all'),
  })
  .prefault({})
  .describe('Evaluation on held-out prompts');

export const methods = z
  .strictObject(Object.fromEntries(registry.map((one) => [one.name, settingsOf(one)])))
  .prefault({})
  .describe('Settings of the methods that train.methods names');

function settingsOf({ settings, summary, source }: (typeof registry)[number]) {
  return settings.prefault({}).describe(`${summary} (${source})`);
}
